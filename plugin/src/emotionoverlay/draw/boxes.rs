//! The line around a face, piece by piece.

use super::canvas::{Error, Sprite, draw, rounded_rectangle, set_colour, set_rgba};
use crate::emotionoverlay::dimensions::{BoxLine, BoxPart};
use crate::emotionoverlay::geometry::Size;
use crate::emotionoverlay::palette::Colour;
use crate::emotionoverlay::theme::{BoxForm, Rgba};

const OUTLINE: Rgba = (0.0, 0.0, 0.0, 0.5);

/// Draws a piece of the given size.
pub(super) fn paint(
    part: BoxPart,
    size: Size,
    line: &BoxLine,
    colour: Colour,
) -> Result<Sprite, Error> {
    draw(size, |cr| {
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        match part {
            BoxPart::Whole => frame(cr, width, height, line, colour),
            BoxPart::Corner { right, bottom } => {
                // The corner of a box so large that its other corners lie outside the sprite.
                let side = f64::from(4 * line.corner.max(line.width()));
                cr.translate(
                    if right { width - side } else { 0.0 },
                    if bottom { height - side } else { 0.0 },
                );
                if line.form == BoxForm::Brackets {
                    clip_to_bracket(cr, right, bottom, side, line);
                }
                frame(cr, side, side, line, colour)
            }
            BoxPart::Edge { upright } => {
                cr.rectangle(0.0, 0.0, width, height);
                set_rgba(cr, OUTLINE);
                cr.fill()?;
                let outline = f64::from(line.outline);
                let (x, y) = if upright {
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

/// Draws a dot with a dark outline, so that it shows on any skin.
pub(super) fn paint_dot(side: i32, colour: Colour) -> Result<Sprite, Error> {
    let size = Size {
        width: side,
        height: side,
    };
    draw(size, |cr| {
        let middle = f64::from(side) / 2.0;
        let disc = |radius: f64| cr.arc(middle, middle, radius, 0.0, std::f64::consts::TAU);
        disc(middle);
        set_rgba(cr, OUTLINE);
        cr.fill()?;
        disc(middle * 0.7);
        set_colour(cr, colour);
        cr.fill()
    })
}

/// Draws the outline at the two ends of a bracket and clips to what lies between them.
fn clip_to_bracket(cr: &cairo::Context, right: bool, bottom: bool, side: f64, line: &BoxLine) {
    let (arm, outline) = (f64::from(line.corner), f64::from(line.outline));
    let inner = arm - outline;
    let thickness = f64::from(line.width());
    let start = |is_far: bool, length: f64| if is_far { side - length } else { 0.0 };
    let end = |is_far: bool| if is_far { side - arm } else { inner };
    set_rgba(cr, OUTLINE);
    cr.rectangle(end(right), start(bottom, thickness), outline, thickness);
    cr.rectangle(start(right, thickness), end(bottom), thickness, outline);
    // A path of nothing but whole pixels cannot fail to fill; `draw` checks the status of the surface at the end.
    let _ = cr.fill();
    cr.rectangle(start(right, inner), start(bottom, inner), inner, inner);
    cr.clip();
}

/// Draws the whole line of a box.
fn frame(
    cr: &cairo::Context,
    width: f64,
    height: f64,
    line: &BoxLine,
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

/// The path of the area between two distances from the border of a box.
fn ring(cr: &cairo::Context, width: f64, height: f64, line: &BoxLine, outer: f64, inner: f64) {
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
