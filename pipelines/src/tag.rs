//! Tags archives: finds the faces and their emotions in many files and leaves, for each, what was found.
//!
//! Each file is the work of one pipeline on its own, so what is found in it hangs neither on the files beside it nor on
//! how many are worked on at a time. Its results appear together when it is whole; a run that was stopped or killed
//! goes on with the files that have none.

mod audio;
mod captions;
mod collector;
mod container;
pub mod inputs;
mod parallel;
mod pipeline;
pub mod progress;
mod records;
mod report;
pub mod results;
pub mod settings;
mod summary;
mod thumbnails;
pub mod timeline;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;

use self::collector::FrameCollector;
use self::inputs::{InputFile, InputFiles};
pub use self::pipeline::FileProgress;
use self::pipeline::TaggingPipeline;
use self::progress::{FileOutcome, FileStats, RunTotals, TagProgress};
use self::records::RecordFile;
use self::results::{PendingResults, ResultFolder, SUMMARY};
use self::settings::Settings;
use self::summary::ExistingResults;
use self::thumbnails::FaceThumbnails;
use self::timeline::EmotionTimeline;
use crate::encoding_profile::EncodingProfile;
use crate::runner::StopFlag;

/// What to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// How each file is tagged.
    pub settings: Settings,
    /// The folder for results.
    pub out: PathBuf,
    /// Files that are worked on at a time.
    pub jobs: NonZeroUsize,
    /// Whether files with results are left as they are.
    pub resume: bool,
}

/// Tags the files that were found, and tells how it goes.
///
/// # Errors
///
/// When nothing can be tagged at all: the folder for results cannot be written, or the pipeline cannot be made. A file
/// that cannot be tagged is no error; it counts as failed.
pub fn run(
    options: &Options,
    found: &InputFiles,
    stop: &StopFlag,
    progress: &TagProgress<'_>,
) -> anyhow::Result<RunTotals> {
    let folder = ResultFolder::open(&options.out)?;
    let recording = match options.settings.annotate {
        true => Some(EncodingProfile::fastest()?),
        false => None,
    };
    let job = Job {
        options,
        folder: &folder,
        recording,
        stop,
        progress,
    };
    let mut totals = RunTotals {
        failed: found.unusable.len(),
        ..RunTotals::default()
    };
    for unusable in &found.unusable {
        progress.refused(&unusable.path, &unusable.reason);
    }
    let outcomes = parallel::run(&found.inputs, options.jobs, stop, |number, input| {
        let outcome = job.outcome(number, input);
        progress.ended(number, input, &outcome);
        outcome
    });
    for outcome in outcomes {
        match outcome {
            FileOutcome::Tagged(_) => totals.tagged += 1,
            FileOutcome::AlreadyTagged => totals.before += 1,
            FileOutcome::Failed(_) => totals.failed += 1,
            FileOutcome::Stopped => {}
        }
    }
    totals.stopped = stop.is_set();
    progress.finished(&totals);
    Ok(totals)
}

/// What all files have in common.
struct Job<'a, 'p> {
    options: &'a Options,
    folder: &'a ResultFolder,
    recording: Option<&'static EncodingProfile>,
    stop: &'a StopFlag,
    progress: &'a TagProgress<'p>,
}

impl Job<'_, '_> {
    fn outcome(&self, number: usize, input: &InputFile) -> FileOutcome {
        if self.stop.is_set() {
            return FileOutcome::Stopped;
        }
        let summary = self.folder.path(input, SUMMARY);
        match summary::existing_results(&summary, input, &self.options.settings) {
            ExistingResults::Complete if self.options.resume => return FileOutcome::AlreadyTagged,
            ExistingResults::OtherFile(other) => {
                return FileOutcome::Failed(format!(
                    "{} is about {}; another --out keeps both",
                    summary.display(),
                    other.display()
                ));
            }
            _ => {}
        }
        self.progress.started(number, input);
        let started = Instant::now();
        match self.tag(number, input) {
            Ok(Some(course)) => FileOutcome::Tagged(FileStats {
                frames: course.frames,
                persons: course.persons.len(),
                duration: course.end(),
                took: started.elapsed(),
            }),
            Ok(None) => FileOutcome::Stopped,
            Err(error) => FileOutcome::Failed(format!("{error:#}")),
        }
    }

    /// Tags a file; nothing when the user stopped it.
    fn tag(&self, number: usize, input: &InputFile) -> anyhow::Result<Option<EmotionTimeline>> {
        anyhow::ensure!(input.size > 0, "the file is empty");
        if let Some(stated) = container::missing_end(&input.path)? {
            anyhow::bail!(
                "the file is cut short: it has {} bytes and says that it has {stated}",
                input.size
            );
        }
        let settings = &self.options.settings;
        let mut results = self.folder.results(input, number)?;
        let extension = settings.format.extension();
        let records = results.add(extension);
        let video = self.recording.map(|recording| {
            let suffix = format!("annotated.{}", recording.extension);
            (recording, results.add(&suffix), results.path(&suffix))
        });
        let source = input
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let tagging = TaggingPipeline {
            file: &input.path,
            settings,
            video: video
                .as_ref()
                .map(|(recording, growing, _)| (*recording, growing.as_path())),
            collector: FrameCollector {
                records: RecordFile::create(settings.format, &records, &results.path(extension))?,
                course: EmotionTimeline::default(),
                thumbnails: settings.thumbnails.then(FaceThumbnails::default),
                source: source.clone(),
                is_sampled: settings.every.is_some(),
                format: None,
            },
        };
        let collected = tagging.run(
            self.stop,
            &mut |position| self.progress.at(number, input, &position),
            &mut |warning| self.progress.warned(input, &warning),
        )?;
        let Some(collected) = collected else {
            return Ok(None);
        };
        collected.records.finish()?;
        let mut course = collected.course;
        course.finish();
        let video =
            video.and_then(|(_, _, whole)| Some(whole.file_name()?.to_string_lossy().into_owned()));
        self.write(
            results,
            input,
            &source,
            &course,
            collected.thumbnails.as_ref(),
            video,
        )?;
        Ok(Some(course))
    }

    fn write(
        &self,
        mut results: PendingResults<'_>,
        input: &InputFile,
        source: &str,
        course: &EmotionTimeline,
        thumbnails: Option<&FaceThumbnails>,
        video: Option<String>,
    ) -> anyhow::Result<()> {
        let settings = &self.options.settings;
        results.write("vtt", &captions::web_vtt(course))?;
        if settings.report {
            let page = report::html(source, video.as_deref(), course, thumbnails);
            results.write("html", &page.context("the report is no JSON")?)?;
        }
        let names = results.names();
        let summary = summary::json(input, settings, &names, course);
        results.publish(&summary.context("the summary is no JSON")?)
    }
}
