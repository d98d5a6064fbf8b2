//! `emotion-trainer evaluate`.

mod figures;
mod light;
mod people;
pub(super) mod probabilities;
mod report;
mod robust;

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use emotion_models::inference::Precision;
use emotion_models::{Classifier, Emotion};

use self::people::PeopleReport;
use self::probabilities::{Probabilities, Side, classify, evaluate_rows};
use self::report::{EvaluatedSplit, EvaluationReport, NetworkCost};
use super::common::{load_weights, save_figures, short_name, use_threads};
use crate::cli::EvaluateArgs;
use crate::data::{Dataset, Split};
use crate::emotion::metrics::ClassificationMetrics;
use crate::emotion::plots;

/// Evaluates weights, or the mean of several, on one split.
///
/// # Errors
///
/// When the weights or the data are broken, the split has no rows, or the figures cannot be
/// written.
pub fn run(args: &EvaluateArgs) -> Result<()> {
    use_threads(args.threads)?;
    let networks = args.weights.iter();
    let networks = networks.map(|weights| classifier(weights, args.dtype));
    let mut networks: Vec<Classifier> = networks.collect::<Result<_>>()?;
    let mut data = Dataset::load_with_votes(&args.data, args.votes.as_deref())?;
    let split = args.split.unwrap_or(Split::Private);
    let is_whole = args.split.is_none() && data.is_undivided();
    if is_whole {
        data.merge();
        eprintln!(
            "{} is not divided into splits: all its pictures are evaluated (--split private: the tenth that train holds out)",
            args.data.display()
        );
    }
    let faces = data.split(split);
    ensure!(
        !faces.is_empty(),
        "{} has no {split} rows",
        args.data.display(),
    );

    // Within Training every row would be a copy of itself.
    let copies = (split != Split::Training && !is_whole).then(|| faces.copies_of(&data.training));
    let batch = args.batch.get();
    let mut of_side = |side| classify(&mut networks, faces, batch, args.light_correction, side);
    let (once, mirrored) = (of_side(Side::AsIs)?, of_side(Side::Mirrored)?);
    let mirrored = once.mean_with(&mirrored);
    let once = once.probabilities;
    let light = args
        .light
        .then(|| light::table(&mut networks, faces, batch))
        .transpose()?;
    let robust = args
        .robust
        .then(|| robust::table(&mut networks, faces, batch))
        .transpose()?;
    let threshold = match &networks[..] {
        [network] => network.metadata().threshold.map(f64::from),
        _ => None,
    };
    let evaluate = |probabilities: &Probabilities| EvaluatedSplit {
        all: evaluate_rows(probabilities, faces, |_| true),
        without_copies: evaluate_rows(probabilities, faces, |row| {
            copies.as_ref().is_some_and(|copies| !copies[row])
        }),
    };
    let report = EvaluationReport {
        weights: &args.weights,
        networks: &networks,
        cost: NetworkCost::of(&networks)?,
        split,
        copies: copies
            .as_ref()
            .map(|copies| copies.iter().filter(|&&copy| copy).count()),
        once: evaluate(&once),
        mirrored: evaluate(&mirrored),
        people: PeopleReport::new([&once, &mirrored], faces, threshold),
        light_correction: args.light_correction,
        light,
        robust,
    };
    if args.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.table());
    }
    if args.no_plots {
        return Ok(());
    }
    let title = format!("{} on {}", name(&args.weights), split);
    let folder = args.plots.clone().unwrap_or_else(|| {
        let folder = format!("{}-{}", name(&args.weights), split);
        Path::new("runs/evaluation").join(folder)
    });
    draw(&report, &title, &folder)
}

/// Loads weights with FER-2013's labels.
fn classifier(path: &Path, precision: Option<Precision>) -> Result<Classifier> {
    let weights = load_weights(path)?;
    let precision = precision.unwrap_or_else(|| weights.fastest_precision());
    let classifier = Classifier::with_precision(&weights, precision)?;
    let classifier = classifier.with_threads(rayon::current_num_threads());
    let labels = &classifier.metadata().labels;
    ensure!(
        *labels == Emotion::names(),
        "{} has the labels {}, FER-2013 has {}: choose weights for the same emotions",
        path.display(),
        labels.join(", "),
        Emotion::names().join(", ")
    );
    Ok(classifier)
}

/// The name of the weights in titles and folders.
fn name(weights: &[PathBuf]) -> String {
    match weights {
        [] => String::new(),
        [one] => short_name(one),
        [first, others @ ..] => format!("{}+{}", short_name(first), others.len()),
    }
}

/// Draws the figures to a folder.
fn draw(report: &EvaluationReport<'_>, title: &str, folder: &Path) -> Result<()> {
    let figures = |evaluation: &ClassificationMetrics, reliability, title: &str| {
        anyhow::Ok([
            plots::confusion(evaluation, title)?,
            plots::reliability(reliability, title)?,
        ])
    };
    let labels = &report.once.all;
    let [confusion, reliability] = figures(labels, labels.reliability(), title)?;
    let mut drawn = vec![
        ("confusion.svg", confusion),
        ("reliability.svg", reliability),
    ];
    if let Some(people) = &report.people {
        let metrics = &people.once;
        let title = format!("{title}, by people's votes");
        let [confusion, reliability] = figures(metrics.majority(), metrics.reliability(), &title)?;
        drawn.push(("people-confusion.svg", confusion));
        drawn.push(("people-reliability.svg", reliability));
    }
    save_figures(folder, &drawn)
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
