//! Bars with the probabilities of all emotions, and the plate below them.

use super::canvas::{Error, Sprite, TRACK, draw, rounded_rectangle, set_colour, set_rgba};
use super::painter::Painter;
use super::spec::{Bar, PanelSpec};
use crate::emotionoverlay::dimensions::PanelDimensions;
use crate::emotionoverlay::geometry::Rect;

impl Painter<'_> {
    pub(super) fn paint_panel(&self, panel: &PanelSpec) -> Result<Sprite, Error> {
        let PanelSpec {
            dimensions,
            mirrored,
            ..
        } = *panel;
        let size = dimensions.size();
        let em = f64::from(dimensions.em);
        let bars = dimensions.bars_area(Rect::at(0, 0, size), mirrored);
        draw(size, |cr| {
            self.plate(cr, size, em)?;
            for (i, name) in panel.names.iter().enumerate() {
                let middle = f64::from(bars.y) + row_middle(i, &dimensions);
                let (weight, colour) = if panel.best == Some(i) {
                    (pango::Weight::Bold, self.theme.text)
                } else {
                    (pango::Weight::Normal, self.theme.quiet_text)
                };
                if let Some(mut name) = self.text(name, dimensions.em, weight) {
                    let padding = f64::from(dimensions.padding());
                    name.ellipsize(f64::from(dimensions.names) - em * 0.3);
                    let x = if mirrored {
                        f64::from(size.width) - padding - name.width
                    } else {
                        padding
                    };
                    name.show(cr, x, middle, colour);
                }
                track(cr, f64::from(bars.x), middle, &dimensions);
                set_rgba(cr, TRACK);
                cr.fill()?;
            }
            Ok(())
        })
    }

    pub(super) fn paint_bars(
        &self,
        bars: &[Bar],
        dimensions: &PanelDimensions,
        mirrored: bool,
    ) -> Result<Sprite, Error> {
        let size = dimensions.bars_size();
        draw(size, |cr| {
            for (i, bar) in bars.iter().enumerate().filter(|(_, bar)| bar.filled > 0) {
                // The bar is cut out of the rounded track, so that a short one has the same end.
                let middle = row_middle(i, dimensions);
                cr.save()?;
                track(cr, 0.0, middle, dimensions);
                cr.clip();
                let thickness = f64::from(dimensions.bar_thickness());
                let filled = f64::from(bar.filled);
                let x = if mirrored {
                    f64::from(size.width) - filled
                } else {
                    -thickness
                };
                let y = (middle - thickness / 2.0).round();
                rounded_rectangle(cr, x, y, filled + thickness, thickness, thickness / 2.0);
                set_colour(cr, bar.colour);
                cr.fill()?;
                cr.restore()?;
            }
            Ok(())
        })
    }
}

/// Height of a row's middle below the first row's top.
fn row_middle(row: usize, dimensions: &PanelDimensions) -> f64 {
    (row as f64 + 0.5) * f64::from(dimensions.row_height())
}

/// The path of a full bar.
fn track(cr: &cairo::Context, x: f64, middle: f64, dimensions: &PanelDimensions) {
    let thickness = f64::from(dimensions.bar_thickness());
    let length = f64::from(dimensions.bar_length());
    let y = (middle - thickness / 2.0).round();
    rounded_rectangle(cr, x, y, length, thickness, thickness / 2.0);
}
