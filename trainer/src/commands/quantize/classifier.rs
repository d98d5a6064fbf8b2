//! Quantises a classifier by the Training faces.

use anyhow::{Result, ensure};
use emotion_models::inference::Precision;
use emotion_models::preprocess::{LightCorrection, Preprocessor};
use emotion_models::{Classifier, Weights};

use super::calibration::by_statistics;
use super::report::{Figure, QuantizationComparison};
use crate::cli::QuantizeArgs;
use crate::commands::evaluate::probabilities::{Probabilities, Side, classify, evaluate_rows};
use crate::data::batch::preprocessed;
use crate::data::{Dataset, FACE_SIZE, Faces, Split};
use crate::emotion::metrics::argmax;
use crate::emotion::people::PeopleMetrics;

/// The points that labels and people may lose.
const ALLOWED: f64 = 0.2;
/// Faces in a call.
const BATCH: usize = 128;

/// The quantised weights, and what they lose on PublicTest and PrivateTest.
pub(super) fn quantized(
    weights: &Weights,
    args: &QuantizeArgs,
) -> Result<(Weights, QuantizationComparison)> {
    let data = Dataset::load_with_votes(&args.data, args.votes.as_deref())?;
    let training = data.split(Split::Training);
    ensure!(
        !training.is_empty(),
        "{} has no Training faces to learn the ranges from",
        args.data.display()
    );
    let preprocessor = Preprocessor::new(weights.metadata().input_size);
    let count = args.samples.get().min(training.len());
    // Evenly from all rows.
    let picture = |index: usize| {
        let row = index * training.len() / count;
        Ok(preprocessed(training, row..row + 1, &preprocessor))
    };
    let what = format!("Training faces of {FACE_SIZE}×{FACE_SIZE}");
    let quantized = by_statistics(weights, &weights.folded()?, args, count, &what, picture)?;
    let mut figures = Vec::new();
    for split in [Split::Public, Split::Private] {
        let faces = data.split(split);
        if !faces.is_empty() {
            figures.extend(compare(weights, &quantized, split, faces)?);
        }
    }
    let split = Split::Public.usage();
    let comparison = QuantizationComparison::new(split, &["labels", "people"], ALLOWED, figures);
    Ok((quantized, comparison))
}

/// The figures of a split.
fn compare(
    floats: &Weights,
    integers: &Weights,
    split: Split,
    faces: &Faces,
) -> Result<Vec<Figure>> {
    let probabilities = |weights: &Weights, precision| -> Result<Probabilities> {
        let classifier = Classifier::with_precision(weights, precision)?;
        let classifier = classifier.with_threads(rayon::current_num_threads());
        let light = LightCorrection::None;
        Ok(classify(&mut [classifier], faces, BATCH, light, Side::AsIs)?.probabilities)
    };
    let before = probabilities(floats, Precision::F32)?;
    let after = probabilities(integers, Precision::Int8)?;
    let figure = |name, [before, after]: [f64; 2]| Figure {
        split: split.usage().to_owned(),
        name,
        before: 100.0 * before,
        after: 100.0 * after,
    };
    let metrics = [&before, &after].map(|answers| evaluate_rows(answers, faces, |_| true));
    let errors = metrics
        .each_ref()
        .map(|metrics| metrics.reliability().expected_calibration_error());
    let mut figures = vec![
        figure(
            "labels",
            metrics.each_ref().map(|metrics| metrics.accuracy()),
        ),
        figure("calibration error", errors),
    ];
    let people = [&before, &after].map(|answers| PeopleMetrics::new(answers, faces));
    if let [Some(before), Some(after)] = people {
        let both = [before, after];
        let agreement = both.each_ref().map(|people| people.majority().accuracy());
        let errors = both
            .each_ref()
            .map(|people| people.reliability().expected_calibration_error());
        figures.push(figure("people", agreement));
        figures.push(figure("calibration error, people", errors));
    }
    let pairs = before.iter().zip(&after);
    let kept = pairs.filter(|(before, after)| argmax(&before[..]) == argmax(&after[..]));
    let kept = kept.count() as f64 / faces.len() as f64;
    figures.push(figure("kept labels", [1.0, kept]));
    Ok(figures)
}
