//! `emotion-trainer evaluate`.

mod light;
mod report;

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use emotion_models::inference::Precision;
use emotion_models::preprocess::{LightCorrection, Preprocessor};
use emotion_models::{Classifier, Emotion};
use indicatif::{ProgressBar, ProgressStyle};

use self::report::{Cost, Report};
use super::{save_figures, short_name, use_threads};
use crate::cli::EvaluateArgs;
use crate::data::{Dataset, Faces, Split};
use crate::emotion::metrics::{ClassificationMetrics, softmax};
use crate::emotion::plots;
use crate::run::network;

const CLASSES: usize = Emotion::ALL.len();

/// A probability for each emotion, face by face.
type Probabilities = Vec<[f64; CLASSES]>;

/// One way to look at the faces: once, or at their mirror images as well.
struct EvaluatedSplit {
    all: ClassificationMetrics,
    /// Of the faces that are no copies of Training rows.
    without_copies: ClassificationMetrics,
}

/// Reports how well weights, or the mean of several, do on one split, and draws it.
///
/// # Errors
///
/// When the weights or the data are broken, the split has no rows, or the figures cannot be
/// written.
pub fn run(args: &EvaluateArgs) -> Result<()> {
    use_threads(args.threads)?;
    let precision = args.dtype.unwrap_or_else(Precision::fastest);
    let networks = args.weights.iter();
    let networks = networks.map(|weights| classifier(weights, precision));
    let mut networks: Vec<Classifier> = networks.collect::<Result<_>>()?;
    let data = Dataset::load(&args.data)?;
    let faces = data.split(args.split);
    ensure!(
        !faces.is_empty(),
        "{} has no {} rows",
        args.data.display(),
        args.split
    );

    // Within Training every row is a copy of itself, which says nothing.
    let copies = (args.split != Split::Training).then(|| faces.copies_of(&data.training));
    let batch = args.batch.get();
    let (once, mirrored) = probabilities(&mut networks, faces, batch, args.light_correction)?;
    let light = args
        .light
        .then(|| light::table(&mut networks, faces, batch))
        .transpose()?;
    let look = |probabilities: &Probabilities| EvaluatedSplit {
        all: judge(probabilities, faces, |_| true),
        without_copies: judge(probabilities, faces, |row| {
            copies.as_ref().is_some_and(|copies| !copies[row])
        }),
    };
    let report = Report {
        weights: &args.weights,
        networks: &networks,
        precision,
        cost: Cost::of(&networks)?,
        split: args.split,
        copies: copies
            .as_ref()
            .map(|copies| copies.iter().filter(|&&copy| copy).count()),
        once: look(&once),
        mirrored: look(&mirrored),
        light_correction: args.light_correction,
        light,
    };
    if args.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.table());
    }
    if args.no_plots {
        return Ok(());
    }
    let title = format!("{} on {}", name(&args.weights), args.split);
    let folder = args.plots.clone().unwrap_or_else(|| {
        let folder = format!("{}-{}", name(&args.weights), args.split);
        Path::new("runs/evaluation").join(folder)
    });
    draw(&report.once.all, &title, &folder)
}

/// The weights in a file, or the built-in ones by their name, if they know FER-2013's labels.
fn classifier(weights: &Path, precision: Precision) -> Result<Classifier> {
    let classifier = Classifier::with_precision(&super::weights(weights)?, precision)?;
    let classifier = classifier.with_threads(rayon::current_num_threads());
    let labels = &classifier.metadata().labels;
    ensure!(
        *labels == Emotion::names(),
        "{} tells {} apart, FER-2013 has {}",
        weights.display(),
        labels.join(", "),
        Emotion::names().join(", ")
    );
    Ok(classifier)
}

/// What the weights are called in titles and folders.
fn name(weights: &[PathBuf]) -> String {
    match weights {
        [] => String::new(),
        [one] => short_name(one),
        [first, others @ ..] => format!("{}+{}", short_name(first), others.len()),
    }
}

/// The mean of what the networks say about each face in corrected light: about the face alone, and
/// about the face and its mirror image.
fn probabilities(
    networks: &mut [Classifier],
    faces: &Faces,
    batch: usize,
    light: LightCorrection,
) -> Result<(Probabilities, Probabilities)> {
    let bar = ProgressBar::new((networks.len() * faces.len()) as u64).with_style(
        ProgressStyle::with_template("{bar:24} {pos}/{len} faces, {eta} left")?,
    );
    let mut once = vec![[0.0; CLASSES]; faces.len()];
    let mut mirrored = once.clone();
    let share = 1.0 / networks.len() as f64;
    for network in networks {
        let size = network.metadata().input_size;
        let mut of_mirror_images = Vec::with_capacity(faces.len());
        let preprocessor = Preprocessor::new(size).with_light(light);
        let of_faces = network::logits(faces, &preprocessor, batch, |mut values, count| {
            let logits = network.logits(&values)?;
            values.chunks_exact_mut(size).for_each(<[f32]>::reverse);
            of_mirror_images.extend(network.logits(&values)?);
            bar.inc(count as u64);
            Ok(logits)
        })?;
        let temperature = f64::from(network.metadata().temperature);
        for (row, (face, mirror)) in of_faces.iter().zip(&of_mirror_images).enumerate() {
            let (face, mirror) = (softmax(face, temperature), softmax(mirror, temperature));
            for class in 0..CLASSES {
                once[row][class] += share * face[class];
                mirrored[row][class] += share * f64::midpoint(face[class], mirror[class]);
            }
        }
    }
    bar.finish_and_clear();
    Ok((once, mirrored))
}

/// Judges the rows that `counts`.
fn judge(
    probabilities: &Probabilities,
    faces: &Faces,
    counts: impl Fn(usize) -> bool,
) -> ClassificationMetrics {
    let rows = probabilities.iter().zip(faces.labels()).enumerate();
    ClassificationMetrics::of_probabilities(
        rows.filter(|(row, _)| counts(*row))
            .map(|(_, (probabilities, &label))| (probabilities.as_slice(), label)),
    )
}

/// Writes the figures to a folder and says so.
fn draw(evaluation: &ClassificationMetrics, title: &str, folder: &Path) -> Result<()> {
    save_figures(
        folder,
        &[
            ("confusion.svg", plots::confusion(evaluation, title)?),
            (
                "reliability.svg",
                plots::reliability(evaluation.reliability(), title)?,
            ),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(weights: &[&str]) -> String {
        name(&weights.iter().map(PathBuf::from).collect::<Vec<_>>())
    }

    #[test]
    fn weights_are_called_by_their_folder_and_file() {
        assert_eq!(name_of(&["mini_xception"]), "mini_xception");
        assert_eq!(name_of(&["runs/mine/best.safetensors"]), "mine-best");
        assert_eq!(name_of(&["../best.safetensors"]), "best");
        assert_eq!(name_of(&["/a/b.safetensors", "c", "d"]), "a-b+2");
    }
}
