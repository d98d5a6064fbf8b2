//! Tags archives of videos and images with faces and emotions.

use std::env;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use emotion_pipelines::{
    archive::{Archive, Grouping},
    encoding_profile::EncodingQuality,
    runner::{self, StopFlag},
    tag::{
        self, Options,
        event::RunTotals,
        hidden_arguments,
        inputs::{self, InputArguments},
        limits::{Limits, MemorySize},
        moment::Moment,
        progress::TagProgress,
        settings::{RecordFileFormat, SamplingRate, Settings},
        usage::UsageError,
        worker,
    },
};

/// Finds faces and their emotions in videos and images.
///
/// For each file such as a/clip.mp4 it writes into the folder of --out: a/clip.mp4.jsonl (or .csv, .parquet), a record for
/// each frame; a/clip.mp4.summary.json, the emotions of each person; a/clip.vtt, the emotions as captions. With --annotate
/// and --report also a/clip.mp4.annotated.mp4 and a/clip.mp4.html.
///
/// `emotion-tag table FOLDER` and `emotion-tag report FOLDER` put the results in a folder together: as a table of all faces
/// and a comparison of groups, and as one page (their --help says more).
///
/// A run that was stopped or killed continues when the same command is started again. The exit status is 0 if all files
/// are tagged, 1 if some cannot be tagged, 2 for a wrong command line, and 130 after Ctrl-C.
#[derive(Parser)]
#[command(name = "emotion-tag", version)]
struct Arguments {
    /// Files, folders, patterns such as 'talks/*.mp4', addresses with http://, https:// or file://, and - for standard input
    #[arg(required_unless_present = "list", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A file with one path or pattern per line, or paths that end with NUL, relative to that file; - is standard input
    #[arg(long, value_name = "FILE")]
    list: Vec<PathBuf>,
    /// Name results by the path below this folder or address [default: the folder that was named; the name alone for a file]
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,
    /// The name for the results of standard input, such as talks/1.mp4
    #[arg(long, value_name = "NAME")]
    name: Option<PathBuf>,
    /// The folder for the results; it may be that of the videos
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
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

/// Puts the results of an archive together.
#[derive(Parser)]
#[command(name = "emotion-tag", version)]
enum ArchiveCommand {
    /// Write archive.parquet and archive.csv, a row for each face of each file, and archive.groups.csv, the groups compared
    Table(ArchiveArguments),
    /// Write archive.html, a page with all files, to be searched: groups, the emotions of each face over time, and the
    /// pictures of faces that --thumbnails has kept
    Report(ArchiveArguments),
}

#[derive(clap::Args)]
struct ArchiveArguments {
    /// The folder of --out, with the results of one or more runs
    folder: PathBuf,
    /// Groups of files: what this regular expression finds in their paths, such as '^(\d{4})-' [default: the first folder]
    #[arg(long, value_name = "PATTERN")]
    group: Option<Grouping>,
}

impl ArchiveCommand {
    /// Whether the command line names one of these commands; a folder of such a name is ./table.
    fn is_named() -> bool {
        env::args_os()
            .nth(1)
            .is_some_and(|name| name == "table" || name == "report")
    }

    /// Returns whether all results could be read.
    fn run(self) -> anyhow::Result<bool> {
        let (Self::Table(arguments) | Self::Report(arguments)) = &self;
        let grouping = arguments.group.clone().unwrap_or_default();
        let archive = Archive::read(&arguments.folder)?;
        for (path, reason) in &archive.unreadable {
            eprintln!("emotion-tag: {}: {reason}", path.display());
        }
        let mut out = std::io::stdout();
        let written = match self {
            Self::Table(_) => {
                write!(out, "{}", archive.groups_text(&grouping))?;
                archive.write_tables(&grouping)?
            }
            Self::Report(_) => vec![archive.write_page(&grouping)?],
        };
        for path in written {
            writeln!(out, "{}", path.display())?;
        }
        Ok(archive.unreadable.is_empty())
    }
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds above 0, such as 30".into())
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
        return match ArchiveCommand::parse().run() {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => failed(&error),
        };
    }
    let arguments = match hidden_arguments::arguments() {
        Ok(arguments) => arguments,
        Err(error) => return failed(&error.into()),
    };
    match run(Arguments::parse_from(arguments)) {
        Ok(RunTotals { stopped: true, .. }) => ExitCode::from(runner::INTERRUPTED),
        Ok(RunTotals { failed: 0, .. }) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => failed(&error),
    }
}

/// Prints the error; the exit status is 2 if the command line has to change, otherwise 1.
fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("emotion-tag: {error:#}");
    ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
}

fn run(arguments: Arguments) -> anyhow::Result<RunTotals> {
    let stop = StopFlag::default();
    stop.set_on_signal()?;
    emotion_pipelines::init()?;
    let inputs = inputs::scan(InputArguments {
        paths: &arguments.paths,
        lists: &arguments.list,
        root: arguments.root.as_deref(),
        name: arguments.name.as_deref(),
    })?;
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
            facedetect: arguments.facedetect,
            emotionclassify: arguments.emotionclassify,
            baseline: arguments.baseline,
            ..Settings::default()
        },
        out: arguments.out,
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
    tag::run(&options, &inputs, &stop, &progress)
}
