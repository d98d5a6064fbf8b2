//! The part of the report on what people see.

use std::fmt::Write;

use emotion_models::Emotion;
use serde_json::{Value, json};

use super::super::common::{percent, thousands};
use super::figures::{by_emotion, interval};
use super::probabilities::Probabilities;
use crate::data::Faces;
use crate::emotion::people::{NamedFaces, PeopleMetrics};

/// The metrics against the votes on a split.
pub(super) struct PeopleReport {
    /// Of the faces alone.
    pub(super) once: PeopleMetrics,
    /// Of the mean with their mirror images.
    mirrored: PeopleMetrics,
    /// The threshold of the weights, and the faces that it names.
    named: Option<(f64, NamedFaces)>,
}

impl PeopleReport {
    /// None if the faces have no votes.
    pub(super) fn new(
        [once, mirrored]: [&Probabilities; 2],
        faces: &Faces,
        threshold: Option<f64>,
    ) -> Option<Self> {
        let once = PeopleMetrics::new(once, faces)?;
        Some(Self {
            mirrored: PeopleMetrics::new(mirrored, faces)?,
            named: threshold.map(|threshold| (threshold, once.named(threshold))),
            once,
        })
    }

    /// Adds the figures to the JSON object of the split.
    pub(super) fn add_to(&self, report: &mut Value) {
        let majority = self.once.majority();
        let recall_interval = |emotion| {
            let recall = majority.recall(emotion)?;
            Some(interval(recall, majority.labelled(emotion)))
        };
        let recall_intervals = Emotion::ALL
            .into_iter()
            .map(|emotion| (emotion.name().to_owned(), json!(recall_interval(emotion))));
        let named = self.named.as_ref();
        let figures = json!({
            "people_accuracy": majority.accuracy(),
            "people_accuracy_interval": interval(majority.accuracy(), majority.count()),
            "people_count": majority.count(),
            "people_recall": by_emotion(|emotion| majority.recall(emotion)),
            "people_recall_interval": Value::Object(recall_intervals.collect()),
            "people_macro_recall": majority.macro_recall(),
            "people_loss": self.once.loss(),
            "people_ece": calibration_error(&self.once),
            "threshold": named.map(|(threshold, _)| threshold),
            "named": named.map(|(_, named)| named.share),
            "contradicted": named.map(|(_, named)| named.contradicted),
        });
        for (name, value) in figures.as_object().into_iter().flatten() {
            report[name] = value.clone();
        }
        report["flip"]["people_accuracy"] = json!(self.mirrored.majority().accuracy());
        report["flip"]["people_ece"] = json!(calibration_error(&self.mirrored));
    }

    /// The same as a table.
    pub(super) fn text(&self) -> String {
        let both = [&self.once, &self.mirrored];
        let majority = self.once.majority();
        let mut text = format!(
            "what people see: the majority of the votes on {} faces, the shares of the votes on {}\n",
            thousands(majority.count()),
            thousands(self.once.reliability().total().count()),
        );
        let rows = [
            (
                "agreement with the majority",
                both.map(|metrics| percent(metrics.majority().accuracy(), 2)),
            ),
            (
                "mean recall of the emotions",
                both.map(|metrics| percent(metrics.majority().macro_recall(), 2)),
            ),
            (
                "cross-entropy to the votes",
                both.map(|metrics| format!("{:.4}  ", metrics.loss())),
            ),
            (
                "calibration error",
                both.map(|metrics| percent(calibration_error(metrics), 2)),
            ),
        ];
        for (what, [once, mirrored]) in rows {
            let line = format!("{what:<27} {once:>10} {mirrored:>18}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
        let [low, high] = interval(majority.accuracy(), majority.count());
        let _ = writeln!(
            text,
            "95 % interval of the agreement: {} to {}",
            percent(low, 1),
            percent(high, 1)
        );
        if let Some((threshold, named)) = &self.named {
            let _ = writeln!(
                text,
                "from confidence {threshold:.2} on, {} of the faces are named, {} of them against the majority",
                percent(named.share, 1),
                percent(named.contradicted, 1),
            );
        }
        text
    }
}

fn calibration_error(metrics: &PeopleMetrics) -> f64 {
    metrics.reliability().expected_calibration_error()
}
