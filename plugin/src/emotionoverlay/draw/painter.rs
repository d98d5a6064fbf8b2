//! The painter of one style and font: plates and lines of text.

use std::cell::{Cell, OnceCell};

use super::canvas::{rounded_rectangle, set_rgba};
use crate::emotionoverlay::geometry::Size;
use crate::emotionoverlay::settings::Style;
use crate::emotionoverlay::theme::{Rgba, Theme};

/// Letters of a text that are shaped: no place is wide enough for more.
const MAX_LETTERS: usize = 200;

/// Draws sprites in a style with the fonts of the machine. Pango's objects belong to one thread, so the painter does as
/// well. It is cheap to make: loaded fonts stay with the thread.
pub(crate) struct Painter<'a> {
    pub(super) theme: &'static Theme,
    family: &'a str,
    context: OnceCell<pango::Context>,
    lacks_font: Cell<bool>,
    lacks_letters: Cell<bool>,
}

/// A line of shaped text.
pub(super) struct Text {
    layout: pango::Layout,
    pub(super) width: f64,
    em: f64,
}

/// Whether a text runs from right to left.
pub(crate) fn is_right_to_left(text: &str) -> bool {
    matches!(
        pango::find_base_dir(text),
        pango::Direction::Rtl | pango::Direction::WeakRtl
    )
}

impl<'a> Painter<'a> {
    /// A painter for a font family; fontconfig finds the nearest one if the machine lacks it.
    pub(crate) fn new(style: Style, family: &'a str) -> Self {
        Self {
            theme: style.theme(),
            family,
            context: OnceCell::new(),
            lacks_font: Cell::new(false),
            lacks_letters: Cell::new(false),
        }
    }

    /// Whether text was left out because no font of the machine has any of its letters.
    pub(crate) fn lacks_font(&self) -> bool {
        self.lacks_font.get()
    }

    /// Whether some letters of a text are shown as boxes because no font of the machine has them.
    pub(crate) fn lacks_letters(&self) -> bool {
        self.lacks_letters.get()
    }

    /// Width of a bold text in pixels, rounded up; 0 if no font has any of its letters.
    pub(crate) fn text_width(&self, text: &str, em: i32) -> i32 {
        let text = self.text(text, em, pango::Weight::Bold);
        text.map_or(0, |text| text.width.ceil() as i32)
    }

    /// Fills the background of text.
    pub(super) fn plate(
        &self,
        cr: &cairo::Context,
        size: Size,
        em: f64,
    ) -> Result<(), cairo::Error> {
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        let radius = (self.theme.rounding * em).min(height / 2.0);
        rounded_rectangle(cr, 0.0, 0.0, width, height, radius);
        set_rgba(cr, self.theme.plate);
        cr.fill()
    }

    /// Shapes a text; `None` if no font has any of its letters.
    pub(super) fn text(&self, text: &str, em: i32, weight: pango::Weight) -> Option<Text> {
        let mut font = pango::FontDescription::new();
        font.set_family(self.family);
        font.set_absolute_size(f64::from(em * pango::SCALE));
        font.set_weight(weight);
        let layout = pango::Layout::new(self.context());
        layout.set_font_description(Some(&font));
        layout.set_single_paragraph_mode(true);
        let end = text.char_indices().nth(MAX_LETTERS);
        layout.set_text(end.map_or(text, |(end, _)| &text[..end]));
        let unknown = layout.unknown_glyphs_count();
        if unknown > 0 && unknown == layout.character_count() {
            self.lacks_font.set(true);
            return None;
        }
        if unknown > 0 {
            self.lacks_letters.set(true);
        }
        let width = f64::from(layout.size().0) / f64::from(pango::SCALE);
        Some(Text {
            layout,
            width,
            em: f64::from(em),
        })
    }

    fn context(&self) -> &pango::Context {
        self.context.get_or_init(|| {
            let map = pangocairo::FontMap::default();
            let context = pango::prelude::FontMapExt::create_context(&map);
            let mut options = cairo::FontOptions::new().ok();
            if let Some(options) = &mut options {
                // Letters keep their distances at any fraction of a pixel.
                options.set_hint_metrics(cairo::HintMetrics::Off);
                options.set_antialias(cairo::Antialias::Gray);
            }
            pangocairo::functions::context_set_font_options(&context, options.as_ref());
            context
        })
    }
}

impl Text {
    /// Ends a text that is longer than `width` with an ellipsis.
    pub(super) fn ellipsize(&mut self, width: f64) {
        if self.width > width {
            self.layout
                .set_width((width * f64::from(pango::SCALE)) as i32);
            self.layout.set_ellipsize(pango::EllipsizeMode::End);
            self.width = width;
        }
    }

    /// Shows the text with the middle of its small letters at the height `middle`.
    pub(super) fn show(&self, cr: &cairo::Context, x: f64, middle: f64, colour: Rgba) {
        let baseline = f64::from(self.layout.baseline()) / f64::from(pango::SCALE);
        set_rgba(cr, colour);
        // A whole pixel for the baseline keeps the strokes sharp and all words on one line.
        cr.move_to(x, (middle + 0.34 * self.em).round() - baseline);
        pangocairo::functions::show_layout(cr, &self.layout);
    }
}
