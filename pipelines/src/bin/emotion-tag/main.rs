//! Tags archives of videos and images with faces and emotions.

mod archive_command;
mod input_names;

use std::env;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use emotion_pipelines::{
    decoders::Decoders,
    encoding_profile::EncodingQuality,
    runner::{self, StopFlag},
    shard::Shard,
    tag::{
        self, Options,
        event::RunTotals,
        hidden_arguments,
        limits::{Limits, MemorySize},
        moment::Moment,
        progress::TagProgress,
        settings::{RecordFileFormat, SamplingRate, Settings},
        usage::UsageError,
        worker,
    },
};

use archive_command::ArchiveCommand;
use input_names::InputNames;

/// Finds faces and their emotions in videos and images.
///
/// For each file such as a/clip.mp4 it writes into the folder of --out: a/clip.mp4.jsonl (or .csv, .parquet), a record for
/// each frame; a/clip.mp4.summary.json, the emotions of each person; a/clip.vtt, the emotions as captions. With --annotate
/// and --report also a/clip.mp4.annotated.mp4 and a/clip.mp4.html.
///
/// `emotion-tag table FOLDER` and `emotion-tag report FOLDER` put the results in a folder together: as a table of all faces
/// and a comparison of groups, and as one page. `emotion-tag list PATHS` lists the files that would be tagged, and
/// `emotion-tag merge FOLDER` completes an archive that several machines have tagged with --shard. Their --help says more.
///
/// A run that was stopped or killed continues when the same command is started again. The exit status is 0 if all files
/// are tagged, 1 if some cannot be tagged, 2 for a wrong command line, 75 if the same command may tag the rest (the disk
/// is full, a server does not answer, memory runs out, or SIGTERM ended the run), and 130 after Ctrl-C.
#[derive(Parser)]
#[command(name = "emotion-tag", version)]
struct Arguments {
    #[command(flatten)]
    inputs: InputNames,
    /// The folder for the results; it may be that of the videos, or an address with s3://
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Tag only a part of the files, such as 3/10: others are tagged elsewhere, and `emotion-tag merge` puts all together
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// Let other processes write results of other files into --out at the same time; each needs a name of its own
    #[arg(long, value_name = "NAME", value_parser = parse_work)]
    work: Option<String>,
    /// The file format of the records
    #[arg(long, value_enum, default_value_t)]
    format: RecordFileFormat,
    /// Analyse only this many frames, such as 5/s, 1/10s or 1/min [default: all]
    #[arg(long, value_name = "RATE")]
    every: Option<SamplingRate>,
    /// Also write a copy with boxes and labels, a video with its audio or a picture; with --every it has only the analysed frames
    #[arg(long)]
    annotate: bool,
    /// The quality of that video, 1 to 100 [default: 70]
    #[arg(long, value_name = "N", requires = "annotate", value_parser = parse_quality)]
    quality: Option<EncodingQuality>,
    /// Take the video track with this number, from 1 [default: the one that the file marks, or the first]
    #[arg(long, value_name = "N")]
    track: Option<NonZeroUsize>,
    /// Also write an HTML page with the timeline of each face
    #[arg(long)]
    report: bool,
    /// Also write the emotions of each face as a file for ELAN
    #[arg(long)]
    elan: bool,
    /// Keep small pictures of the faces, which the pages of --report and of `emotion-tag report` then show
    #[arg(long)]
    thumbnails: bool,
    /// Files to tag in parallel [default: the number of processors]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Give up a file after this many seconds without progress; a slow network share may need more
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = parse_timeout)]
    timeout: Duration,
    /// Give up a file that needs more memory, such as 500M or 4G [default: half of the machine's memory]
    #[arg(long, value_name = "SIZE")]
    memory: Option<MemorySize>,
    /// Keep what was tagged of a damaged file; it still counts as not tagged
    #[arg(long)]
    keep_partial: bool,
    /// Tag files again that were already tagged with the same settings
    #[arg(long, overrides_with = "resume")]
    no_resume: bool,
    /// Skip such files; this is the default
    #[arg(long)]
    resume: bool,
    /// The numbers in which the networks multiply: f32 gives the same results on all machines up to rounding,
    /// int8 needs weights from emotion-trainer quantize for both networks
    #[arg(long, value_parser = ["auto", "f32", "bf16", "int8"], default_value = "auto")]
    precision: String,
    /// Which decoders to use
    #[arg(long, value_enum, default_value_t)]
    decoders: Decoders,
    /// Properties of facedetect, such as 'min-size=60'
    #[arg(
        long,
        value_name = "PROPERTIES",
        default_value = "",
        hide_default_value = true
    )]
    facedetect: String,
    /// Properties of emotionclassify, such as 'model=mini_xception'
    #[arg(
        long,
        value_name = "PROPERTIES",
        default_value = "",
        hide_default_value = true
    )]
    emotionclassify: String,
    /// A moment at which all faces are at rest, such as 2.5 or 1:02: what each looks like in the second from then on is
    /// taken for its neutral expression. It acts on the faces that are seen then, and on the rest of the file
    #[arg(long, value_name = "TIME")]
    baseline: Option<Moment>,
    /// Report progress as lines of JSON on standard output
    #[arg(long)]
    json: bool,
    /// The program of the worker processes
    #[arg(long, value_name = "PROGRAM", hide = true)]
    worker: Option<PathBuf>,
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds above 0, such as 30".into())
}

/// The properties of an element whose network multiplies in these numbers; a property that the user has set counts more.
fn with_precision(precision: &str, properties: String) -> String {
    match precision {
        "auto" => properties,
        _ => format!("precision={precision} {properties}")
            .trim_end()
            .to_owned(),
    }
}

fn parse_work(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let is_name = !text.is_empty() && text.chars().all(is_plain);
    is_name
        .then(|| text.to_owned())
        .ok_or_else(|| "expected letters, digits, - and _, such as task-17".into())
}

fn parse_quality(text: &str) -> Result<EncodingQuality, String> {
    let number = text.parse::<u8>().map_err(|error| error.to_string())?;
    EncodingQuality::try_from(number).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    if worker::is_worker() {
        return match worker::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        };
    }
    if ArchiveCommand::is_named() {
        return ArchiveCommand::parse()
            .run()
            .unwrap_or_else(|error| failed(&error));
    }
    let arguments = match hidden_arguments::arguments() {
        Ok(arguments) => arguments,
        Err(error) => return failed(&error.into()),
    };
    let stop = StopFlag::default();
    match run(Arguments::parse_from(arguments), &stop) {
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

fn run(arguments: Arguments, stop: &StopFlag) -> anyhow::Result<RunTotals> {
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
            decoders: arguments.decoders,
            keep_partial: arguments.keep_partial,
            facedetect: with_precision(&arguments.precision, arguments.facedetect),
            emotionclassify: with_precision(&arguments.precision, arguments.emotionclassify),
            baseline: arguments.baseline,
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
