//! Close-ups and turned faces, made of the evaluated pictures.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use emotion_analysis::{EmotionResult, FaceAnalyzer, FacePosition, Options};
use emotion_models::{Classifier, image_file};
use image::GrayImage;
use serde_json::{Value, json};

use super::super::common::{load_weights, percent};
use super::detector::EvaluatedDetector;
use crate::cli::EvaluateDetectorArgs;
use crate::detector::annotations::{Annotation, clip};
use crate::detector::evaluation::STRICT;
use crate::detector::made::{
    ANGLES, FILLS, HEIGHTS, MadeImage, MadeMetrics, close_up, is_large, turned,
};
use crate::detector::matching::ScoredBox;
use crate::progress_bar::reading;

/// The results on made pictures.
#[derive(Debug, Default)]
pub(super) struct MadeReport {
    /// By [`FILLS`].
    close_ups: [MadeMetrics; FILLS.len()],
    /// The same pictures by [`HEIGHTS`].
    close_ups_by_height: [MadeMetrics; HEIGHTS.len()],
    /// By [`ANGLES`].
    turned: [MadeMetrics; ANGLES.len()],
}

/// Names the emotion of a face that a detector has found, as the plugin does.
struct EmotionNamer(FaceAnalyzer);

impl EmotionNamer {
    /// With weights from a file, or built-in ones.
    fn new(weights: &Path) -> Result<Self> {
        let classifier = Classifier::new(&load_weights(weights)?)?;
        Ok(Self(FaceAnalyzer::new(classifier)))
    }

    /// The emotion of the face in the best of the `boxes`; none if it was not found.
    fn emotion(&mut self, made: &MadeImage, boxes: &[ScoredBox]) -> Result<Option<EmotionResult>> {
        let overlap = |found: &ScoredBox| found.region.iou(&made.face);
        let best = boxes
            .iter()
            .max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
        let Some(best) = best.filter(|best| overlap(best) >= STRICT) else {
            return Ok(None);
        };
        let position = FacePosition {
            object_id: None,
            region: best.region,
            landmarks: best.landmarks,
        };
        let picture = image_file::view(&made.image)?;
        let options = Options::default();
        let results = self.0.analyze(&picture, &[position], None, &options)?;
        Ok(results.faces.into_iter().next().map(|face| face.emotion))
    }
}

impl MadeReport {
    /// Evaluates a detector on pictures made of each face that is large enough; boxes below the threshold do not count.
    ///
    /// # Errors
    ///
    /// When a picture cannot be read, or the network cannot run.
    pub(super) fn new(
        detector: &mut EvaluatedDetector,
        annotations: &[Annotation],
        args: &EvaluateDetectorArgs,
    ) -> Result<Self> {
        let bar = reading("pictures", annotations.len());
        let mut report = Self::default();
        let mut index = 0;
        let mut namer = EmotionNamer::new(&args.emotions)?;
        let mut boxes = |made: &MadeImage, path: &Path| -> Result<Vec<ScoredBox>> {
            let sides = [made.image.width() as f32, made.image.height() as f32];
            let found = detector.found(&made.image, path)?.into_iter();
            let found = found.filter(|found| found.score >= args.threshold);
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
                    let boxes = boxes(&made, &annotation.image).with_context(shown)?;
                    for metrics in [
                        &mut report.close_ups[index % FILLS.len()],
                        &mut report.close_ups_by_height[index % HEIGHTS.len()],
                    ] {
                        metrics.add(&made.face, &boxes, STRICT);
                    }
                }
                index += 1;
                let mut upright = None;
                for (angle, metrics) in ANGLES.into_iter().zip(&mut report.turned) {
                    let made = turned(&image, face, angle).with_context(shown)?;
                    let boxes = boxes(&made, &annotation.image).with_context(shown)?;
                    metrics.add(&made.face, &boxes, STRICT);
                    let Some(emotion) = namer.emotion(&made, &boxes)? else {
                        continue;
                    };
                    // The first of the angles.
                    if angle == 0.0 {
                        upright = Some(emotion.label_id);
                    }
                    if let Some(upright) = upright {
                        metrics.compare(emotion.label_id, emotion.is_uncertain(), upright);
                    }
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
                "same_emotion": metrics.same_emotion(),
                "named_otherwise": metrics.otherwise(),
            })
        };
        let close_ups = FILLS.iter().zip(&self.close_ups);
        let by_height = HEIGHTS.iter().zip(&self.close_ups_by_height);
        let turned = ANGLES.iter().zip(&self.turned);
        json!({
            "close_ups": close_ups.map(|(&fill, m)| row("height", fill, m)).collect::<Vec<_>>(),
            "close_ups_by_height": by_height.map(|(&px, m)| row("pixels", px as f32, m)).collect::<Vec<_>>(),
            "turned": turned.map(|(&angle, m)| row("degrees", angle, m)).collect::<Vec<_>>(),
        })
    }

    /// The same as a table.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "\nmade pictures             faces   found at IoU {STRICT}   exactly one box   same emotion as upright   named otherwise\n"
        );
        let or_nothing =
            |share: Option<f64>| share.map_or_else(String::new, |share| percent(share, 1));
        let mut row = |name: String, metrics: &MadeMetrics| {
            let _ = writeln!(
                text,
                "{name:<24} {:>6} {:>16} {:>19} {:>25} {:>17}",
                metrics.faces,
                percent(metrics.recall(), 1),
                percent(metrics.one_box(), 1),
                or_nothing(metrics.same_emotion()),
                or_nothing(metrics.otherwise()),
            );
        };
        for (fill, metrics) in FILLS.iter().zip(&self.close_ups) {
            row(format!("{:.0} % of the height", 100.0 * fill), metrics);
        }
        for (height, metrics) in HEIGHTS.iter().zip(&self.close_ups_by_height) {
            row(format!("… of {height} pixels"), metrics);
        }
        for (angle, metrics) in ANGLES.iter().zip(&self.turned) {
            row(format!("turned by {angle}°"), metrics);
        }
        text
    }
}
