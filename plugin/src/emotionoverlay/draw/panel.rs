//! Bars with the probabilities of all emotions.

use super::super::dimensions::PanelScale;
use super::{
    Bar, Drawing, Painter, Panel, Size, TRACK, draw, rounded_rectangle, set_colour, set_rgba,
};

impl Painter<'_> {
    pub(super) fn paint_panel(&self, panel: &Panel) -> Result<Drawing, cairo::Error> {
        let Panel {
            scale, mirrored, ..
        } = *panel;
        let size = scale.size();
        let em = f64::from(scale.em);
        let bars = scale.bars(super::Rect::at(0, 0, size), mirrored);
        draw(size, |cr| {
            self.plate(cr, size, em)?;
            for (i, name) in panel.names.iter().enumerate() {
                let middle = f64::from(bars.y) + middle(i, &scale);
                let (weight, colour) = if panel.best == Some(i) {
                    (pango::Weight::Bold, self.theme.text)
                } else {
                    (pango::Weight::Normal, self.theme.quiet_text)
                };
                if let Some(mut name) = self.text(name, scale.em, weight) {
                    let padding = f64::from(scale.padding());
                    name.squeeze(f64::from(scale.names) - em * 0.3);
                    let x = if mirrored {
                        f64::from(size.width) - padding - name.width
                    } else {
                        padding
                    };
                    name.show(cr, x, middle, colour);
                }
                bar(cr, f64::from(bars.x), middle, &scale);
                set_rgba(cr, TRACK);
                cr.fill()?;
            }
            Ok(())
        })
    }

    pub(super) fn paint_bars(
        &self,
        bars: &[Bar],
        scale: &PanelScale,
        mirrored: bool,
    ) -> Result<Drawing, cairo::Error> {
        let size = Size {
            width: scale.length(),
            height: scale.rows * scale.row_height(),
        };
        draw(size, |cr| {
            for (i, row) in bars.iter().enumerate().filter(|(_, row)| row.filled > 0) {
                // The bar is cut out of the rounded track, so that a short one has the same end.
                let middle = middle(i, scale);
                cr.save()?;
                bar(cr, 0.0, middle, scale);
                cr.clip();
                let thickness = f64::from(scale.thickness());
                let filled = f64::from(row.filled);
                let x = if mirrored {
                    f64::from(size.width) - filled
                } else {
                    -thickness
                };
                let y = (middle - thickness / 2.0).round();
                rounded_rectangle(cr, x, y, filled + thickness, thickness, thickness / 2.0);
                set_colour(cr, row.colour);
                cr.fill()?;
                cr.restore()?;
            }
            Ok(())
        })
    }
}

/// Height of a row's middle below the first row's top.
fn middle(row: usize, scale: &PanelScale) -> f64 {
    (row as f64 + 0.5) * f64::from(scale.row_height())
}

/// The path of a whole bar.
fn bar(cr: &cairo::Context, x: f64, middle: f64, scale: &PanelScale) {
    let thickness = f64::from(scale.thickness());
    let y = (middle - thickness / 2.0).round();
    rounded_rectangle(
        cr,
        x,
        y,
        f64::from(scale.length()),
        thickness,
        thickness / 2.0,
    );
}
