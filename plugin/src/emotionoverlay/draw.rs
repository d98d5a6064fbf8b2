//! Pictures of boxes, labels, bars and histories, drawn with cairo and pango as premultiplied native-endian ARGB.

mod boxes;
mod label;
mod panel;
mod strips;
mod text;

use std::cell::{Cell, OnceCell};
use std::f64::consts::{FRAC_PI_2, PI};
use std::sync::Arc;

use super::Style;
use super::dimensions::{Line, PanelScale, Part};
use super::geometry::{Rect, Size};
use super::palette::Colour;
use super::theme::{Rgba, Theme};

pub(super) use strips::history_size;
pub(super) use text::runs_leftwards;

/// What can be drawn: all that determines the pixels of a style and font, so that it serves as the key of a cache.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Sprite {
    /// A piece of the line around a face.
    BoxPart {
        part: Part,
        size: Size,
        line: Line,
        colour: Colour,
    },
    /// A plate with the track and the emotion of a face, and room for a percentage.
    Label(Label),
    /// A percentage, for its room on a label.
    Percent { percent: u8, size: Size, em: i32 },
    /// A plate with the names of emotions and a track for the bar of each.
    Panel(Panel),
    /// The bars for a panel.
    Bars {
        bars: Vec<Bar>,
        scale: PanelScale,
        mirrored: bool,
    },
    /// The emotions of a face so far, from left to right.
    History { cells: Vec<Option<Colour>>, em: i32 },
    /// How many faces there are, and the share of each emotion.
    Summary(Summary),
}

/// The parts of a label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Label {
    pub(super) id: Option<i32>,
    pub(super) name: Option<String>,
    /// For how many digits of a percentage there is room.
    pub(super) digits: Option<u8>,
    pub(super) em: i32,
    pub(super) colour: Colour,
}

/// The names beside bars.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Panel {
    pub(super) names: Arc<[String]>,
    /// Index of the row that is emphasised.
    pub(super) best: Option<usize>,
    pub(super) scale: PanelScale,
    /// Names at the right, bars from right to left.
    pub(super) mirrored: bool,
}

/// A bar on a [`Panel`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Bar {
    /// Filled part in pixels, up to [`PanelScale::length`].
    pub(super) filled: i32,
    pub(super) colour: Colour,
}

/// What a crowd shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Summary {
    pub(super) faces: usize,
    pub(super) shares: Vec<Share>,
    pub(super) em: i32,
    /// The width that the plate may take; all of it where the style wants that.
    pub(super) room: i32,
}

/// How many faces show an emotion.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Share {
    pub(super) name: String,
    pub(super) colour: Colour,
    pub(super) faces: usize,
}

/// A drawn sprite.
pub(super) struct Drawing {
    pub(super) size: Size,
    /// Bytes from one row of pixels to the next.
    pub(super) stride: i32,
    pub(super) pixels: cairo::ImageSurfaceDataOwned,
    /// The room for a percentage, in coordinates of the drawing.
    pub(super) slot: Option<Rect>,
}

/// Draws sprites in a style with the fonts of the machine. Belongs to one thread, as pango's objects do, and costs little to
/// make: the loaded fonts stay with the thread.
pub(super) struct Painter<'a> {
    theme: &'static Theme,
    family: &'a str,
    context: OnceCell<pango::Context>,
    lacks_font: Cell<bool>,
}

/// What a bar or a history stands on.
const TRACK: Rgba = (1.0, 1.0, 1.0, 0.16);

impl<'a> Painter<'a> {
    /// A painter for a font family; fontconfig finds the nearest if there is none of that name.
    pub(super) fn new(style: Style, family: &'a str) -> Self {
        Self {
            theme: style.theme(),
            family,
            context: OnceCell::new(),
            lacks_font: Cell::new(false),
        }
    }

    /// Whether text was left out because no font of the machine has any of its letters.
    pub(super) fn lacks_font(&self) -> bool {
        self.lacks_font.get()
    }

    /// Draws a sprite.
    pub(super) fn paint(&self, sprite: &Sprite) -> Result<Drawing, cairo::Error> {
        match sprite {
            Sprite::BoxPart {
                part,
                size,
                line,
                colour,
            } => boxes::paint(*part, *size, line, *colour),
            Sprite::Label(label) => self.paint_label(label),
            Sprite::Percent { percent, size, em } => self.paint_percent(*percent, *size, *em),
            Sprite::Panel(panel) => self.paint_panel(panel),
            Sprite::Bars {
                bars,
                scale,
                mirrored,
            } => self.paint_bars(bars, scale, *mirrored),
            Sprite::History { cells, em } => self.paint_history(cells, *em),
            Sprite::Summary(summary) => self.paint_summary(summary),
        }
    }

    fn plate(&self, cr: &cairo::Context, size: Size, em: f64) -> Result<(), cairo::Error> {
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        let radius = (self.theme.rounding * em).min(height / 2.0);
        rounded_rectangle(cr, 0.0, 0.0, width, height, radius);
        set_rgba(cr, self.theme.plate);
        cr.fill()
    }
}

fn draw(
    size: Size,
    content: impl FnOnce(&cairo::Context) -> Result<(), cairo::Error>,
) -> Result<Drawing, cairo::Error> {
    let surface = cairo::ImageSurface::create(cairo::Format::ARgb32, size.width, size.height)?;
    let stride = surface.stride();
    {
        let cr = cairo::Context::new(&surface)?;
        content(&cr)?;
        cr.status()?;
    }
    let pixels = surface.take_data().map_err(|error| match error {
        cairo::BorrowError::Cairo(error) => error,
        cairo::BorrowError::NonExclusive => cairo::Error::SurfaceFinished,
    })?;
    Ok(Drawing {
        size,
        stride,
        pixels,
        slot: None,
    })
}

fn rounded_rectangle(cr: &cairo::Context, x: f64, y: f64, width: f64, height: f64, radius: f64) {
    if radius <= 0.0 {
        cr.rectangle(x, y, width, height);
        return;
    }
    let (right, bottom) = (x + width, y + height);
    cr.new_sub_path();
    cr.arc(right - radius, y + radius, radius, -FRAC_PI_2, 0.0);
    cr.arc(right - radius, bottom - radius, radius, 0.0, FRAC_PI_2);
    cr.arc(x + radius, bottom - radius, radius, FRAC_PI_2, PI);
    cr.arc(x + radius, y + radius, radius, PI, PI + FRAC_PI_2);
    cr.close_path();
}

fn set_colour(cr: &cairo::Context, colour: Colour) {
    let (r, g, b) = colour.rgb();
    cr.set_source_rgb(r, g, b);
}

fn set_rgba(cr: &cairo::Context, (r, g, b, a): Rgba) {
    cr.set_source_rgba(r, g, b, a);
}
