//! Shaped lines of text.

use super::super::theme::Rgba;
use super::{Painter, set_rgba};

/// A line of shaped text.
pub(super) struct Text {
    layout: pango::Layout,
    pub(super) width: f64,
    em: f64,
}

/// Whether a text runs from right to left.
pub(in super::super) fn runs_leftwards(text: &str) -> bool {
    matches!(
        pango::find_base_dir(text),
        pango::Direction::Rtl | pango::Direction::WeakRtl
    )
}

impl Painter<'_> {
    /// Width of a text in pixels, rounded up; 0 if no font has any of its letters.
    pub(in super::super) fn width_of(&self, text: &str, em: i32) -> i32 {
        let text = self.text(text, em, pango::Weight::Bold);
        text.map_or(0, |text| text.width.ceil() as i32)
    }

    /// None if no font has any of the letters.
    pub(super) fn text(&self, text: &str, em: i32, weight: pango::Weight) -> Option<Text> {
        let mut font = pango::FontDescription::new();
        font.set_family(self.family);
        font.set_absolute_size(f64::from(em * pango::SCALE));
        font.set_weight(weight);
        let layout = pango::Layout::new(self.context());
        layout.set_font_description(Some(&font));
        layout.set_single_paragraph_mode(true);
        layout.set_text(text);
        let unknown = layout.unknown_glyphs_count();
        if unknown > 0 && unknown == layout.character_count() {
            self.lacks_font.set(true);
            return None;
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
                // Letters keep their distances whatever fraction of a pixel they start at.
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
    pub(super) fn squeeze(&mut self, width: f64) {
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
