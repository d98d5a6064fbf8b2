//! Pictures of boxes, labels and bars, drawn with cairo and pango as premultiplied native-endian ARGB.

use std::cell::Cell;
use std::f64::consts::{FRAC_PI_2, PI, TAU};

use super::layout::{self, Rect, Scale, Size};
use super::palette::Colour;

/// What can be drawn: all that determines the pixels, so that it serves as the key of a cache.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Sprite {
    /// One of the [`layout::box_parts`] of a box.
    BoxPart {
        size: Size,
        part: Rect,
        scale: Scale,
        colour: Colour,
    },
    /// The name of an emotion on a plate, with a dot in its colour.
    Label {
        text: String,
        percent: Option<u8>,
        em: i32,
        colour: Colour,
    },
    /// The probabilities of all emotions.
    Panel(Panel),
}

/// A plate with a bar per label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Panel {
    pub(super) rows: Vec<Bar>,
    /// Index of the row that is emphasised.
    pub(super) best: usize,
    pub(super) em: i32,
}

impl Panel {
    /// The size that the panel will have when it is drawn.
    pub(super) fn size(&self) -> Size {
        layout::bars_size(self.em, self.rows.len())
    }
}

/// A row of a [`Panel`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Bar {
    pub(super) name: String,
    /// Filled part in pixels, up to [`layout::bars_length`].
    pub(super) filled: i32,
    pub(super) colour: Colour,
}

/// A drawn sprite.
pub(super) struct Drawing {
    pub(super) size: Size,
    /// Bytes from one row of pixels to the next.
    pub(super) stride: i32,
    pub(super) pixels: cairo::ImageSurfaceDataOwned,
}

/// Draws sprites with the fonts of the machine. Belongs to one thread, as pango's objects do, and costs little to make:
/// the loaded fonts stay with the thread.
pub(super) struct Painter {
    context: pango::Context,
    font: pango::FontDescription,
    lacks_font: Cell<bool>,
}

const PLATE: (f64, f64, f64, f64) = (0.055, 0.065, 0.085, 0.78);
const OUTLINE: (f64, f64, f64, f64) = (0.0, 0.0, 0.0, 0.45);
const TRACK: (f64, f64, f64, f64) = (1.0, 1.0, 1.0, 0.14);
const TEXT: (f64, f64, f64, f64) = (1.0, 1.0, 1.0, 1.0);
const QUIET_TEXT: (f64, f64, f64, f64) = (1.0, 1.0, 1.0, 0.78);

impl Painter {
    /// A painter for a font family; fontconfig finds the nearest if there is none of that name.
    pub(super) fn new(family: &str) -> Self {
        let map = pangocairo::FontMap::default();
        let context = pango::prelude::FontMapExt::create_context(&map);
        let mut options = cairo::FontOptions::new().ok();
        if let Some(options) = &mut options {
            // Letters keep their distances whatever fraction of a pixel they start at.
            options.set_hint_metrics(cairo::HintMetrics::Off);
            options.set_antialias(cairo::Antialias::Gray);
        }
        pangocairo::functions::context_set_font_options(&context, options.as_ref());
        let mut font = pango::FontDescription::new();
        font.set_family(family);
        Self {
            context,
            font,
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
                size,
                part,
                scale,
                colour,
            } => paint_box_part(*size, *part, scale, *colour),
            Sprite::Label {
                text,
                percent,
                em,
                colour,
            } => self.paint_label(text, *percent, *em, *colour),
            Sprite::Panel(panel) => self.paint_panel(panel),
        }
    }

    fn paint_label(
        &self,
        text: &str,
        percent: Option<u8>,
        em: i32,
        colour: Colour,
    ) -> Result<Drawing, cairo::Error> {
        let name = self.text(text, em, pango::Weight::Bold);
        let percent = percent.and_then(|p| self.text(&format!("{p} %"), em, pango::Weight::Normal));
        let em = f64::from(em);
        let padding = em * 0.5;
        let dot = em * 0.3;

        let name_x = padding + 2.0 * dot + em * 0.4;
        let name_end = name_x + name.as_ref().map_or(-em * 0.4, |name| name.width);
        let percent_x = name_end + em * 0.35;
        let end = percent
            .as_ref()
            .map_or(name_end, |percent| percent_x + percent.width);
        let size = Size {
            width: (end + padding).ceil() as i32,
            height: (em * 1.55).round() as i32,
        };
        let middle = f64::from(size.height) / 2.0;

        draw(size, |cr| {
            plate(cr, size, em * 0.35)?;
            cr.arc(padding + dot, middle, dot, 0.0, TAU);
            set_colour(cr, colour);
            cr.fill()?;
            if let Some(name) = &name {
                name.show(cr, name_x, middle, TEXT);
            }
            if let Some(percent) = &percent {
                percent.show(cr, percent_x, middle, QUIET_TEXT);
            }
            Ok(())
        })
    }

    fn paint_panel(&self, panel: &Panel) -> Result<Drawing, cairo::Error> {
        let size = panel.size();
        let em = panel.em;
        let padding = f64::from(layout::bars_padding(em));
        let row_height = f64::from(layout::bars_row_height(em));
        let name_width = f64::from(layout::bars_name_width(em));
        let length = f64::from(layout::bars_length(em));
        let thickness = (f64::from(em) * 0.5).round().max(2.0);

        draw(size, |cr| {
            plate(cr, size, f64::from(em) * 0.45)?;
            for (i, row) in panel.rows.iter().enumerate() {
                let middle = padding + (i as f64 + 0.5) * row_height;
                let (weight, text_colour) = if i == panel.best {
                    (pango::Weight::Bold, TEXT)
                } else {
                    (pango::Weight::Normal, QUIET_TEXT)
                };
                if let Some(name) = self.text(&row.name, em, weight) {
                    name.squeeze(name_width - f64::from(em) * 0.3);
                    name.show(cr, padding, middle, text_colour);
                }
                let x = padding + name_width;
                let y = (middle - thickness / 2.0).round();
                rounded_rectangle(cr, x, y, length, thickness, thickness / 2.0);
                set_rgba(cr, TRACK);
                cr.fill()?;
                if row.filled > 0 {
                    // The bar is cut out of the rounded track, so that a short one has the same end.
                    cr.save()?;
                    rounded_rectangle(cr, x, y, length, thickness, thickness / 2.0);
                    cr.clip();
                    let filled = f64::from(row.filled);
                    rounded_rectangle(
                        cr,
                        x - thickness,
                        y,
                        filled + thickness,
                        thickness,
                        thickness / 2.0,
                    );
                    set_colour(cr, row.colour);
                    cr.fill()?;
                    cr.restore()?;
                }
            }
            Ok(())
        })
    }

    /// None if no font has any of the letters.
    fn text(&self, text: &str, em: i32, weight: pango::Weight) -> Option<Text> {
        let mut font = self.font.clone();
        font.set_absolute_size(f64::from(em * pango::SCALE));
        font.set_weight(weight);
        let layout = pango::Layout::new(&self.context);
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
}

/// A line of shaped text.
struct Text {
    layout: pango::Layout,
    width: f64,
    em: f64,
}

impl Text {
    /// Ends a text that is longer than `width` with an ellipsis.
    fn squeeze(&self, width: f64) {
        if self.width > width {
            self.layout
                .set_width((width * f64::from(pango::SCALE)) as i32);
            self.layout.set_ellipsize(pango::EllipsizeMode::End);
        }
    }

    /// Shows the text with the middle of its small letters at the height `middle`.
    fn show(&self, cr: &cairo::Context, x: f64, middle: f64, colour: (f64, f64, f64, f64)) {
        let baseline = f64::from(self.layout.baseline()) / f64::from(pango::SCALE);
        set_rgba(cr, colour);
        // A whole pixel for the baseline keeps the strokes sharp and all words on one line.
        cr.move_to(x, (middle + 0.34 * self.em).round() - baseline);
        pangocairo::functions::show_layout(cr, &self.layout);
    }
}

fn paint_box_part(
    size: Size,
    part: Rect,
    scale: &Scale,
    colour: Colour,
) -> Result<Drawing, cairo::Error> {
    draw(part.size(), |cr| {
        cr.translate(-f64::from(part.x), -f64::from(part.y));
        cr.set_fill_rule(cairo::FillRule::EvenOdd);
        let (outline, line) = (f64::from(scale.outline), f64::from(scale.line()));
        ring(cr, size, scale, 0.0, line);
        set_rgba(cr, OUTLINE);
        cr.fill()?;
        ring(cr, size, scale, outline, line - outline);
        set_colour(cr, colour);
        cr.fill()
    })
}

/// The path of what lies between two distances from the border of a box.
fn ring(cr: &cairo::Context, size: Size, scale: &Scale, outer: f64, inner: f64) {
    for inset in [outer, inner] {
        let width = f64::from(size.width) - 2.0 * inset;
        let height = f64::from(size.height) - 2.0 * inset;
        if width > 0.0 && height > 0.0 {
            let radius = f64::from(scale.corner) - inset;
            let radius = radius.min(width / 2.0).min(height / 2.0).max(0.0);
            rounded_rectangle(cr, inset, inset, width, height, radius);
        }
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
    })
}

fn plate(cr: &cairo::Context, size: Size, radius: f64) -> Result<(), cairo::Error> {
    rounded_rectangle(
        cr,
        0.0,
        0.0,
        f64::from(size.width),
        f64::from(size.height),
        radius,
    );
    set_rgba(cr, PLATE);
    cr.fill()
}

fn rounded_rectangle(cr: &cairo::Context, x: f64, y: f64, width: f64, height: f64, radius: f64) {
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

fn set_rgba(cr: &cairo::Context, (r, g, b, a): (f64, f64, f64, f64)) {
    cr.set_source_rgba(r, g, b, a);
}
