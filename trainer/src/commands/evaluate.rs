//! `emotion-trainer evaluate`.

use std::path::Path;

use anyhow::{Result, ensure};
use emotion_models::{Classifier, Emotion, Metadata};
use serde_json::{Map, Value, json};

use super::{thousands, use_threads};
use crate::cli::EvaluateArgs;
use crate::data::Split;
use crate::data::fer2013::Fer2013;
use crate::metrics::Evaluation;
use crate::network;

/// Reports accuracy, loss and recall of weights on one split.
///
/// # Errors
///
/// When the weights or the data are broken, or the split has no rows.
pub fn run(args: &EvaluateArgs) -> Result<()> {
    use_threads(args.threads)?;
    let classifier = classifier(&args.weights)?;
    let metadata = classifier.metadata();
    ensure!(
        metadata.labels == Emotion::names(),
        "the weights tell {} apart, FER-2013 has {}",
        metadata.labels.join(", "),
        Emotion::names().join(", ")
    );
    let data = Fer2013::load(&args.data)?;
    let faces = data.split(args.split);
    ensure!(
        !faces.is_empty(),
        "{} has no {} rows",
        args.data.display(),
        args.split
    );

    let logits = network::logits(faces, metadata.input_size, args.batch.get(), |values, _| {
        Ok(classifier.logits(&values)?)
    })?;
    let evaluation = Evaluation::new(&logits, faces.labels(), f64::from(metadata.temperature));
    if args.json {
        println!("{}", json(&evaluation));
    } else {
        print!("{}", table(&evaluation, metadata, args.split));
    }
    Ok(())
}

/// The weights in a file, or the built-in ones by their name.
fn classifier(weights: &Path) -> Result<Classifier> {
    if !weights.exists() {
        let embedded = Classifier::embedded()?;
        if weights.as_os_str() == embedded.metadata().name.as_str() {
            return Ok(embedded);
        }
    }
    Ok(Classifier::load(weights)?)
}

fn json(evaluation: &Evaluation) -> Value {
    let recall: Map<String, Value> = Emotion::ALL
        .into_iter()
        .map(|emotion| (emotion.name().to_owned(), json!(evaluation.recall(emotion))))
        .collect();
    json!({
        "accuracy": evaluation.accuracy(),
        "count": evaluation.count(),
        "loss": evaluation.loss(),
        "recall": recall,
    })
}

/// Accuracy and loss, then the confusion matrix: a row per label, a column per answer.
fn table(evaluation: &Evaluation, metadata: &Metadata, split: Split) -> String {
    let mut text = format!(
        "{}, {}×{}, {} faces of {split}: accuracy {:.2} %, loss {:.4} at temperature {:.3}\n\n",
        metadata.name,
        metadata.input_size,
        metadata.input_size,
        thousands(evaluation.count()),
        100.0 * evaluation.accuracy(),
        evaluation.loss(),
        metadata.temperature,
    );
    text += &format!("{:<9} {:>7}", "label", "recall");
    for answer in Emotion::ALL {
        text += &format!(" {:>8}", answer.name());
    }
    for label in Emotion::ALL {
        let recall = evaluation.recall(label);
        let recall = recall.map_or("-".to_owned(), |recall| format!("{:.1} %", 100.0 * recall));
        text += &format!("\n{:<9} {recall:>7}", label.name());
        for answer in Emotion::ALL {
            text += &format!(" {:>8}", evaluation.confused(label, answer));
        }
    }
    text + "\n"
}
