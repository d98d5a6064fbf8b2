//! A strip with the latest emotions of a face.

use super::canvas::{Error, Sprite, TRACK, draw, set_colour, set_rgba};
use super::painter::Painter;
use crate::emotionoverlay::geometry::Size;
use crate::emotionoverlay::palette::Colour;
use crate::emotionoverlay::timeline::CELLS;

/// The size of a timeline beside letters of the height `em`.
pub(crate) fn timeline_size(em: i32) -> Size {
    let border = border(em);
    Size {
        width: CELLS as i32 * cell(em) + 2 * border,
        height: (em * 2 / 5).max(4) + 2 * border,
    }
}

fn cell(em: i32) -> i32 {
    (em / 4).max(2)
}

fn border(em: i32) -> i32 {
    (em / 8).max(2)
}

impl Painter<'_> {
    pub(super) fn paint_timeline(
        &self,
        cells: &[Option<Colour>],
        em: i32,
    ) -> Result<Sprite, Error> {
        let size = timeline_size(em);
        let (border, cell) = (f64::from(border(em)), f64::from(cell(em)));
        let height = f64::from(size.height) - 2.0 * border;
        draw(size, |cr| {
            self.plate(cr, size, f64::from(em) * 0.5)?;
            for (i, colour) in cells.iter().enumerate() {
                match colour {
                    Some(colour) => set_colour(cr, *colour),
                    None => set_rgba(cr, TRACK),
                }
                cr.rectangle(border + i as f64 * cell, border, cell, height);
                cr.fill()?;
            }
            Ok(())
        })
    }
}
