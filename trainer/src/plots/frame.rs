//! A frame with axes, a title and a legend.

use anyhow::Result;
use plotters::coord::cartesian::Cartesian2d;
use plotters::prelude::*;

use super::axis::Axis;
use super::{Area, FAINT_INK, FINE, GRID, INK, bold, centred, letters, stroke};

/// Pixels to the left of a frame, for the labels.
pub(crate) const LEFT: i32 = 64;
/// Pixels to the right of a frame.
pub(crate) const RIGHT: i32 = 24;
/// Pixels above a frame, for title and legend.
const HEADER: i32 = 34;
/// Pixels below a frame without and with labels.
const FOOTER: [i32; 2] = [6, 48];

/// The coordinate system in a frame.
pub(crate) type Chart<'a, 'svg> = ChartContext<'a, SVGBackend<'svg>, Cartesian2d<Axis, Axis>>;

/// The labels of the horizontal axis.
pub(crate) struct XLabels<'a> {
    /// Title of the axis.
    pub(crate) title: &'a str,
    /// Label of a tick.
    pub(crate) label: &'a dyn Fn(f64) -> String,
}

/// A frame that fills the area, with labels on the left and optionally below.
pub(crate) fn frame<'a, 'svg>(
    area: &'a Area<'svg>,
    x: &Axis,
    y: &Axis,
    y_label: &dyn Fn(f64) -> String,
    below: Option<XLabels<'_>>,
) -> Result<Chart<'a, 'svg>> {
    const NUMBERS: i32 = 22;
    let numbers = if below.is_some() { NUMBERS } else { 0 };
    let footer = FOOTER[usize::from(below.is_some())];
    let mut chart = ChartBuilder::on(area)
        .margin_top(HEADER * FINE)
        .margin_right(RIGHT * FINE)
        .margin_bottom((footer - numbers) * FINE)
        .set_label_area_size(LabelAreaPosition::Left, LEFT * FINE)
        .set_label_area_size(LabelAreaPosition::Bottom, numbers * FINE)
        .build_cartesian_2d(x.clone(), y.clone())?;
    let nothing = |_| String::new();
    let x_label = below
        .as_ref()
        .map_or(&nothing as &dyn Fn(f64) -> String, |below| below.label);
    chart
        .configure_mesh()
        .bold_line_style(stroke(GRID, 1.0))
        .axis_style(stroke(FAINT_INK, 1.0))
        .label_style(letters(12.0, INK))
        .set_all_tick_mark_size(4 * FINE)
        .x_label_formatter(&|&tick| x_label(tick))
        .y_label_formatter(&|&tick| y_label(tick))
        .draw()?;
    if let Some(below) = below {
        let (width, height) = area.dim_in_pixel();
        let middle = (width as i32 + (LEFT - RIGHT) * FINE) / 2;
        let style = centred(letters(13.0, INK));
        area.draw_text(below.title, &style, (middle, height as i32 - 14 * FINE))?;
    }
    Ok(chart)
}

/// The title of a frame and a note beside it.
pub(crate) fn header(area: &Area<'_>, title: &str, note: &str) -> Result<()> {
    let y = (HEADER - 14) * FINE;
    area.draw_text(title, &bold(letters(14.0, INK)), (LEFT * FINE, y))?;
    /// Approximate width of a bold letter; the exact one depends on the viewer's font.
    const LETTER: i32 = 8;
    let beside = LEFT + 20 + LETTER * title.chars().count() as i32;
    area.draw_text(note, &letters(13.0, FAINT_INK), (beside * FINE, y))?;
    Ok(())
}

/// The legend, at the right end of the header.
pub(crate) fn legend(area: &Area<'_>, entries: &[(&str, RGBColor)]) -> Result<()> {
    const ENTRY: i32 = 106;
    let y = (HEADER - 14) * FINE;
    let right = area.dim_in_pixel().0 as i32 / FINE - RIGHT;
    for (index, (name, colour)) in entries.iter().enumerate() {
        let x = right - ENTRY * (entries.len() - index) as i32;
        let dash = [(x * FINE, y), ((x + 22) * FINE, y)];
        area.draw(&PathElement::new(dash, stroke(*colour, 3.0)))?;
        area.draw_text(name, &letters(13.0, INK), ((x + 28) * FINE, y))?;
    }
    Ok(())
}
