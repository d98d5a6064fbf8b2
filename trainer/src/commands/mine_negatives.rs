//! `emotion-trainer mine-negatives`.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use emotion_detect::{NetworkDetector, Options};
use emotion_models::image_file;
use emotion_models::preprocess::Region;
use image::GrayImage;

use super::common::{load_weights, thousands, use_threads};
use crate::cli::MineNegativesArgs;
use crate::detector::annotations::{Annotation, HardNegatives, ImageSplit, LabelSource, load};
use crate::progress_bar::reading;

/// Longer sides of the network's input at which the pictures are searched; 0 is the default one.
const SIDES: [u32; 2] = [0, 256];
/// Largest share of a box in a face, and of a face in a box, of a box beside that face.
const BESIDE: f32 = 0.2;

/// Writes what a detector takes for faces where there are none in the training pictures.
///
/// # Errors
///
/// When the weights, an annotation or a picture is broken, nothing is found, or the file cannot be written.
pub fn run(args: &MineNegativesArgs) -> Result<()> {
    use_threads(args.threads)?;
    let mut detector = NetworkDetector::new(&load_weights(&args.weights)?)?
        .with_threads(rayon::current_num_threads());
    let mut annotations = load(&args.data)?;
    // Boxes of another detector do not tell where there is no face.
    annotations.retain(|annotation| {
        annotation.split != Some(ImageSplit::Val)
            && (annotation.labels == LabelSource::Human || annotation.boxes.is_empty())
    });
    let bar = reading("pictures", annotations.len());
    let (mut lines, mut pictures, mut count) = (String::new(), 0, 0);
    for annotation in &annotations {
        bar.inc(1);
        let shown = || annotation.image.display().to_string();
        // The message contains the cause already.
        let image = image_file::load(&annotation.image).map_err(|error| anyhow!("{error}"))?;
        let found = mistakes(&mut detector, &image, annotation, args.threshold);
        let found = found.with_context(shown)?;
        if found.is_empty() {
            continue;
        }
        pictures += 1;
        count += found.len();
        let path = annotation.image.strip_prefix(&args.data);
        let line = HardNegatives {
            image: path.unwrap_or(&annotation.image).to_owned(),
            boxes: found,
        };
        let _ = writeln!(lines, "{}", serde_json::to_string(&line)?);
    }
    ensure!(
        count > 0,
        "expected boxes without a face, found none on {} pictures: lower --threshold",
        thousands(annotations.len())
    );
    write(&args.out, &lines)?;
    println!(
        "{} boxes without a face on {} of {} pictures\nhard negatives {}",
        thousands(count),
        thousands(pictures),
        thousands(annotations.len()),
        args.out.display()
    );
    Ok(())
}

fn write(path: &Path, lines: &str) -> Result<()> {
    std::fs::write(path, lines).with_context(|| format!("{}: cannot be written", path.display()))
}

/// The boxes beside all faces, `[x, y, width, height]` in pixels.
fn mistakes(
    detector: &mut NetworkDetector,
    image: &GrayImage,
    annotation: &Annotation,
    threshold: f32,
) -> Result<Vec<[f32; 4]>> {
    let view = image_file::view(image)?;
    let is_beside = |found: &Region, face: &Region| {
        found.share_in(face) < BESIDE && face.share_in(found) < BESIDE
    };
    let mut all = Vec::new();
    for detection_size_px in SIDES {
        let options = Options {
            min_size_px: 1,
            detection_size_px,
            threshold,
            ..Options::default()
        };
        for candidate in detector.candidates(&view, &options)? {
            let found = candidate.region;
            let mut faces = annotation.boxes.iter().chain(&annotation.ignored);
            if faces.all(|face| is_beside(&found, face)) {
                all.push([found.x, found.y, found.width, found.height]);
            }
        }
    }
    Ok(all)
}
