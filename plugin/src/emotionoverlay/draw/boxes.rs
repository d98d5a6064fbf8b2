//! The line around a face, piece by piece.

use super::super::dimensions::{Line, Part};
use super::super::geometry::Size;
use super::super::palette::Colour;
use super::super::theme::{BoxForm, Rgba};
use super::{Drawing, draw, rounded_rectangle, set_colour, set_rgba};

const OUTLINE: Rgba = (0.0, 0.0, 0.0, 0.5);

/// Draws the piece of the given size.
pub(super) fn paint(
    part: Part,
    size: Size,
    line: &Line,
    colour: Colour,
) -> Result<Drawing, cairo::Error> {
    draw(size, |cr| {
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        match part {
            Part::Whole => frame(cr, width, height, line, colour),
            Part::Corner { right, bottom } => {
                // The corner of a box so large that nothing of its other corners is seen.
                let side = f64::from(4 * line.corner.max(line.width()));
                cr.translate(
                    if right { width - side } else { 0.0 },
                    if bottom { height - side } else { 0.0 },
                );
                if line.form == BoxForm::Brackets {
                    cap(cr, right, bottom, side, line);
                }
                frame(cr, side, side, line, colour)
            }
            Part::Edge { .. } => {
                cr.rectangle(0.0, 0.0, width, height);
                set_rgba(cr, OUTLINE);
                cr.fill()?;
                let outline = f64::from(line.outline);
                let (x, y) = if part == (Part::Edge { upright: true }) {
                    (outline, 0.0)
                } else {
                    (0.0, outline)
                };
                cr.rectangle(x, y, width - 2.0 * x, height - 2.0 * y);
                set_colour(cr, colour);
                cr.fill()
            }
        }
    })
}

/// Leaves the ends of a bracket their outline too.
fn cap(cr: &cairo::Context, right: bool, bottom: bool, side: f64, line: &Line) {
    let (arm, outline) = (f64::from(line.corner), f64::from(line.outline));
    let inner = arm - outline;
    let x = if right { side - inner } else { 0.0 };
    let y = if bottom { side - inner } else { 0.0 };
    let (end_x, end_y) = (
        if right { side - arm } else { 0.0 },
        if bottom { side - arm } else { 0.0 },
    );
    let thickness = f64::from(line.width());
    // First the dark ends, then only what lies within them is left to be drawn.
    set_rgba(cr, OUTLINE);
    let (far_x, far_y) = (
        if right { end_x } else { inner },
        if bottom { end_y } else { inner },
    );
    let top = if bottom { side - thickness } else { 0.0 };
    let left = if right { side - thickness } else { 0.0 };
    cr.rectangle(far_x, top, outline, thickness);
    cr.rectangle(left, far_y, thickness, outline);
    // A path of nothing but whole pixels cannot fail to fill; the surface's status is asked at the end.
    let _ = cr.fill();
    cr.rectangle(x, y, inner, inner);
    cr.clip();
}

/// The whole line of a box.
fn frame(
    cr: &cairo::Context,
    width: f64,
    height: f64,
    line: &Line,
    colour: Colour,
) -> Result<(), cairo::Error> {
    cr.set_fill_rule(cairo::FillRule::EvenOdd);
    let (outline, thickness) = (f64::from(line.outline), f64::from(line.width()));
    if line.outline > 0 {
        ring(cr, width, height, line, 0.0, thickness);
        set_rgba(cr, OUTLINE);
        cr.fill()?;
    }
    ring(cr, width, height, line, outline, thickness - outline);
    set_colour(cr, colour);
    cr.fill()
}

/// The path of what lies between two distances from the border of a box.
fn ring(cr: &cairo::Context, width: f64, height: f64, line: &Line, outer: f64, inner: f64) {
    let corner = match line.form {
        BoxForm::Rounded => f64::from(line.corner),
        BoxForm::Square | BoxForm::Brackets => 0.0,
    };
    for inset in [outer, inner] {
        let (width, height) = (width - 2.0 * inset, height - 2.0 * inset);
        if width > 0.0 && height > 0.0 {
            let radius = (corner - inset).min(width / 2.0).min(height / 2.0);
            rounded_rectangle(cr, inset, inset, width, height, radius);
        }
    }
}
