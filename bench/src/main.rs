//! `make bench`: every figure beside that of a peer, both measured in turn in one run.

#![allow(clippy::print_stdout, reason = "the table is what this program prints")]

mod detect;
mod engine;
mod load;
mod measure;
mod overlay;
mod peak;
mod peer;
mod preprocess;
mod profile;
mod report;
mod stock;
mod tag;
mod track;
mod train;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Parser;

use report::{Outcome, Report};

// As in the trainer, whose speed is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measure against others who do the same, both in turn in one run
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Measure only what begins so: `train`, `train/mini_xception`
    #[arg(long, value_name = "NAME", default_value = "")]
    only: String,

    /// Threads for either side in training; inference is measured on one
    #[arg(long, value_name = "N", default_value = "2")]
    threads: NonZeroUsize,

    /// Turns of either side; the median counts
    #[arg(long, value_name = "N", default_value = "11")]
    rounds: NonZeroUsize,

    /// The Python that has the peers' packages
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,

    /// YuNet's weights, face_detection_yunet_2023mar.onnx [default: where the project's data are]
    #[arg(long, value_name = "FILE")]
    yunet: Option<PathBuf>,

    /// Instead of comparing, show how long each step of the engine takes for a face, or for a frame of the detector
    #[arg(long)]
    profile: bool,

    /// Where the figures go, as JSON
    #[arg(long, value_name = "FILE", default_value = "target/bench.json")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    if args.profile {
        return profile::print();
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads.get())
        .build_global()
        .context("cannot start the threads")?;
    let mut report = Report::new(args.threads);
    let mut names = Vec::new();
    let comparisons = train::comparisons()
        .map(Comparison::Train)
        .chain(engine::comparisons().map(Comparison::Engine))
        .chain(load::comparisons().map(Comparison::Load))
        .chain(preprocess::comparisons().map(Comparison::Preprocess))
        .chain(overlay::comparisons().map(Comparison::Overlay))
        .chain(tag::comparisons().map(Comparison::Tag))
        .chain(detect::comparisons().map(Comparison::Detect))
        .chain(track::comparisons().map(Comparison::Track));
    for comparison in comparisons {
        let name = comparison.name();
        if name.starts_with(&args.only) {
            eprintln!("{name} …");
            report.add(comparison.measure(&args)?);
        }
        names.push(name);
    }
    ensure!(
        !report.is_empty(),
        "--only {}: nothing of that name, expected the beginning of one of {}",
        args.only,
        names.join(", "),
    );
    report.save(&args.out)?;
    print!("{report}");
    println!("\nas JSON in {}", args.out.display());
    Ok(())
}

/// Something that is measured.
enum Comparison {
    Train(train::Comparison),
    Engine(engine::Comparison),
    Load(load::Comparison),
    Preprocess(preprocess::Comparison),
    Overlay(overlay::Comparison),
    Tag(tag::Comparison),
    Detect(detect::Comparison),
    Track(track::Comparison),
}

impl Comparison {
    fn name(&self) -> String {
        match self {
            Self::Train(comparison) => comparison.name(),
            Self::Engine(comparison) => comparison.name(),
            Self::Load(comparison) => comparison.name(),
            Self::Preprocess(comparison) => comparison.name(),
            Self::Overlay(comparison) => comparison.name(),
            Self::Tag(comparison) => comparison.name(),
            Self::Detect(comparison) => comparison.name(),
            Self::Track(comparison) => comparison.name(),
        }
    }

    fn measure(&self, args: &Args) -> Result<Vec<Outcome>> {
        match self {
            Self::Train(comparison) => comparison.measure(args),
            Self::Engine(comparison) => comparison.measure(args),
            Self::Load(comparison) => comparison.measure(args),
            Self::Preprocess(comparison) => comparison.measure(args),
            Self::Overlay(comparison) => comparison.measure(args),
            Self::Tag(comparison) => comparison.measure(args),
            Self::Detect(comparison) => comparison.measure(args),
            Self::Track(comparison) => comparison.measure(args),
        }
    }
}
