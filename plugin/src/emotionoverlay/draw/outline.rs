//! The outline of a zone or line, tile by tile.

use super::canvas::{Error, Sprite, draw, set_colour, set_rgba};
use super::spec::OutlineSpec;
use crate::emotionoverlay::geometry::Rect;
use crate::emotionoverlay::theme::Rgba;

const DARK: Rgba = (0.0, 0.0, 0.0, 0.5);

/// Draws the part of an outline that lies in `tile`, a rectangle in its coordinates.
pub(super) fn paint(outline: &OutlineSpec, tile: Rect) -> Result<Sprite, Error> {
    draw(tile.size(), |cr| {
        cr.translate(-f64::from(tile.x), -f64::from(tile.y));
        cr.set_line_join(cairo::LineJoin::Round);
        cr.set_line_cap(cairo::LineCap::Round);
        for path in &outline.paths {
            cr.new_sub_path();
            for &(x, y) in &path.points {
                cr.line_to(f64::from(x), f64::from(y));
            }
            if path.is_closed {
                cr.close_path();
            }
        }
        if outline.dark > 0 {
            cr.set_line_width(f64::from(outline.stroke + 2 * outline.dark));
            set_rgba(cr, DARK);
            cr.stroke_preserve()?;
        }
        cr.set_line_width(f64::from(outline.stroke));
        set_colour(cr, outline.colour);
        cr.stroke()
    })
}
