//! Tags archives of videos and images with faces and emotions.

mod archive_command;

use std::env;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use emotion_pipelines::{
    cli::{ArchiveCommand, TagArgs},
    runner::{self, StopFlag},
    tag::{
        self, Options, event::RunTotals, hidden_arguments, limits::Limits, progress::TagProgress,
        settings::Settings, usage::UsageError, worker,
    },
    trace,
};

/// The properties of an element whose network multiplies in these numbers; a property that the user has set counts more.
fn with_precision(precision: &str, properties: String) -> String {
    match precision {
        "auto" => properties,
        _ => format!("precision={precision} {properties}")
            .trim_end()
            .to_owned(),
    }
}

fn main() -> ExitCode {
    if let Err(error) = trace::start() {
        return failed(&error);
    }
    if worker::is_worker() {
        return match worker::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        };
    }
    if ArchiveCommand::is_named() {
        return archive_command::run(ArchiveCommand::parse())
            .unwrap_or_else(|error| failed(&error));
    }
    let arguments = match hidden_arguments::arguments() {
        Ok(arguments) => arguments,
        Err(error) => return failed(&error.into()),
    };
    let stop = StopFlag::default();
    match run(TagArgs::parse_from(arguments), &stop) {
        Ok(RunTotals { stopped: true, .. }) if stop.is_terminated() => {
            ExitCode::from(runner::TRY_AGAIN)
        }
        Ok(RunTotals { stopped: true, .. }) => ExitCode::from(runner::INTERRUPTED),
        Ok(RunTotals { failed: 0, .. }) => ExitCode::SUCCESS,
        Ok(totals) if totals.failed == totals.temporary => ExitCode::from(runner::TRY_AGAIN),
        Ok(_) => ExitCode::FAILURE,
        Err(error) => failed(&error),
    }
}

/// Prints the error; the exit status is 2 if the command line has to change, otherwise 1.
fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("emotion-tag: {error:#}");
    ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
}

fn run(arguments: TagArgs, stop: &StopFlag) -> anyhow::Result<RunTotals> {
    stop.set_on_signal()?;
    emotion_pipelines::init()?;
    let mut inputs = arguments.inputs.scan()?;
    if let Some(shard) = arguments.shard {
        inputs.keep_shard(shard);
    }
    let jobs = arguments
        .jobs
        .or_else(|| std::thread::available_parallelism().ok());
    let options = Options {
        settings: Settings {
            format: arguments.format,
            every: arguments.every,
            track: arguments.track.map(NonZeroUsize::get),
            annotate: arguments.annotate,
            quality: arguments.quality.unwrap_or_default(),
            report: arguments.report,
            elan: arguments.elan,
            thumbnails: arguments.thumbnails,
            keep_partial: arguments.keep_partial,
            facedetect: with_precision(&arguments.precision, arguments.facedetect),
            emotionclassify: with_precision(&arguments.precision, arguments.emotionclassify),
            baseline: arguments.baseline,
            decoders: arguments.decoders,
            ..Settings::default()
        },
        out: arguments.out.into(),
        shard: arguments.shard,
        work: arguments.work,
        jobs: jobs.unwrap_or(NonZeroUsize::MIN),
        resume: !arguments.no_resume,
        limits: Limits {
            timeout: arguments.timeout,
            memory: arguments.memory.or(Limits::default().memory),
        },
        worker: match arguments.worker {
            Some(worker) => worker,
            None => env::current_exe().context("cannot find this program for worker processes")?,
        },
    };
    let mut out = std::io::stdout();
    let progress = if arguments.json {
        TagProgress::json(&mut out)
    } else {
        TagProgress::terminal(inputs.files.iter().map(|input| input.size).sum())
    };
    tag::run(&options, &inputs, stop, &progress)
}
