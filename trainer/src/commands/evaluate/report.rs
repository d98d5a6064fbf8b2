//! The report of `evaluate`, as a table and as JSON.

use std::path::PathBuf;

use anyhow::Result;
use emotion_models::graph::Parameter;
use emotion_models::preprocess::LightCorrection;
use emotion_models::{Classifier, Emotion};
use serde_json::{Value, json};

use super::super::common::{percent, thousands};
use super::figures::{by_emotion, interval};
use super::people::PeopleReport;
use super::{light, robust};
use crate::data::Split;
use crate::emotion::metrics::ClassificationMetrics;

/// The metrics of a split.
pub(super) struct EvaluatedSplit {
    pub(super) all: ClassificationMetrics,
    /// Metrics of the faces that are no copies of Training rows.
    pub(super) without_copies: ClassificationMetrics,
}

/// The results of weights on a split.
pub(super) struct EvaluationReport<'a> {
    /// Files or names, as given.
    pub(super) weights: &'a [PathBuf],
    pub(super) networks: &'a [Classifier],
    pub(super) cost: NetworkCost,
    pub(super) split: Split,
    /// Number of faces that are copies of Training rows; none for Training itself.
    pub(super) copies: Option<usize>,
    pub(super) once: EvaluatedSplit,
    pub(super) mirrored: EvaluatedSplit,
    /// The metrics against votes, if there are any.
    pub(super) people: Option<PeopleReport>,
    pub(super) light_correction: LightCorrection,
    /// The accuracy in other light, if requested.
    pub(super) light: Option<Vec<light::LightAccuracy>>,
    /// The accuracy on faces as they arrive, if requested.
    pub(super) robust: Option<Vec<robust::RobustnessRow>>,
}

/// The total cost of the networks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NetworkCost {
    pub(super) parameters: usize,
    /// Multiply-adds for one face.
    pub(super) multiply_adds: u64,
}

impl NetworkCost {
    /// The sum over networks.
    ///
    /// # Errors
    ///
    /// Never in practice: the networks have been built.
    pub(super) fn of(networks: &[Classifier]) -> Result<Self> {
        networks.iter().try_fold(Self::default(), |sum, network| {
            let graph = network.metadata().graph()?;
            let parameters: usize = graph.parameters().iter().map(Parameter::len).sum();
            Ok(Self {
                parameters: sum.parameters + parameters,
                multiply_adds: sum.multiply_adds + graph.multiply_adds(),
            })
        })
    }
}

impl EvaluationReport<'_> {
    /// That of each network.
    fn precisions(&self) -> String {
        let mut names: Vec<&str> = self
            .networks
            .iter()
            .map(|network| network.precision().name())
            .collect();
        names.dedup();
        names.join(" and ")
    }

    /// One object; metrics without faces are null.
    pub(super) fn json(&self) -> Value {
        let EvaluatedSplit {
            all,
            without_copies,
        } = &self.once;
        let flip = &self.mirrored;
        let mut report = json!({
            "weights": self.weights,
            "split": self.split.usage(),
            "parameters": self.cost.parameters,
            "macs": self.cost.multiply_adds,
            "dtype": self.precisions(),
            "accuracy": all.accuracy(),
            "accuracy_interval": interval(all.accuracy(), all.count()),
            "count": all.count(),
            "loss": all.loss(),
            "recall": by_emotion(|emotion| all.recall(emotion)),
            "precision": by_emotion(|emotion| all.precision(emotion)),
            "f1": by_emotion(|emotion| all.f1(emotion)),
            "macro_f1": all.macro_f1(),
            "ece": calibration_error(all),
            "copies": self.copies,
            "accuracy_without_copies": without_copies.accuracy(),
            "flip": {
                "accuracy": flip.all.accuracy(),
                "macro_f1": flip.all.macro_f1(),
                "ece": calibration_error(&flip.all),
                "loss": flip.all.loss(),
                "accuracy_without_copies": flip.without_copies.accuracy(),
            },
            "light_correction": self.light_correction.name(),
        });
        if let Some(people) = &self.people {
            people.add_to(&mut report);
        }
        if let Some(rows) = &self.light {
            report["light"] = light::to_json(rows);
        }
        if let Some(rows) = &self.robust {
            report["robust"] = robust::to_json(rows);
        }
        report
    }

    /// The weights and the split, the metrics with and without mirror images, and the confusion matrix.
    pub(super) fn table(&self) -> String {
        let mut text = format!(
            "{}\n{}\n{}",
            self.heading(),
            self.metrics(),
            emotions(&self.once.all)
        );
        if let Some(people) = &self.people {
            text += &format!("\n{}\n{}", people.text(), emotions(people.once.majority()));
        }
        if let Some(rows) = &self.light {
            text += &format!("\n{}", light::to_text(rows));
        }
        if let Some(rows) = &self.robust {
            text += &format!("\n{}", robust::to_text(rows));
        }
        text
    }

    fn heading(&self) -> String {
        let mut text = String::new();
        if self.networks.len() > 1 {
            text += &format!(
                "mean of the probabilities of {} networks:\n",
                self.networks.len()
            );
        }
        for (weights, network) in self.weights.iter().zip(self.networks) {
            let metadata = network.metadata();
            text += &format!(
                "{}: {}, {size}×{size}, temperature {:.3}\n",
                weights.display(),
                metadata.architecture,
                metadata.temperature,
                size = metadata.input_size,
            );
        }
        text += &format!(
            "{} parameters, {:.1} M multiply-adds a face in {}\n",
            thousands(self.cost.parameters),
            self.cost.multiply_adds as f64 / 1e6,
            self.precisions(),
        );
        text += &format!(
            "{} faces of {}",
            thousands(self.once.all.count()),
            self.split
        );
        if let Some(copies) = self.copies {
            text += &format!(", {} of them copies of Training faces", thousands(copies));
        }
        if self.light_correction != LightCorrection::None {
            text += &format!(", light correction {}", self.light_correction);
        }
        text + "\n"
    }

    fn metrics(&self) -> String {
        let Self { once, mirrored, .. } = self;
        let rows = [
            (
                "accuracy",
                [once, mirrored].map(|split| percent(split.all.accuracy(), 2)),
            ),
            (
                "accuracy without the copies",
                [once, mirrored].map(|split| percent(split.without_copies.accuracy(), 2)),
            ),
            (
                "macro F1",
                [once, mirrored].map(|split| percent(split.all.macro_f1(), 2)),
            ),
            (
                "cross-entropy",
                [once, mirrored].map(|split| format!("{:.4}  ", split.all.loss())),
            ),
            (
                "expected calibration error",
                [once, mirrored].map(|split| percent(calibration_error(&split.all), 2)),
            ),
        ];
        let mut text = format!("{:<27} {:>10} {:>18}\n", "", "the face", "and mirror image");
        for (what, [once, mirrored]) in rows {
            let line = format!("{what:<27} {once:>10} {mirrored:>18}");
            text += &format!("{}\n", line.trim_end());
        }
        text
    }
}

/// Precision, recall and F1 of each emotion, and the confusion matrix.
fn emotions(evaluation: &ClassificationMetrics) -> String {
    let mut text = format!(
        "{:<9} {:>9} {:>8} {:>8}   taken for",
        "", "precision", "recall", "F1"
    );
    for answer in Emotion::ALL {
        text += &format!(" {:>8}", answer.name());
    }
    text += "\n";
    for label in Emotion::ALL {
        let share = |share: Option<f64>| percent(share.unwrap_or(f64::NAN), 1);
        text += &format!(
            "{:<9} {:>9} {:>8} {:>8}            ",
            label.name(),
            share(evaluation.precision(label)),
            share(evaluation.recall(label)),
            share(evaluation.f1(label)),
        );
        for answer in Emotion::ALL {
            text += &format!(" {:>8}", thousands(evaluation.confused(label, answer)));
        }
        text += "\n";
    }
    text
}

fn calibration_error(evaluation: &ClassificationMetrics) -> f64 {
    evaluation.reliability().expected_calibration_error()
}
