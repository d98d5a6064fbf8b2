//! How a run went: loss, accuracy and learning rate by epoch.

use anyhow::{Result, ensure};
use plotters::prelude::*;

use super::axis::Axis;
use super::frame::{Below, LEFT, above, frame, legend};
use super::{Area, BLUE, FAINT_INK, FINE, GREEN, ORANGE, VERMILION, figure, headline, stroke};
use crate::log::{Epoch, Log};
use crate::recipe::Choice;

/// Width and height of the figure in pixels.
const SIZE: (i32, i32) = (860, 720);
/// From so many epochs the curves matter more than the single epoch.
const CROWDED: usize = 20;

/// The loss and the accuracy on training and validation faces and the learning rate, epoch by
/// epoch, as SVG; and the validation loss at the best temperature, where the log has it. The epochs
/// with the lowest validation loss and the highest validation accuracy are marked. Losses far above
/// most others are drawn on the upper edge, lest they flatten all the rest.
///
/// # Errors
///
/// When the log has no epoch.
pub fn curves(log: &Log, title: &str) -> Result<String> {
    ensure!(
        !log.is_empty(),
        "the log has no epochs, so there is nothing to draw"
    );
    figure(SIZE, |root| {
        headline(root, title, LEFT)?;
        let (_, below) = root.split_vertically(44 * FINE);
        let (loss, below) = below.split_vertically(270 * FINE);
        let (accuracy, rate) = below.split_vertically(250 * FINE);
        let last = log.epochs().iter().map(|row| row.epoch).max();
        let epochs = Axis::counting(last.unwrap_or(1), 12);
        loss_panel(log).draw(&loss, &epochs, log.epochs())?;
        accuracy_panel(log).draw(&accuracy, &epochs, log.epochs())?;
        rate_panel(log).draw(&rate, &epochs, log.epochs())
    })
}

/// One of the frames above another that share their epochs.
struct Panel {
    title: &'static str,
    note: String,
    lines: Vec<Line>,
    /// The epoch that the note speaks of, and its value.
    mark: Option<(usize, f64)>,
    axis: Axis,
    label: fn(&Axis, f64) -> String,
    /// Whether the epochs are numbered below it.
    is_last: bool,
}

struct Line {
    name: &'static str,
    colour: RGBColor,
    value: fn(&Epoch) -> f64,
}

fn loss_panel(log: &Log) -> Panel {
    let lowest = log.best(Choice::Loss);
    let mut note = lowest.map_or_else(String::new, |row| {
        let Epoch {
            val_loss, epoch, ..
        } = row;
        format!("lowest in validation: {val_loss:.4} in epoch {epoch}")
    });
    let losses = values(log, |epoch| {
        [epoch.loss, epoch.val_loss, calibrated_loss(epoch)]
    });
    let axis = loss_axis(&losses);
    let highest = losses[losses.len() - 1];
    if highest > axis.range.end {
        note += &format!("; highest: {highest:.2}");
    }
    let mut lines = train_and_validation(|epoch| epoch.loss, |epoch| epoch.val_loss);
    if log
        .epochs()
        .iter()
        .any(|epoch| calibrated_loss(epoch).is_finite())
    {
        lines.push(Line {
            name: "calibrated",
            colour: ORANGE,
            value: calibrated_loss,
        });
    }
    Panel {
        title: "loss",
        note,
        lines,
        mark: lowest.map(|epoch| (epoch.epoch, epoch.val_loss)),
        axis,
        label: Axis::label,
        is_last: false,
    }
}

/// NaN in logs that lack it.
fn calibrated_loss(epoch: &Epoch) -> f64 {
    epoch.val_loss_calibrated.unwrap_or(f64::NAN)
}

fn accuracy_panel(log: &Log) -> Panel {
    let highest = log.best(Choice::Accuracy);
    let values = values(log, |epoch| [100.0 * epoch.acc, 100.0 * epoch.val_acc]);
    let (low, high) = (values[0], values[values.len() - 1]);
    let room = (0.05 * (high - low)).max(0.5);
    Panel {
        title: "accuracy",
        note: highest.map_or_else(String::new, |epoch| {
            let percent = 100.0 * epoch.val_acc;
            format!(
                "highest in validation: {percent:.2} % in epoch {}",
                epoch.epoch
            )
        }),
        lines: train_and_validation(|epoch| 100.0 * epoch.acc, |epoch| 100.0 * epoch.val_acc),
        mark: highest.map(|epoch| (epoch.epoch, 100.0 * epoch.val_acc)),
        axis: Axis::new((low - room).max(0.0), (high + room).min(100.0), 7),
        label: |axis, tick| format!("{} %", axis.label(tick)),
        is_last: false,
    }
}

fn rate_panel(log: &Log) -> Panel {
    let rates = values(log, |epoch| [epoch.lr]);
    let highest = rates[rates.len() - 1];
    Panel {
        title: "learning rate",
        note: String::new(),
        lines: vec![Line {
            name: "",
            colour: GREEN,
            value: |epoch| epoch.lr,
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

fn train_and_validation(training: fn(&Epoch) -> f64, validation: fn(&Epoch) -> f64) -> Vec<Line> {
    vec![
        Line {
            name: "training",
            colour: BLUE,
            value: training,
        },
        Line {
            name: "validation",
            colour: VERMILION,
            value: validation,
        },
    ]
}

/// What some columns hold, in ascending order, numbers only.
fn values<const N: usize>(log: &Log, columns: impl Fn(&Epoch) -> [f64; N]) -> Vec<f64> {
    let mut values: Vec<f64> = log.epochs().iter().flat_map(columns).collect();
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    if values.is_empty() { vec![0.0] } else { values }
}

/// From the lowest of ascending losses to the highest; in a run of some length at most three times
/// as far as nine in ten reach, because it often begins with a loss far above all others.
fn loss_axis(losses: &[f64]) -> Axis {
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

impl Panel {
    fn draw(&self, area: &Area<'_>, epochs: &Axis, rows: &[Epoch]) -> Result<()> {
        let below = Below {
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
            let point = |row: &Epoch| (row.epoch as f64, within((line.value)(row)));
            let style = stroke(line.colour, 2.0);
            // A gap where a value is no number.
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
        above(area, self.title, &self.note)?;
        let names = self.lines.iter().map(|line| (line.name, line.colour));
        let names: Vec<_> = names.filter(|(name, _)| !name.is_empty()).collect();
        legend(area, &names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plots::testing::texts;

    fn log(epochs: usize) -> Log {
        let mut log = Log::default();
        for epoch in 1..=epochs {
            let decay = (-(epoch as f64) / 20.0).exp();
            log.push(Epoch {
                epoch,
                acc: 0.8 - 0.6 * decay,
                loss: 0.5 + 1.4 * decay,
                val_acc: 0.65 - 0.4 * decay,
                val_loss: 0.9 + decay,
                lr: 1e-3,
                ..Epoch::default()
            });
        }
        log
    }

    /// The number of points of each line of one colour.
    fn lines(svg: &str, colour: &str) -> Vec<usize> {
        let lines = svg.split("<polyline").skip(1);
        let lines = lines.filter(|line| line.contains(&format!("stroke=\"{colour}\"")));
        let points = |line: &str| {
            let points = line.split("points=\"").nth(1)?.split('"').next()?;
            Some(points.split_whitespace().count())
        };
        // Those of two points are the legend's.
        lines
            .filter_map(points)
            .filter(|&points| points != 2)
            .collect()
    }

    #[test]
    fn every_epoch_is_a_point_of_each_curve() {
        for epochs in [5, 60, 1000] {
            let svg = curves(&log(epochs), "run").unwrap();
            assert_eq!(lines(&svg, "#0072B2"), [epochs; 2]);
            assert_eq!(lines(&svg, "#D55E00"), [epochs; 2]);
            assert_eq!(lines(&svg, "#009E73"), [epochs]);
        }
    }

    #[test]
    fn a_single_epoch_is_a_dot_in_each_curve() {
        let svg = curves(&log(1), "run").unwrap();
        assert_eq!(svg.matches("<circle").count(), 5 + 2 * 2);
    }

    #[test]
    fn title_and_best_epochs_are_written_out() {
        let mut log = log(30);
        log.push(Epoch {
            epoch: 31,
            val_acc: 0.6425,
            val_loss: 2.0,
            ..log.epochs()[29]
        });
        let svg = curves(&log, "a run & its <curves>").unwrap();
        for text in [
            "a run &amp; its &lt;curves&gt;",
            "lowest in validation: 1.1231 in epoch 30",
            "highest in validation: 64.25 % in epoch 31",
        ] {
            assert!(svg.contains(text), "{text}");
        }
    }

    #[test]
    fn a_first_loss_far_above_the_others_does_not_flatten_them() {
        let mut wild = Log::default();
        for row in log(100).epochs() {
            let val_loss = if row.epoch == 1 { 50.0 } else { row.val_loss };
            wild.push(Epoch { val_loss, ..*row });
        }
        let axis = loss_panel(&wild).axis;
        assert!(axis.range.end < 4.0, "{axis:?}");
        let svg = curves(&wild, "run").unwrap();
        assert!(svg.contains("highest: 50.00"));
    }

    #[test]
    fn a_value_that_is_no_number_is_a_gap() {
        let mut broken = Log::default();
        for row in log(50).epochs() {
            let loss = if row.epoch == 31 { f64::NAN } else { row.loss };
            broken.push(Epoch { loss, ..*row });
        }
        let svg = curves(&broken, "run").unwrap();
        assert_eq!(lines(&svg, "#0072B2"), [30, 19, 50]);
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn the_calibrated_loss_is_a_curve_where_the_log_has_it() {
        let mut calibrated = Log::default();
        for row in log(30).epochs() {
            calibrated.push(Epoch {
                val_loss_calibrated: Some(0.9 * row.val_loss),
                ..*row
            });
        }
        let svg = curves(&calibrated, "run").unwrap();
        assert_eq!(lines(&svg, "#E69F00"), [30]);
        assert!(texts(&svg).contains(&"calibrated".to_owned()));
        let without = curves(&log(30), "run").unwrap();
        assert!(!texts(&without).contains(&"calibrated".to_owned()));
    }

    #[test]
    fn the_axis_reaches_the_last_epoch_of_a_log_that_begins_late() {
        let mut late = Log::default();
        for row in &log(40).epochs()[30..] {
            late.push(*row);
        }
        let texts = texts(&curves(&late, "run").unwrap());
        assert!(texts.contains(&"40".to_owned()), "{texts:?}");
    }

    #[test]
    fn an_empty_log_is_an_error() {
        assert!(curves(&Log::default(), "run").is_err());
    }
}
