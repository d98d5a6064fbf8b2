//! Tags archives: finds the faces and their emotions in many files and writes results for each file.
//!
//! A pipeline of its own analyses each file, so its results depend neither on the other files nor on how many are analysed
//! in parallel. The results of a file appear together when they are complete. A run that was stopped or killed continues
//! with the files without results.

mod audio;
mod captions;
pub mod classifier;
mod collector;
mod container;
pub mod event;
pub mod inputs;
pub mod moment;
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

use self::classifier::ClassifierIdentity;
use self::collector::FrameCollector;
use self::event::{Event, FileOutcome, FileStats, RunTotals};
use self::inputs::{InputFile, InputFiles};
use self::pipeline::TaggingPipeline;
use self::progress::TagProgress;
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
    /// The folder for the results.
    pub out: PathBuf,
    /// Number of files that are tagged in parallel.
    pub jobs: NonZeroUsize,
    /// Whether to skip files that have results.
    pub resume: bool,
}

/// Tags `inputs` and reports the progress.
///
/// A file that cannot be tagged is no error; it counts as failed.
///
/// # Errors
///
/// If nothing can be tagged at all, because the classifier does not start, the folder for the results is not writable or no
/// video encoder is installed.
pub fn run(
    options: &Options,
    inputs: &InputFiles,
    stop: &StopFlag,
    progress: &TagProgress<'_>,
) -> anyhow::Result<RunTotals> {
    let mut options = options.clone();
    let classifier = ClassifierIdentity::of(&options.settings.emotionclassify)?;
    options.settings.classifier = Some(classifier);
    let options = &options;
    let folder = ResultFolder::open(&options.out)?;
    let encoding = match options.settings.annotate {
        true => Some(EncodingProfile::fastest()?),
        false => None,
    };
    let tagger = Tagger {
        options,
        folder: &folder,
        encoding,
        stop,
        progress,
    };
    for rejected in &inputs.rejected {
        progress.report(Event::Rejected(&rejected.path, &rejected.reason));
    }
    let outcomes = parallel::run(&inputs.files, options.jobs, stop, |number, input| {
        let outcome = tagger.outcome(number, input);
        progress.report(Event::Ended(number, input, &outcome));
        outcome
    });
    let mut totals = RunTotals {
        failed: inputs.rejected.len(),
        stopped: stop.is_set(),
        ..RunTotals::default()
    };
    for outcome in outcomes {
        match outcome {
            FileOutcome::Tagged(_) => totals.tagged += 1,
            FileOutcome::AlreadyTagged => totals.already_tagged += 1,
            FileOutcome::Failed(_) => totals.failed += 1,
            FileOutcome::Stopped => {}
        }
    }
    progress.report(Event::Finished(totals));
    Ok(totals)
}

/// Tags one file after another; shared by all threads.
struct Tagger<'a, 'p> {
    options: &'a Options,
    folder: &'a ResultFolder,
    encoding: Option<&'static EncodingProfile>,
    stop: &'a StopFlag,
    progress: &'a TagProgress<'p>,
}

impl Tagger<'_, '_> {
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
        self.progress.report(Event::Started(number, input));
        let started = Instant::now();
        match self.tag(number, input) {
            Ok(Some(timeline)) => FileOutcome::Tagged(FileStats {
                frames: timeline.frames,
                persons: timeline.persons.len(),
                duration: timeline.end(),
                elapsed: started.elapsed(),
            }),
            Ok(None) => FileOutcome::Stopped,
            Err(error) => FileOutcome::Failed(format!("{error:#}")),
        }
    }

    /// Tags a file; `None` if the user stopped the run.
    fn tag(&self, number: usize, input: &InputFile) -> anyhow::Result<Option<EmotionTimeline>> {
        anyhow::ensure!(input.size > 0, "the file is empty");
        if let Some(stated) = container::missing_end(&input.path)? {
            anyhow::bail!(
                "the file is cut short: it has {} bytes, and its container states {stated}",
                input.size
            );
        }
        let settings = &self.options.settings;
        let mut results = self.folder.results(input, number)?;
        let extension = settings.format.extension();
        let records = results.add(extension);
        let video = self
            .encoding
            .map(|encoding| (encoding, results.add(&annotated(encoding))));
        let pipeline = TaggingPipeline {
            file: &input.path,
            settings,
            video: video
                .as_ref()
                .map(|(encoding, path)| (*encoding, path.as_path())),
            collector: FrameCollector {
                records: RecordFile::create(settings.format, &records, &results.path(extension))?,
                timeline: EmotionTimeline::default(),
                thumbnails: settings.thumbnails.then(FaceThumbnails::default),
                source: input.file_name(),
                is_sampled: settings.every.is_some(),
                format: None,
            },
        };
        let collected = pipeline.run(
            self.stop,
            &mut |at| self.progress.report(Event::Progress(number, input, at)),
            &mut |warning| self.progress.report(Event::Warning(input, warning)),
        )?;
        let Some(collected) = collected else {
            return Ok(None);
        };
        collected.records.finish()?;
        let mut timeline = collected.timeline;
        timeline.finish();
        self.write(results, input, &timeline, collected.thumbnails.as_ref())?;
        Ok(Some(timeline))
    }

    /// Writes the results that are made from the timeline, and publishes all results.
    fn write(
        &self,
        mut results: PendingResults<'_>,
        input: &InputFile,
        timeline: &EmotionTimeline,
        thumbnails: Option<&FaceThumbnails>,
    ) -> anyhow::Result<()> {
        let settings = &self.options.settings;
        results.write("vtt", &captions::web_vtt(timeline))?;
        if settings.report {
            let file = input.file_name();
            let video = self
                .encoding
                .map(|encoding| results.name(&annotated(encoding)));
            let page = report::html(&file, video.as_deref(), timeline, thumbnails);
            results.write("html", &page.context("cannot write the report as JSON")?)?;
        }
        let names = results.names();
        let summary = summary::json(input, settings, &names, timeline);
        results.publish(&summary.context("cannot write the summary as JSON")?)
    }
}

/// The suffix of the annotated video.
fn annotated(encoding: &EncodingProfile) -> String {
    format!("annotated.{}", encoding.extension)
}
