//! `emotion-tag`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{CommandFactory as _, Parser};

use super::archive::ArchiveCommand;
use super::input_names::InputNames;
use crate::decoders::Decoders;
use crate::encoding_profile::EncodingQuality;
use crate::shard::Shard;
use crate::tag::limits::MemorySize;
use crate::tag::moment::Moment;
use crate::tag::settings::{RecordFileFormat, SamplingRate};

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
pub struct TagArgs {
    /// The files
    #[command(flatten)]
    pub inputs: InputNames,
    /// The folder for the results; it may be that of the videos, or an address with s3://
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Tag only a part of the files, such as 3/10: others are tagged elsewhere, and `emotion-tag merge` puts all together
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    /// Let other processes write results of other files into --out at the same time; each needs a name of its own
    #[arg(long, value_name = "NAME", value_parser = parse_work)]
    pub work: Option<String>,
    /// The file format of the records
    #[arg(long, value_enum, default_value_t)]
    pub format: RecordFileFormat,
    /// Analyse only this many frames, such as 5/s, 1/10s or 1/min [default: all]
    #[arg(long, value_name = "RATE")]
    pub every: Option<SamplingRate>,
    /// Also write a copy with boxes and labels, a video with its audio or a picture; with --every it has only the analysed frames
    #[arg(long)]
    pub annotate: bool,
    /// The quality of that video, 1 to 100 [default: 70]
    #[arg(long, value_name = "N", requires = "annotate", value_parser = parse_quality)]
    pub quality: Option<EncodingQuality>,
    /// Take the video track with this number, from 1 [default: the one that the file marks, or the first]
    #[arg(long, value_name = "N")]
    pub track: Option<NonZeroUsize>,
    /// Also write an HTML page with the timeline of each face
    #[arg(long)]
    pub report: bool,
    /// Also write the emotions of each face as a file for ELAN
    #[arg(long)]
    pub elan: bool,
    /// Keep small pictures of the faces, which the pages of --report and of `emotion-tag report` then show
    #[arg(long)]
    pub thumbnails: bool,
    /// Files to tag in parallel [default: the number of processors]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Give up a file after this many seconds without progress; a slow network share may need more
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = parse_timeout)]
    pub timeout: Duration,
    /// Give up a file that needs more memory, such as 500M or 4G [default: half of the machine's memory]
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<MemorySize>,
    /// Keep what was tagged of a damaged file; it still counts as not tagged
    #[arg(long)]
    pub keep_partial: bool,
    /// Tag files again that were already tagged with the same settings
    #[arg(long, overrides_with = "resume")]
    pub no_resume: bool,
    /// Skip such files; this is the default
    #[arg(long)]
    pub resume: bool,
    /// The numbers in which the networks multiply: f32 gives the same results on all machines up to rounding,
    /// int8 needs weights from emotion-trainer quantize for both networks
    #[arg(long, value_parser = ["auto", "f32", "bf16", "int8"], default_value = "auto")]
    pub precision: String,
    /// Which decoders to use
    #[arg(long, value_enum, default_value_t)]
    pub decoders: Decoders,
    /// Properties of facedetect, such as 'min-size=60'
    #[arg(
        long,
        value_name = "PROPERTIES",
        default_value = "",
        hide_default_value = true
    )]
    pub facedetect: String,
    /// Properties of emotionclassify, such as 'model=mini_xception'
    #[arg(
        long,
        value_name = "PROPERTIES",
        default_value = "",
        hide_default_value = true
    )]
    pub emotionclassify: String,
    /// A moment at which all faces are at rest, such as 2.5 or 1:02: what each looks like in the second from then on is
    /// taken for its neutral expression. It acts on the faces that are seen then, and on the rest of the file
    #[arg(long, value_name = "TIME")]
    pub baseline: Option<Moment>,
    /// Report progress as lines of JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// The program of the worker processes
    #[arg(long, value_name = "PROGRAM", hide = true)]
    pub worker: Option<PathBuf>,
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds above 0, such as 30".into())
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

/// All of `emotion-tag`, with the commands about an archive, as manual pages and completions show it.
#[must_use]
pub fn tag_command() -> clap::Command {
    TagArgs::command()
        .subcommands(ArchiveCommand::command().get_subcommands().cloned())
        .args_conflicts_with_subcommands(true)
        .subcommand_negates_reqs(true)
}
