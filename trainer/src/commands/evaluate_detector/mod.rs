//! `emotion-trainer evaluate-detector`.

mod peer;
mod report;

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, ensure};
use emotion_detect::{NetworkDetector, Options};
use emotion_models::inference::Precision;
use emotion_models::preprocess::GreyImage;

use self::peer::Peer;
use self::report::Report;
use super::{save_figures, short_name, use_threads};
use crate::cli::EvaluateDetectorArgs;
use crate::data::light::Illumination;
use crate::data::picture::Picture;
use crate::detector::annotations::{Annotation, cut_off, load};
use crate::detector::evaluation::{DetectionMetrics, EvaluatedImage};
use crate::detector::matching::ScoredBox;
use crate::detector::plots;
use crate::run::progress;

/// Boxes are judged down to this confidence; surer ones alone would end the curve too early.
const LEAST: f32 = 0.01;

/// How far other light is off, in stops.
const STOPS: f32 = 2.0;

/// Reports how well a detector finds the faces of annotated pictures, and draws precision against recall.
///
/// # Errors
///
/// When the weights, an annotation or a picture is broken, there are no pictures, or the figure cannot be written.
pub fn run(args: &EvaluateDetectorArgs) -> Result<()> {
    use_threads(args.threads)?;
    let mut detector = Detector::new(args)?;
    let mut annotations = load(&args.data)?;
    annotations.retain(|annotation| annotation.split.is_none_or(|split| split == args.split));
    ensure!(
        !annotations.is_empty(),
        "{} has no pictures of the split {}",
        args.data.display(),
        args.split
    );
    let mut evaluate = |light| -> Result<DetectionMetrics> {
        let bar = progress::reading("pictures", annotations.len());
        let looked = annotations.iter().map(|annotation| {
            bar.inc(1);
            look(&mut detector, annotation, light)
                .with_context(|| annotation.image.display().to_string())
        });
        Ok(DetectionMetrics::new(&looked.collect::<Result<Vec<_>>>()?))
    };
    let evaluation = evaluate(Illumination::AsIs)?;
    let lights = Illumination::ALL.iter().filter(|_| args.light);
    let in_other_light: Vec<(&str, DetectionMetrics)> = lights
        .filter(|&&light| light != Illumination::AsIs)
        .map(|&light| Ok((light.name(), evaluate(light)?)))
        .collect::<Result<_>>()?;
    let [name, data] = [args.detector(), &args.data].map(|path| path.display().to_string());
    let report = Report {
        detector: &name,
        data: &data,
        threshold: args.threshold,
        evaluation: &evaluation,
        in_other_light: &in_other_light,
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

/// Writes the figure and says so.
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

/// Whose boxes are judged.
enum Detector {
    Network(Box<NetworkDetector>, Options),
    Peer(Peer),
}

impl Detector {
    fn new(args: &EvaluateDetectorArgs) -> Result<Self> {
        let Some(file) = &args.found else {
            let weights = super::weights(&args.weights)?;
            let precision = args.dtype.unwrap_or_else(Precision::fastest);
            let network = NetworkDetector::with_precision(weights, precision)?;
            let options = Options {
                min_size_px: args.min_size,
                detection_size_px: args.detection_size,
                tiles: args.tiles,
                threshold: LEAST,
                ..Options::default()
            };
            let network = network.with_threads(rayon::current_num_threads());
            return Ok(Self::Network(Box::new(network), options));
        };
        ensure!(
            !args.light,
            "--light changes the pictures before the network looks at them, --found holds boxes that were found before: \
             leave one of them out"
        );
        Ok(Self::Peer(Peer::load(file, &args.data)?))
    }
}

/// A picture in some light, and what the detector finds in it.
fn look(
    detector: &mut Detector,
    annotation: &Annotation,
    light: Illumination,
) -> Result<EvaluatedImage> {
    // Its message holds the cause already.
    let picture = Picture::load(&annotation.image).map_err(|error| anyhow!("{error}"))?;
    let (width, height) = (picture.width(), picture.height());
    let found = match detector {
        Detector::Peer(peer) => peer.found(&annotation.image)?,
        Detector::Network(network, options) => {
            let mut pixels = picture.into_pixels();
            light.change(STOPS, &mut pixels, width);
            let view = GreyImage::new(&pixels, width, height, width)?;
            let candidates = network.candidates(&view, options)?;
            let found = candidates.iter().map(|candidate| ScoredBox {
                region: candidate.region,
                score: candidate.confidence,
            });
            found.collect()
        }
    };
    let sides = [width as f32, height as f32];
    let within = |found: ScoredBox| {
        let region = cut_off(found.region, sides)?;
        Some(ScoredBox { region, ..found })
    };
    Ok(EvaluatedImage {
        faces: annotation.boxes.clone(),
        ignored: annotation.ignored.clone(),
        found: found.into_iter().filter_map(within).collect(),
    })
}
