//! Quantises the face detector by training pictures.

use anyhow::{Result, anyhow};
use emotion_detect::Options;
use emotion_models::Weights;
use emotion_models::image_file;
use emotion_models::inference::Precision;
use emotion_models::preprocess::{GreyRows, Part, Scaler};

use super::calibration::by_statistics;
use super::report::{Figure, QuantizationComparison};
use crate::cli::QuantizeArgs;
use crate::commands::evaluate_detector::detector::EvaluatedDetector;
use crate::commands::evaluate_detector::{annotations, metrics};
use crate::data::illumination::Illumination;
use crate::detector::annotations::{Annotation, ImageSplit};
use crate::detector::evaluation::DetectionMetrics;

/// The points that average precision and recall may lose.
const ALLOWED: f64 = 0.5;
/// Width and height of the pictures that the ranges are learnt from.
const SIZE: usize = 320;
/// Longer sides of the picture within them, in turn: from a frame with small faces to the pass for the largest.
const SIDES: [usize; 3] = [320, 224, 128];

/// The quantised weights, and what they lose on the validation pictures.
pub(super) fn quantized(
    weights: &Weights,
    args: &QuantizeArgs,
) -> Result<(Weights, QuantizationComparison)> {
    let training = annotations(&args.data, ImageSplit::Train)?;
    let count = args.samples.get().min(training.len());
    let mut scaler = Scaler::default();
    let picture = |index: usize| {
        let side = SIDES[index % SIDES.len()];
        input(&training[index * training.len() / count], side, &mut scaler)
    };
    let network = weights.folded_detector(SIZE, SIZE)?;
    let quantized = by_statistics(weights, &network, args, count, "training pictures", picture)?;
    let validation = annotations(&args.data, ImageSplit::Val)?;
    let evaluate = |weights: &Weights, precision| -> Result<DetectionMetrics> {
        let mut detector = EvaluatedDetector::network(
            weights,
            precision,
            Options {
                min_size_px: 1,
                ..Options::default()
            },
        )?;
        metrics(&mut detector, &validation, Illumination::AsIs)
    };
    let both = [
        evaluate(weights, Precision::F32)?,
        evaluate(&quantized, Precision::Int8)?,
    ];
    let threshold = Options::default().threshold;
    let figure = |name, value: &dyn Fn(&DetectionMetrics) -> f64| {
        let [before, after] = both.each_ref().map(value);
        Figure {
            split: ImageSplit::Val.to_string(),
            name,
            before: 100.0 * before,
            after: 100.0 * after,
        }
    };
    let figures = vec![
        figure("AP at IoU 0.5", &|metrics| {
            metrics.all.strict.average_precision()
        }),
        figure("AP at IoU 0.4", &|metrics| {
            metrics.all.lenient.average_precision()
        }),
        figure("recall", &|metrics| metrics.all.at(threshold).recall),
        figure("precision", &|metrics| metrics.all.at(threshold).precision),
    ];
    let split = ImageSplit::Val.to_string();
    let names = ["AP at IoU 0.5", "recall"];
    Ok((
        quantized,
        QuantizationComparison::new(&split, &names, ALLOWED, figures),
    ))
}

/// A picture, scaled so that its longer side has `side` pixels, in the middle of grey.
fn input(annotation: &Annotation, side: usize, scaler: &mut Scaler) -> Result<Vec<f32>> {
    // The message contains the cause already.
    let picture = image_file::load(&annotation.image).map_err(|error| anyhow!("{error}"))?;
    let view = image_file::view(&picture)?;
    let [width, height] = [view.width(), view.height()];
    let longer = width.max(height);
    let [width, height] = [width, height].map(|pixels| (pixels * side / longer).max(1));
    let [left, top] = [width, height].map(|pixels| (SIZE - pixels) / 2);
    let mut values = vec![0.0; SIZE * SIZE];
    let inner = &mut values[top * SIZE + left..];
    scaler.run(&view, Part::whole(&view), [height, width], inner, SIZE);
    Ok(values)
}
