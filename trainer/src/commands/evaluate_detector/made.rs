//! Close-ups and turned faces, made of the evaluated pictures.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use image::GrayImage;
use serde_json::{Value, json};

use super::super::common::percent;
use super::detector::EvaluatedDetector;
use crate::data::image_file;
use crate::detector::annotations::{Annotation, clip};
use crate::detector::evaluation::STRICT;
use crate::detector::made::{ANGLES, FILLS, MadeImage, MadeMetrics, close_up, is_large, turned};
use crate::detector::matching::ScoredBox;
use crate::progress_bar::reading;

/// The results on made pictures.
#[derive(Debug, Default)]
pub(super) struct MadeReport {
    /// By [`FILLS`].
    close_ups: [MadeMetrics; FILLS.len()],
    /// By [`ANGLES`].
    turned: [MadeMetrics; ANGLES.len()],
}

impl MadeReport {
    /// Evaluates a detector on pictures made of each face that is large enough; boxes below `threshold` do not count.
    ///
    /// # Errors
    ///
    /// When a picture cannot be read, or the network cannot run.
    pub(super) fn new(
        detector: &mut EvaluatedDetector,
        annotations: &[Annotation],
        threshold: f32,
    ) -> Result<Self> {
        let bar = reading("pictures", annotations.len());
        let mut report = Self::default();
        let mut index = 0;
        let mut boxes = |made: &MadeImage, path: &Path| -> Result<Vec<ScoredBox>> {
            let sides = [made.image.width() as f32, made.image.height() as f32];
            let found = detector.found(&made.image, path)?.into_iter();
            let found = found.filter(|found| found.score >= threshold);
            let clipped = found.filter_map(|found| {
                Some(ScoredBox {
                    region: clip(found.region, sides)?,
                    ..found
                })
            });
            Ok(clipped.collect())
        };
        for annotation in annotations {
            bar.inc(1);
            let shown = || annotation.image.display().to_string();
            // The message contains the cause already.
            let image: GrayImage =
                image_file::load(&annotation.image).map_err(|error| anyhow!("{error}"))?;
            for face in annotation.boxes.iter().filter(|face| is_large(face)) {
                if let Some(made) = close_up(&image, face, index) {
                    let metrics = &mut report.close_ups[index % FILLS.len()];
                    let boxes = boxes(&made, &annotation.image).with_context(shown)?;
                    metrics.add(&made.face, &boxes, STRICT);
                }
                index += 1;
                for (angle, metrics) in ANGLES.into_iter().zip(&mut report.turned) {
                    let made = turned(&image, face, angle).with_context(shown)?;
                    let boxes = boxes(&made, &annotation.image).with_context(shown)?;
                    metrics.add(&made.face, &boxes, STRICT);
                }
            }
        }
        Ok(report)
    }

    /// The results by share of the height and by angle.
    pub(super) fn json(&self) -> Value {
        let row = |key: &str, value: f32, metrics: &MadeMetrics| {
            let share = |share: f64| (metrics.faces > 0).then_some(share);
            json!({
                key: value,
                "faces": metrics.faces,
                "recall50": share(metrics.recall()),
                "one_box": share(metrics.one_box()),
            })
        };
        let close_ups = FILLS.iter().zip(&self.close_ups);
        let turned = ANGLES.iter().zip(&self.turned);
        json!({
            "close_ups": close_ups.map(|(&fill, m)| row("height", fill, m)).collect::<Vec<_>>(),
            "turned": turned.map(|(&angle, m)| row("degrees", angle, m)).collect::<Vec<_>>(),
        })
    }

    /// The same as a table.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "\nmade pictures             faces   found at IoU {STRICT}   exactly one box\n"
        );
        let mut row = |name: String, metrics: &MadeMetrics| {
            let _ = writeln!(
                text,
                "{name:<24} {:>6} {:>16} {:>19}",
                metrics.faces,
                percent(metrics.recall(), 1),
                percent(metrics.one_box(), 1)
            );
        };
        for (fill, metrics) in FILLS.iter().zip(&self.close_ups) {
            row(format!("{:.0} % of the height", 100.0 * fill), metrics);
        }
        for (angle, metrics) in ANGLES.iter().zip(&self.turned) {
            row(format!("turned by {angle}°"), metrics);
        }
        text
    }
}
