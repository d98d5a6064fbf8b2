//! Curves of a detector's run.

use anyhow::Result;

use crate::detector::epoch::DetectorEpoch;
use crate::plots::axis::Axis;
use crate::plots::panel::{PlotLine, PlotPanel, loss_axis, rate_panel, stacked, values};
use crate::plots::{BLUE, GREEN, ORANGE, VERMILION};
use crate::run::log::Log;

/// Training loss, average precision, recall, precision and learning rate by epoch as SVG. The epoch with the highest average
/// precision is marked.
///
/// # Errors
///
/// When the log has no epoch.
pub fn curves(log: &Log<DetectorEpoch>, title: &str) -> Result<String> {
    stacked(log, title, |log| {
        let rate = rate_panel(log, |epoch| epoch.lr);
        [loss_panel(log), precision_panel(log), rate]
    })
}

fn loss_panel(log: &Log<DetectorEpoch>) -> PlotPanel<DetectorEpoch> {
    let losses = values(log, |epoch| [epoch.loss]);
    let axis = loss_axis(&losses);
    let highest = losses[losses.len() - 1];
    let mut note = format!("lowest: {:.4}", losses[0]);
    if highest > axis.range.end {
        note += &format!("; highest: {highest:.2}");
    }
    PlotPanel {
        title: "loss",
        note,
        lines: vec![PlotLine {
            name: "training",
            colour: BLUE,
            value: |epoch| epoch.loss,
        }],
        mark: None,
        axis,
        label: Axis::label,
        is_last: false,
    }
}

fn precision_panel(log: &Log<DetectorEpoch>) -> PlotPanel<DetectorEpoch> {
    let highest = log.best(|epoch, best| epoch.val_ap50 > best.val_ap50);
    let percents = values(log, |epoch| {
        [epoch.val_ap50, epoch.val_recall, epoch.val_precision].map(|share| 100.0 * share)
    });
    let (low, high) = (percents[0], percents[percents.len() - 1]);
    let room = (0.05 * (high - low)).max(0.5);
    PlotPanel {
        title: "validation",
        note: highest.map_or_else(String::new, |epoch| {
            let percent = 100.0 * epoch.val_ap50;
            format!(
                "highest average precision: {percent:.2} % in epoch {}",
                epoch.epoch
            )
        }),
        lines: vec![
            PlotLine {
                name: "precision",
                colour: ORANGE,
                value: |epoch| 100.0 * epoch.val_precision,
            },
            PlotLine {
                name: "recall",
                colour: GREEN,
                value: |epoch| 100.0 * epoch.val_recall,
            },
            PlotLine {
                name: "AP",
                colour: VERMILION,
                value: |epoch| 100.0 * epoch.val_ap50,
            },
        ],
        mark: highest.map(|epoch| (epoch.epoch, 100.0 * epoch.val_ap50)),
        axis: Axis::new((low - room).max(0.0), (high + room).min(100.0), 7),
        label: |axis, tick| format!("{} %", axis.label(tick)),
        is_last: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plots::testing::texts;

    #[test]
    fn every_column_is_a_curve_and_the_best_epoch_is_written_out() {
        let mut log = Log::default();
        for epoch in 1..=30 {
            let share = f64::from(epoch) / 40.0;
            log.push(DetectorEpoch {
                epoch: epoch as usize,
                loss: 9.0 / f64::from(epoch),
                val_ap50: if epoch == 30 { 0.5 } else { share },
                val_recall: 0.9 * share,
                val_precision: 0.95,
                lr: 1e-3,
                ..DetectorEpoch::default()
            });
        }
        let svg = curves(&log, "face_net").unwrap();
        let texts = texts(&svg);
        for text in [
            "face_net",
            "lowest: 0.3000",
            "highest average precision: 72.50 % in epoch 29",
            "precision",
            "recall",
            "AP",
            "learning rate",
        ] {
            assert!(texts.iter().any(|found| found == text), "{text}: {texts:?}");
        }
        assert!(curves(&Log::default(), "face_net").is_err());
    }
}
