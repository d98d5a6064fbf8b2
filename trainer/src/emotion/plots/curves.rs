//! Curves of an emotion network's run.

use anyhow::Result;

use crate::emotion::epoch::EmotionEpoch;
use crate::plots::axis::Axis;
use crate::plots::panel::{PlotLine, PlotPanel, loss_axis, rate_panel, stacked, values};
use crate::plots::{BLUE, ORANGE, VERMILION};
use crate::run::log::Log;

/// Loss, accuracy and learning rate by epoch as SVG, with the validation loss at the best temperature. The epochs with the
/// lowest validation loss and the highest validation accuracy are marked. Losses far above most others are drawn on the
/// upper edge.
///
/// # Errors
///
/// When the log has no epoch.
pub fn curves(log: &Log<EmotionEpoch>, title: &str) -> Result<String> {
    stacked(log, title, |log| {
        let rate = rate_panel(log, |epoch| epoch.lr);
        [loss_panel(log), accuracy_panel(log), rate]
    })
}

fn loss_panel(log: &Log<EmotionEpoch>) -> PlotPanel<EmotionEpoch> {
    let lowest = log.best(|epoch, best| epoch.val_loss < best.val_loss);
    let mut note = lowest.map_or_else(String::new, |row| {
        let EmotionEpoch {
            val_loss, epoch, ..
        } = row;
        format!("lowest in validation: {val_loss:.4} in epoch {epoch}")
    });
    let losses = values(log, |epoch| {
        [epoch.loss, epoch.val_loss, epoch.val_loss_calibrated]
    });
    let axis = loss_axis(&losses);
    let highest = losses[losses.len() - 1];
    if highest > axis.range.end {
        note += &format!("; highest: {highest:.2}");
    }
    let mut lines = train_and_validation(|epoch| epoch.loss, |epoch| epoch.val_loss);
    lines.push(PlotLine {
        name: "calibrated",
        colour: ORANGE,
        value: |epoch| epoch.val_loss_calibrated,
    });
    PlotPanel {
        title: "loss",
        note,
        lines,
        mark: lowest.map(|epoch| (epoch.epoch, epoch.val_loss)),
        axis,
        label: Axis::label,
        is_last: false,
    }
}

fn accuracy_panel(log: &Log<EmotionEpoch>) -> PlotPanel<EmotionEpoch> {
    let highest = log.best(|epoch, best| epoch.val_acc > best.val_acc);
    let values = values(log, |epoch| [100.0 * epoch.acc, 100.0 * epoch.val_acc]);
    let (low, high) = (values[0], values[values.len() - 1]);
    let room = (0.05 * (high - low)).max(0.5);
    PlotPanel {
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

fn train_and_validation(
    training: fn(&EmotionEpoch) -> f64,
    validation: fn(&EmotionEpoch) -> f64,
) -> Vec<PlotLine<EmotionEpoch>> {
    vec![
        PlotLine {
            name: "training",
            colour: BLUE,
            value: training,
        },
        PlotLine {
            name: "validation",
            colour: VERMILION,
            value: validation,
        },
    ]
}

#[cfg(test)]
mod tests;
