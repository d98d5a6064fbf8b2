//! Stacked panels with the columns of a log over the epochs.

use anyhow::{Result, ensure};
use plotters::prelude::*;

use super::axis::Axis;
use super::frame::{LEFT, XLabels, frame, header, legend};
use super::{Area, FAINT_INK, FINE, GREEN, VERMILION, figure, headline, stroke};
use crate::run::log::{Log, LogRow};

/// Width and height of the figure in pixels.
const SIZE: (i32, i32) = (860, 720);
/// With fewer epochs, each one is marked by a dot.
const CROWDED: usize = 20;

/// The figure of three panels, from top to bottom.
///
/// # Errors
///
/// When the log has no epoch.
pub(crate) fn stacked<R: LogRow>(
    log: &Log<R>,
    title: &str,
    panels: impl FnOnce(&Log<R>) -> [PlotPanel<R>; 3],
) -> Result<String> {
    ensure!(
        !log.is_empty(),
        "the log has no epochs, so there is nothing to draw"
    );
    let [upper, middle, lower] = panels(log);
    figure(SIZE, |root| {
        headline(root, title, LEFT)?;
        let (_, below) = root.split_vertically(44 * FINE);
        let (first, below) = below.split_vertically(270 * FINE);
        let (second, third) = below.split_vertically(250 * FINE);
        let last = log.epochs().iter().map(LogRow::epoch).max();
        let epochs = Axis::counting(last.unwrap_or(1), 12);
        upper.draw(&first, &epochs, log.epochs())?;
        middle.draw(&second, &epochs, log.epochs())?;
        lower.draw(&third, &epochs, log.epochs())
    })
}

/// One of the stacked panels.
pub(crate) struct PlotPanel<R> {
    pub(crate) title: &'static str,
    pub(crate) note: String,
    pub(crate) lines: Vec<PlotLine<R>>,
    /// The epoch in the note, and its value.
    pub(crate) mark: Option<(usize, f64)>,
    pub(crate) axis: Axis,
    pub(crate) label: fn(&Axis, f64) -> String,
    /// Whether epochs are labelled below it.
    pub(crate) is_last: bool,
}

pub(crate) struct PlotLine<R> {
    pub(crate) name: &'static str,
    pub(crate) colour: RGBColor,
    pub(crate) value: fn(&R) -> f64,
}

/// The panel of the learning rate, which is the last one.
pub(crate) fn rate_panel<R: LogRow>(log: &Log<R>, rate: fn(&R) -> f64) -> PlotPanel<R> {
    let rates = values(log, |row| [rate(row)]);
    let highest = rates[rates.len() - 1];
    PlotPanel {
        title: "learning rate",
        note: String::new(),
        lines: vec![PlotLine {
            name: "",
            colour: GREEN,
            value: rate,
        }],
        mark: None,
        axis: Axis::new(0.0, 1.1 * highest, 4),
        label: |_, tick| {
            if tick == 0.0 {
                return "0".to_owned();
            }
            format!("{tick:.1e}").replace(".0e", "e")
        },
        is_last: true,
    }
}

/// The finite values of some columns in ascending order.
pub(crate) fn values<R: LogRow, const N: usize>(
    log: &Log<R>,
    columns: impl Fn(&R) -> [f64; N],
) -> Vec<f64> {
    let mut values: Vec<f64> = log.epochs().iter().flat_map(columns).collect();
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    if values.is_empty() { vec![0.0] } else { values }
}

/// From the lowest of ascending losses to the highest. In longer runs it ends at three times the range of the lower 90 %,
/// because the first losses are often far above all others.
pub(crate) fn loss_axis(losses: &[f64]) -> Axis {
    let (low, highest) = (losses[0], losses[losses.len() - 1]);
    let most = losses[(losses.len() - 1) * 9 / 10];
    let high = if losses.len() >= 2 * CROWDED && most > low {
        highest.min(low + 3.0 * (most - low))
    } else {
        highest
    };
    let room = 0.05 * (high - low);
    Axis::new((low - room).max(0.0), high + room, 7)
}

impl<R: LogRow> PlotPanel<R> {
    fn draw(&self, area: &Area<'_>, epochs: &Axis, rows: &[R]) -> Result<()> {
        let below = XLabels {
            title: "epoch",
            label: &|epoch| format!("{epoch:.0}"),
        };
        let y_label = |tick| (self.label)(&self.axis, tick);
        let below = self.is_last.then_some(below);
        let mut chart = frame(area, epochs, &self.axis, &y_label, below)?;
        let within = |value: f64| value.clamp(self.axis.range.start, self.axis.range.end);
        if let Some((epoch, value)) = self.mark {
            let x = epoch as f64;
            let bottom = self.axis.range.start;
            let post = [(x, bottom), (x, within(value))];
            let dash = 4 * FINE;
            chart.draw_series(DashedLineSeries::new(
                post,
                dash,
                dash,
                stroke(FAINT_INK, 1.0),
            ))?;
        }
        for line in &self.lines {
            let point = |row: &R| (row.epoch() as f64, within((line.value)(row)));
            let style = stroke(line.colour, 2.0);
            // Values that are not finite leave a gap.
            for part in rows.split(|row| !(line.value)(row).is_finite()) {
                chart.draw_series(LineSeries::new(part.iter().map(point), style))?;
                if rows.len() < CROWDED {
                    let dot = |row| Circle::new(point(row), 3 * FINE, line.colour.filled());
                    chart.draw_series(part.iter().map(dot))?;
                }
            }
        }
        if let Some((epoch, value)) = self.mark {
            let place = (epoch as f64, within(value));
            let ring = |size, colour: RGBColor| Circle::new(place, size * FINE, colour.filled());
            chart.draw_series([ring(7, WHITE), ring(5, VERMILION)])?;
        }
        header(area, self.title, &self.note)?;
        let names = self.lines.iter().map(|line| (line.name, line.colour));
        let names: Vec<_> = names.filter(|(name, _)| !name.is_empty()).collect();
        legend(area, &names)
    }
}
