//! Colours, lengths and positions of each style.

use super::palette::Colour;
use super::settings::Style;

/// Red, green, blue and opacity from 0 to 1.
pub(super) type Rgba = (f64, f64, f64, f64);

/// The theme of a style. Lengths are multiples of the letters' height (the em) or of the length in the default style.
#[derive(Debug)]
pub(super) struct Theme {
    /// The background of text.
    pub(super) plate: Rgba,
    /// Radius of the corners of plates, in em.
    pub(super) rounding: f64,
    pub(super) box_form: BoxForm,
    /// Width of the line of boxes, as a multiple of the default style's.
    pub(super) stroke: f64,
    /// Whether a dark line runs on both sides of the coloured one.
    pub(super) outlined: bool,
    /// The colour of all boxes, if it does not show the emotion.
    pub(super) box_colour: Option<Colour>,
    /// Height of letters, as a multiple of the default style's.
    pub(super) letters: f64,
    pub(super) text: Rgba,
    pub(super) quiet_text: Rgba,
    /// How a label shows the colour of its emotion.
    pub(super) mark: LabelMark,
    /// Whether the name of the emotion is bold.
    pub(super) bold: bool,
    pub(super) preferences: LayoutPreferences,
    /// Whether the summary reaches from one border of the frame to the other.
    pub(super) wide_summary: bool,
}

/// The line around a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum BoxForm {
    /// A rectangle with round corners.
    Rounded,
    /// A rectangle.
    Square,
    /// Only the corners of a rectangle.
    Brackets,
}

/// How a label shows the colour of its emotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum LabelMark {
    /// A dot before the text.
    Dot,
    /// A line below the text.
    Underline,
    /// A block at the start of the plate.
    Block,
    /// Not at all.
    None,
}

/// Where labels and bars go if there is room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LayoutPreferences {
    /// Labels below the box rather than above it.
    pub(super) labels_below: bool,
    pub(super) bars: BarsPosition,
}

/// Where bars go if there is room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BarsPosition {
    /// To the right of the face, else to its left.
    Beside,
    /// At the left border of the frame, else as [`Self::Beside`].
    FrameLeft,
}

const WHITE: Rgba = (1.0, 1.0, 1.0, 1.0);
const YELLOW: Colour = Colour(0xff, 0xff, 0x00);

static DEFAULT: Theme = Theme {
    plate: (0.055, 0.065, 0.085, 0.78),
    rounding: 0.35,
    box_form: BoxForm::Rounded,
    stroke: 1.0,
    outlined: true,
    box_colour: None,
    letters: 1.0,
    text: WHITE,
    quiet_text: (1.0, 1.0, 1.0, 0.78),
    mark: LabelMark::Dot,
    bold: true,
    preferences: LayoutPreferences {
        labels_below: false,
        bars: BarsPosition::Beside,
    },
    wide_summary: false,
};

static MINIMAL: Theme = Theme {
    plate: (0.0, 0.0, 0.0, 0.7),
    rounding: 0.0,
    box_form: BoxForm::Brackets,
    stroke: 0.7,
    outlined: false,
    letters: 0.88,
    mark: LabelMark::Underline,
    bold: false,
    ..DEFAULT
};

static BROADCAST: Theme = Theme {
    plate: (0.02, 0.05, 0.14, 0.94),
    rounding: 0.0,
    box_form: BoxForm::Brackets,
    stroke: 1.5,
    outlined: true,
    letters: 1.15,
    quiet_text: (0.78, 0.86, 1.0, 1.0),
    mark: LabelMark::Block,
    preferences: LayoutPreferences {
        labels_below: true,
        bars: BarsPosition::Beside,
    },
    wide_summary: true,
    ..DEFAULT
};

static SEED: Theme = Theme {
    plate: (0.0, 0.0, 0.0, 0.7),
    rounding: 0.0,
    box_form: BoxForm::Square,
    outlined: false,
    box_colour: Some(YELLOW),
    text: (1.0, 1.0, 0.0, 1.0),
    quiet_text: (1.0, 1.0, 0.0, 0.85),
    mark: LabelMark::None,
    preferences: LayoutPreferences {
        labels_below: false,
        bars: BarsPosition::FrameLeft,
    },
    ..DEFAULT
};

impl Style {
    /// The theme of the style.
    pub(super) fn theme(self) -> &'static Theme {
        match self {
            Self::Default => &DEFAULT,
            Self::Minimal => &MINIMAL,
            Self::Broadcast => &BROADCAST,
            Self::Seed => &SEED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLES: [Style; 4] = [
        Style::Default,
        Style::Minimal,
        Style::Broadcast,
        Style::Seed,
    ];

    fn over(top: Rgba, below: [f64; 3]) -> [f64; 3] {
        let (r, g, b, opacity) = top;
        let mix = |top: f64, below: f64| top * opacity + below * (1.0 - opacity);
        [mix(r, below[0]), mix(g, below[1]), mix(b, below[2])]
    }

    /// Relative luminance as in WCAG 2.1.
    fn luminance(colour: [f64; 3]) -> f64 {
        let [r, g, b] = colour.map(|c| {
            if c <= 0.03928 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    #[test]
    fn text_of_every_style_reads_well_on_any_background() {
        for style in STYLES {
            let theme = style.theme();
            for i in 0..27 {
                let level = |i: i32| f64::from(i % 3) / 2.0;
                let background = [level(i), level(i / 3), level(i / 9)];
                let plate = over(theme.plate, background);
                for text in [theme.text, theme.quiet_text] {
                    let (light, dark) = (luminance(over(text, plate)), luminance(plate));
                    let contrast = (light + 0.05) / (dark + 0.05);
                    // Level AA of WCAG 2.1 for small text.
                    assert!(
                        contrast >= 4.5,
                        "{style:?} on {background:?}: {contrast:.2}"
                    );
                }
            }
        }
    }
}
