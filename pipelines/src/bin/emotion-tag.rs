//! Tags archives of videos and images with faces and emotions.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use emotion_pipelines::{
    runner::{self, StopFlag},
    tag::{
        self, Options,
        event::RunTotals,
        inputs,
        moment::Moment,
        progress::TagProgress,
        settings::{RecordFileFormat, SamplingRate, Settings},
    },
};

/// Finds faces and their emotions in videos and images.
///
/// For each file NAME it writes into the folder of --out: NAME.jsonl (or .csv, .parquet), a record for each frame;
/// NAME.summary.json, the emotions of each person; NAME.vtt, the emotions as captions. With --annotate and --report also
/// NAME.annotated.mp4 and NAME.html.
///
/// A run that was stopped or killed continues when the same command is started again. The exit status is 0 if all files
/// are tagged, 1 if some cannot be tagged, 2 for a wrong command line, and 130 after Ctrl-C.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Files, folders and patterns such as 'talks/*.mp4'
    #[arg(required_unless_present = "list", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A file with one path or pattern per line, relative to that file; - is standard input
    #[arg(long, value_name = "FILE")]
    list: Vec<PathBuf>,
    /// The folder for the results
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The file format of the records
    #[arg(long, value_enum, default_value_t)]
    format: RecordFileFormat,
    /// Analyse only this many frames, such as 5/s, 1/10s or 1/min [default: all]
    #[arg(long, value_name = "RATE")]
    every: Option<SamplingRate>,
    /// Also write a video with boxes and labels, and with its audio; with --every it has only the analysed frames
    #[arg(long)]
    annotate: bool,
    /// Also write an HTML page with the timeline of each face
    #[arg(long)]
    report: bool,
    /// Show the faces on that page, which then contains pictures of people
    #[arg(long, requires = "report")]
    thumbnails: bool,
    /// Files to tag in parallel [default: the number of processors]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
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
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(RunTotals { stopped: true, .. }) => ExitCode::from(runner::INTERRUPTED),
        Ok(RunTotals { failed: 0, .. }) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("emotion-tag: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<RunTotals> {
    emotion_pipelines::init()?;
    let stop = StopFlag::default();
    stop.set_on_signal()?;
    let inputs = inputs::scan(&arguments.paths, &arguments.list, &arguments.out);
    let jobs = arguments
        .jobs
        .or_else(|| std::thread::available_parallelism().ok());
    let options = Options {
        settings: Settings {
            format: arguments.format,
            every: arguments.every,
            annotate: arguments.annotate,
            report: arguments.report,
            thumbnails: arguments.thumbnails,
            facedetect: arguments.facedetect,
            emotionclassify: arguments.emotionclassify,
            baseline: arguments.baseline,
            ..Settings::default()
        },
        out: arguments.out,
        jobs: jobs.unwrap_or(NonZeroUsize::MIN),
        resume: !arguments.no_resume,
    };
    let mut out = std::io::stdout();
    let progress = if arguments.json {
        TagProgress::json(&mut out)
    } else {
        TagProgress::terminal(inputs.files.iter().map(|input| input.size).sum())
    };
    tag::run(&options, &inputs, &stop, &progress)
}
