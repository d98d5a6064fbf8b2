//! Tags archives: finds the faces and their emotions in many files and writes results for each file.
//!
//! A pipeline of its own analyses each file, so its results depend neither on the other files nor on how many are analysed
//! in parallel. The results of a file appear together when they are complete. A run that was stopped or killed continues
//! with the files without results.
//!
//! A worker process tags one file after the other and is replaced when it dies, so that a file that makes a decoder crash,
//! hang or eat memory costs no other file.

mod audio;
mod captions;
pub mod classifier;
mod collector;
mod container;
mod discarded_stream;
pub(crate) mod elan;
pub mod event;
mod existing_results;
mod file_tagger;
mod fingerprint;
mod frame_in_file;
mod image_file;
pub mod inputs;
pub mod limits;
mod media_info;
mod media_source;
pub mod moment;
mod movie_durations;
mod os_path;
mod parallel;
mod pipeline;
pub mod progress;
mod recording;
mod records;
pub(crate) mod report;
pub mod result_names;
pub mod results;
mod sdr_convert;
pub mod settings;
pub mod summary;
mod thumbnails;
mod time_line;
pub mod timeline;
mod transport_stream;
pub mod usage;
pub mod worker;
mod worker_message;
mod worker_process;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use self::classifier::ClassifierIdentity;
use self::event::{Event, FileOutcome, FileStats, RunTotals};
use self::existing_results::{ExistingResults, existing_results};
use self::inputs::{InputFile, InputFiles};
use self::limits::Limits;
use self::progress::TagProgress;
use self::results::ResultFolder;
use self::settings::Settings;
use self::worker_message::Job;
use self::worker_process::{JobEnd, WorkerProcess, WorkerReport};
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
    /// What a file may take.
    pub limits: Limits,
    /// The program of the worker processes: one that calls [`worker::run`] if [`worker::is_worker`].
    pub worker: PathBuf,
}

/// Tags `inputs` and reports the progress.
///
/// A file that cannot be tagged is no error; it counts as failed.
///
/// # Errors
///
/// If nothing can be tagged at all: a [`UsageError`](usage::UsageError) if a property in the settings is wrong, another
/// error if the folder for the results is not writable, no worker process can be started or no video encoder is installed.
pub fn run(
    options: &Options,
    inputs: &InputFiles,
    stop: &StopFlag,
    progress: &TagProgress<'_>,
) -> anyhow::Result<RunTotals> {
    let mut options = options.clone();
    let classifier = ClassifierIdentity::of(&options.settings.emotionclassify)
        .map_err(|error| usage::UsageError(format!("{error:#}")))?;
    options.settings.classifier = Some(classifier);
    let options = &options;
    let folder = ResultFolder::open(&options.out)?;
    let tagger = Tagger {
        options,
        folder: &folder,
        has_started: Mutex::new(false),
        stop,
        progress,
    };
    for rejected in &inputs.rejected {
        progress.report(Event::Rejected(&rejected.path, &rejected.reason));
    }
    let outcomes = parallel::run(
        &inputs.files,
        options.jobs,
        stop,
        |worker, number, input| {
            let outcome = tagger.outcome(worker, number, input)?;
            progress.report(Event::Ended(number, input, &outcome));
            anyhow::Ok(outcome)
        },
    )?;
    let mut totals = RunTotals {
        failed: inputs.rejected.len(),
        stopped: stop.is_set(),
        ..RunTotals::default()
    };
    for outcome in outcomes {
        match outcome {
            FileOutcome::Tagged(_) => totals.tagged += 1,
            FileOutcome::AlreadyTagged => totals.already_tagged += 1,
            FileOutcome::Partial(_) | FileOutcome::Failed(_) => totals.failed += 1,
            FileOutcome::Stopped => {}
        }
    }
    progress.report(Event::Finished(totals));
    Ok(totals)
}

/// Has one file after another tagged by worker processes; shared by all threads.
struct Tagger<'a, 'p> {
    options: &'a Options,
    folder: &'a ResultFolder,
    /// Whether a worker process has started.
    has_started: Mutex<bool>,
    stop: &'a StopFlag,
    progress: &'a TagProgress<'p>,
}

/// The worker process of a thread, if one waits for the next file.
type IdleWorker = Option<WorkerProcess>;

impl Tagger<'_, '_> {
    /// An error means that no file can be tagged.
    fn outcome(
        &self,
        worker: &mut IdleWorker,
        number: usize,
        input: &InputFile,
    ) -> anyhow::Result<FileOutcome> {
        if self.stop.is_set() {
            return Ok(FileOutcome::Stopped);
        }
        let content = match fingerprint::of_file(&input.absolute) {
            Ok(content) => content,
            Err(error) => return Ok(FileOutcome::Failed(error.to_string())),
        };
        let summary = self.folder.summary(input);
        match existing_results(&summary, input, &content, &self.options.settings) {
            ExistingResults::Complete if self.options.resume => {
                return Ok(FileOutcome::AlreadyTagged);
            }
            ExistingResults::Partial(reason) if self.options.resume => {
                return Ok(FileOutcome::Partial(reason));
            }
            ExistingResults::OtherFile(other) => {
                return Ok(FileOutcome::Failed(format!(
                    "{} is about {}; another --out keeps both",
                    summary.display(),
                    other.display()
                )));
            }
            _ => {}
        }
        self.progress.report(Event::Started(number, input));
        let started = Instant::now();
        let first = self.attempt(worker, number, input, &content, None)?;
        let end = match first {
            JobEnd::Failed {
                reason,
                is_retried: true,
            } if !self.stop.is_set() => {
                let warning = format!("{reason}; trying once more, without hardware decoders");
                self.progress.report(Event::Warning(input, &warning));
                self.attempt(worker, number, input, &content, Some(reason))?
            }
            end => end,
        };
        Ok(match end {
            JobEnd::Tagged {
                incomplete: Some(reason),
                ..
            } => FileOutcome::Partial(reason),
            JobEnd::Tagged {
                frames,
                persons,
                duration,
                ..
            } => FileOutcome::Tagged(FileStats {
                frames,
                persons,
                duration,
                elapsed: started.elapsed(),
            }),
            JobEnd::Failed { .. } | JobEnd::Stopped if self.stop.is_set() => FileOutcome::Stopped,
            JobEnd::Failed { reason, .. } => FileOutcome::Failed(reason),
            JobEnd::Stopped => FileOutcome::Stopped,
        })
    }

    /// Has the file tagged, and publishes its results.
    fn attempt(
        &self,
        worker: &mut IdleWorker,
        number: usize,
        input: &InputFile,
        content: &str,
        retried: Option<String>,
    ) -> anyhow::Result<JobEnd> {
        let failed = |error: anyhow::Error| JobEnd::Failed {
            reason: format!("{error:#}"),
            is_retried: false,
        };
        let attempt = usize::from(retried.is_some());
        let results = match self.folder.results(input, number, attempt) {
            Ok(results) => results,
            Err(error) => return Ok(failed(error)),
        };
        let job = Job {
            input: input.clone(),
            content: content.to_owned(),
            results: results.paths.clone(),
            retried,
        };
        let mut idle = worker.take();
        let is_usable = idle.as_mut().is_some_and(WorkerProcess::is_alive);
        let running = match idle {
            Some(idle) if is_usable => Some(idle),
            _ => self.start()?,
        };
        let Some(mut running) = running else {
            return Ok(JobEnd::Stopped);
        };
        let report = |report: WorkerReport<'_>| {
            self.progress.report(match report {
                WorkerReport::Progress(at) => Event::Progress(number, input, at),
                WorkerReport::Warning(warning) => Event::Warning(input, warning),
                WorkerReport::Output(line) => Event::Output(line),
            });
        };
        let limits = &self.options.limits;
        let end = running.tag(&job, limits, self.stop, &report);
        if let JobEnd::Tagged { suffixes, .. } = &end {
            if let Err(error) = results.publish(suffixes) {
                return Ok(failed(error));
            }
            *worker = Some(running).filter(|worker| !worker.is_large(limits));
        }
        Ok(end)
    }

    /// Starts a worker process; `None` if the user stopped the run.
    fn start(&self) -> anyhow::Result<Option<WorkerProcess>> {
        let start = |is_checked| {
            WorkerProcess::start(
                &self.options.worker,
                &self.options.settings,
                is_checked,
                self.stop,
                &|line| self.progress.report(Event::Output(line)),
            )
        };
        // The first checks the settings, and looks through the plugins of GStreamer if that was never done.
        let mut has_started = self
            .has_started
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *has_started {
            drop(has_started);
            return start(false);
        }
        let first = start(true)?;
        *has_started = true;
        Ok(first)
    }
}
