//! `emotion-trainer evaluate-detector`.

pub(super) mod detector;
mod made;
mod peer;
mod report;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use emotion_models::image_file;

use self::detector::EvaluatedDetector;
use self::made::MadeReport;
use self::report::DetectorReport;
use super::common::{save_figures, short_name, use_threads};
use crate::cli::EvaluateDetectorArgs;
use crate::data::illumination::Illumination;
use crate::detector::annotations::{Annotation, ImageSplit, clip, load};
use crate::detector::evaluation::{DetectionMetrics, EvaluatedImage};
use crate::detector::matching::ScoredBox;
use crate::detector::plots;
use crate::progress_bar::reading;

/// Change of the light in stops.
const STOPS: f32 = 2.0;

/// Evaluates a detector on annotated images.
///
/// # Errors
///
/// When the weights, an annotation or an image is broken, there are no images, or the figure cannot be written.
pub fn run(args: &EvaluateDetectorArgs) -> Result<()> {
    use_threads(args.threads)?;
    let mut detector = EvaluatedDetector::new(args)?;
    let annotations = annotations(&args.data, args.split)?;
    let mut evaluate = |illumination| metrics(&mut detector, &annotations, illumination);
    let evaluation = evaluate(Illumination::AsIs)?;
    let lights = Illumination::ALL.iter().filter(|_| args.light);
    let in_other_light: Vec<(&str, DetectionMetrics)> = lights
        .filter(|&&light| light != Illumination::AsIs)
        .map(|&light| Ok((light.name(), evaluate(light)?)))
        .collect::<Result<_>>()?;
    let made = args
        .made
        .then(|| MadeReport::new(&mut detector, &annotations, args))
        .transpose()?;
    let [name, data] = [args.detector(), &args.data].map(|path| path.display().to_string());
    let report = DetectorReport {
        detector: &name,
        data: &data,
        threshold: args.threshold,
        evaluation: &evaluation,
        in_other_light: &in_other_light,
        made: made.as_ref(),
    };
    if args.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.table());
    }
    if args.no_plots {
        return Ok(());
    }
    draw(&evaluation, args)
}

/// The pictures of a split, and those without one.
pub(super) fn annotations(data: &Path, split: ImageSplit) -> Result<Vec<Annotation>> {
    let mut annotations = load(data)?;
    annotations.retain(|annotation| annotation.split.is_none_or(|other| other == split));
    ensure!(
        !annotations.is_empty(),
        "{} has no pictures of the split {split}",
        data.display(),
    );
    Ok(annotations)
}

/// The metrics of a detector on these pictures in this illumination.
pub(super) fn metrics(
    detector: &mut EvaluatedDetector,
    annotations: &[Annotation],
    illumination: Illumination,
) -> Result<DetectionMetrics> {
    let bar = reading("pictures", annotations.len());
    let images = annotations.iter().map(|annotation| {
        bar.inc(1);
        detect(detector, annotation, illumination)
            .with_context(|| annotation.image.display().to_string())
    });
    Ok(DetectionMetrics::new(&images.collect::<Result<Vec<_>>>()?))
}

/// Draws the figure to a folder.
fn draw(evaluation: &DetectionMetrics, args: &EvaluateDetectorArgs) -> Result<()> {
    let [detector, data] = [args.detector(), &args.data].map(short_name);
    let folder = args
        .plots
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("runs/evaluation/{detector}-{data}")));
    let title = format!("{detector} on {data}");
    let figure = plots::precision_recall(&evaluation.all, args.threshold, &title)?;
    save_figures(&folder, &[("precision-recall.svg", figure)])
}

/// Runs the detector on an image in this illumination.
fn detect(
    detector: &mut EvaluatedDetector,
    annotation: &Annotation,
    illumination: Illumination,
) -> Result<EvaluatedImage> {
    // The message contains the cause already.
    let mut image = image_file::load(&annotation.image).map_err(|error| anyhow!("{error}"))?;
    let (width, height) = image.dimensions();
    illumination.apply(STOPS, &mut image, width as usize);
    let found = detector.found(&image, &annotation.image)?;
    let sides = [width as f32, height as f32];
    let clipped = |found: ScoredBox| {
        let region = clip(found.region, sides)?;
        Some(ScoredBox { region, ..found })
    };
    Ok(EvaluatedImage {
        source: annotation.source.clone(),
        faces: annotation.boxes.clone(),
        landmarks: annotation.landmarks.clone(),
        ignored: annotation.ignored.clone(),
        found: found.into_iter().filter_map(clipped).collect(),
    })
}
