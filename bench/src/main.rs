//! `make bench`: compares the speed of each part with that of a peer, both measured in turn in one run.

#![allow(clippy::print_stdout, reason = "the table is what this program prints")]

mod args;
mod comparison;
mod detect;
mod elements;
mod engine;
mod harness;
mod integers;
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

use anyhow::{Context, Result, ensure};
use clap::Parser;
use emotion_pipelines::tag::worker;

use args::Args;
use report::BenchReport;

// As in the trainer, whose speed is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    // emotion-tag's comparison starts this program as its worker process.
    if worker::is_worker() {
        return worker::run();
    }
    let args = Args::parse();
    if args.profile {
        return profile::print();
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads.get())
        .build_global()
        .context("cannot start the threads")?;
    let comparisons = [
        train::comparisons(),
        engine::comparisons(),
        integers::comparisons(),
        load::comparisons(),
        preprocess::comparisons(),
        overlay::comparisons(),
        tag::comparisons(),
        detect::comparisons(),
        track::comparisons(),
        elements::comparisons(),
    ];
    let mut report = BenchReport::new(args.threads);
    let mut names = Vec::new();
    for comparison in comparisons.into_iter().flatten() {
        if comparison.name.starts_with(&args.only) {
            eprintln!("{} …", comparison.name);
            report.add(comparison.run(&args)?);
        }
        names.push(comparison.name);
    }
    ensure!(
        !report.is_empty(),
        "--only {}: no comparison has such a name, expected the beginning of one of {}",
        args.only,
        names.join(", "),
    );
    report.save(&args.out)?;
    print!("{report}");
    println!("\nas JSON in {}", args.out.display());
    Ok(())
}
