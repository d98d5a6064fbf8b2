//! Has one file after another tagged by worker processes.

use std::io;
use std::time::Instant;

use super::event::{Event, Failure, FileOutcome, FileStats};
use super::existing_results::{EarlierRun, ExistingResults};
use super::fingerprint;
use super::inputs::{InputFile, InputOrigin};
use super::known_roots::KnownRoots;
use super::options::Options;
use super::progress::TagProgress;
use super::result_place::ResultPlace;
use super::results::CopyFolder;
use super::s3::{S3Object, S3Stores};
use super::standard_input;
use super::temporary::{is_temporary, is_temporary_io};
use super::worker_message::{DownloadJob, Job, ToWorker};
use super::worker_process::{JobEnd, WorkerProcess, WorkerReport};
use crate::runner::StopFlag;

/// What a run finds out about this machine.
pub(super) struct TaggingMachine {
    /// Instruction set and precision of the network.
    pub(super) arithmetic: String,
    /// The folders whose files have results in the folder of the results.
    pub(super) roots: KnownRoots,
    /// The stores from which files come.
    pub(super) stores: S3Stores,
}

/// Has files tagged; shared by all threads.
pub(super) struct Tagger<'a, 'p> {
    options: &'a Options,
    place: &'a ResultPlace,
    machine: &'a TaggingMachine,
    stop: &'a StopFlag,
    progress: &'a TagProgress<'p>,
}

/// The worker process of a thread, if one waits for the next file.
pub(super) type IdleWorker = Option<WorkerProcess>;

/// The local copy of a file from elsewhere.
struct LocalCopy {
    input: InputFile,
    /// What changes with the content of a file on a web server.
    validator: Option<String>,
    /// The copy is removed with it.
    _folder: CopyFolder,
}

impl<'a, 'p> Tagger<'a, 'p> {
    pub(super) fn new(
        options: &'a Options,
        place: &'a ResultPlace,
        machine: &'a TaggingMachine,
        stop: &'a StopFlag,
        progress: &'a TagProgress<'p>,
    ) -> Self {
        Self {
            options,
            place,
            machine,
            stop,
            progress,
        }
    }

    /// Has a file tagged, unless an earlier run did so. An error means that no file can be tagged.
    pub(super) fn outcome(
        &self,
        worker: &mut IdleWorker,
        number: usize,
        input: &InputFile,
    ) -> anyhow::Result<FileOutcome> {
        if self.stop.is_set() {
            return Ok(FileOutcome::Stopped);
        }
        let started = Instant::now();
        let copy = match input.origin {
            InputOrigin::Local => None,
            InputOrigin::Remote(_) | InputOrigin::Object(_) | InputOrigin::StandardInput => {
                if let InputOrigin::Object(object) = &input.origin {
                    match self.unchanged_object(input, object) {
                        Ok(None) => {}
                        Ok(Some(outcome)) => return Ok(outcome),
                        Err(error) => return Ok(failed(&error)),
                    }
                }
                self.progress.report(Event::Started(number, input));
                match self.local_copy(worker, number, input)? {
                    Ok(copy) => Some(copy),
                    Err(outcome) => return Ok(outcome),
                }
            }
        };
        let local = copy.as_ref().map_or(input, |copy| &copy.input);
        let content = match fingerprint::of_file(&local.absolute) {
            Ok(content) => content,
            Err(error) => return Ok(failed_system(&error)),
        };
        let earlier = match self.place.earlier(input, &self.options.settings) {
            Ok(earlier) => earlier,
            Err(error) => return Ok(failed(&error)),
        };
        let roots = self.machine.roots.paths();
        let existing = earlier.map(|earlier| earlier.results_for(local, &content, roots));
        if let Some(outcome) = existing.and_then(|existing| self.existing_outcome(input, existing))
        {
            return Ok(outcome);
        }
        if copy.is_none() {
            self.progress.report(Event::Started(number, input));
        }
        let validator = copy.as_ref().and_then(|copy| copy.validator.clone());
        let attempt = |worker: &mut IdleWorker, retried| {
            self.attempt(worker, number, local, &content, validator.clone(), retried)
        };
        let end = match attempt(worker, None)? {
            JobEnd::Failed {
                failure: Failure { reason, .. },
                is_retried: true,
            } if !self.stop.is_set() => {
                let warning = format!("{reason}; trying once more, without hardware decoders");
                self.progress.report(Event::Warning(input, &warning));
                attempt(worker, Some(reason))?
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
            other => self.unsuccessful(other),
        })
    }

    fn unsuccessful(&self, end: JobEnd) -> FileOutcome {
        match end {
            JobEnd::Failed { failure, .. } if !self.stop.is_set() => FileOutcome::Failed(failure),
            _ => FileOutcome::Stopped,
        }
    }

    /// The outcome if results of an earlier run stay; `None` if the file is tagged.
    fn existing_outcome(
        &self,
        input: &InputFile,
        existing: ExistingResults,
    ) -> Option<FileOutcome> {
        // Whoever sends something on standard input wants it to be tagged.
        let resume = self.options.resume && input.origin != InputOrigin::StandardInput;
        match existing {
            ExistingResults::Complete if resume => Some(FileOutcome::AlreadyTagged),
            ExistingResults::Partial(reason) if resume => Some(FileOutcome::Partial(reason)),
            ExistingResults::OtherFile(other) => {
                Some(FileOutcome::Failed(Failure::lasting(format!(
                    "{} is about {}; another --out keeps both",
                    self.place.shown_summary(input),
                    other.display()
                ))))
            }
            _ => None,
        }
    }

    /// Copies a file from elsewhere; or the outcome if that fails or is not necessary.
    fn local_copy(
        &self,
        worker: &mut IdleWorker,
        number: usize,
        input: &InputFile,
    ) -> anyhow::Result<Result<LocalCopy, FileOutcome>> {
        let folder = match self.place.folder.copy_folder(number) {
            Ok(folder) => folder,
            Err(error) => return Ok(Err(failed(&error))),
        };
        let to = folder.copy_of(&input.name);
        let validator = match &input.origin {
            InputOrigin::Remote(url) => {
                let earlier = match self.place.earlier(input, &self.options.settings) {
                    Ok(earlier) => earlier,
                    Err(error) => return Ok(Err(failed(&error))),
                };
                let known = earlier
                    .as_ref()
                    .and_then(|earlier| earlier.validator(input));
                let task = ToWorker::Download(Box::new(DownloadJob {
                    url: url.clone(),
                    to: to.clone(),
                    known_validator: known.filter(|_| self.options.resume).map(str::to_owned),
                }));
                match self.work(worker, number, input, &task)? {
                    JobEnd::Downloaded(downloaded) if downloaded.is_unchanged => {
                        let existing = earlier.map(EarlierRun::of_same_content);
                        let outcome =
                            existing.and_then(|found| self.existing_outcome(input, found));
                        return Ok(Err(outcome.unwrap_or(FileOutcome::AlreadyTagged)));
                    }
                    JobEnd::Downloaded(downloaded) => downloaded.validator,
                    other => return Ok(Err(self.unsuccessful(other))),
                }
            }
            InputOrigin::Object(object) => {
                let store = self.machine.stores.store(&object.address);
                match store.and_then(|store| store.download(object, &to, self.stop)) {
                    Ok(true) => object.validator.clone(),
                    Ok(false) => return Ok(Err(FileOutcome::Stopped)),
                    Err(error) => return Ok(Err(failed(&error))),
                }
            }
            InputOrigin::StandardInput => match standard_input::copy(&to, self.stop) {
                Ok(Some(_)) => None,
                Ok(None) => return Ok(Err(FileOutcome::Stopped)),
                Err(error) => return Ok(Err(failed(&error))),
            },
            InputOrigin::Local => None,
        };
        let size = match to.metadata() {
            Ok(found) => found.len(),
            Err(error) => return Ok(Err(failed_system(&error))),
        };
        Ok(Ok(LocalCopy {
            input: InputFile {
                absolute: to,
                size,
                ..input.clone()
            },
            validator,
            _folder: folder,
        }))
    }

    /// Has the file tagged, and publishes its results.
    fn attempt(
        &self,
        worker: &mut IdleWorker,
        number: usize,
        input: &InputFile,
        content: &str,
        validator: Option<String>,
        retried: Option<String>,
    ) -> anyhow::Result<JobEnd> {
        let failed = |error: anyhow::Error| JobEnd::Failed {
            failure: failure(&error),
            is_retried: false,
        };
        let attempt = usize::from(retried.is_some());
        let results = match self.place.folder.results(input, number, attempt) {
            Ok(results) => results,
            Err(error) => return Ok(failed(error)),
        };
        let task = ToWorker::Tag(Box::new(Job {
            input: input.clone(),
            content: content.to_owned(),
            arithmetic: self.machine.arithmetic.clone(),
            validator,
            results: results.paths.clone(),
            retried,
        }));
        let end = self.work(worker, number, input, &task)?;
        if let JobEnd::Tagged { suffixes, .. } = &end
            && let Err(error) = self.place.publish(input, results, suffixes)
        {
            return Ok(failed(error));
        }
        Ok(end)
    }

    /// The outcome if an earlier run tagged this version of an object.
    fn unchanged_object(
        &self,
        input: &InputFile,
        object: &S3Object,
    ) -> anyhow::Result<Option<FileOutcome>> {
        let earlier = self.place.earlier(input, &self.options.settings)?;
        let known = earlier
            .as_ref()
            .and_then(|earlier| earlier.validator(input));
        if known.is_none() || known != object.validator.as_deref() {
            return Ok(None);
        }
        let existing = earlier.map(EarlierRun::of_same_content);
        Ok(existing.and_then(|existing| self.existing_outcome(input, existing)))
    }

    /// Gives a task about `input` to the idle worker, or to a new one.
    fn work(
        &self,
        worker: &mut IdleWorker,
        number: usize,
        input: &InputFile,
        task: &ToWorker,
    ) -> anyhow::Result<JobEnd> {
        let mut idle = worker.take();
        let is_usable = idle.as_mut().is_some_and(WorkerProcess::is_alive);
        let running = match idle {
            Some(idle) if is_usable => Some(idle),
            _ => self.start()?,
        };
        let Some(mut running) = running else {
            return Ok(JobEnd::Stopped);
        };
        let report = |report: WorkerReport<'_>| match report {
            WorkerReport::Progress(at) => self.progress.report(Event::Progress(number, input, at)),
            WorkerReport::Warning(warning) => {
                let warning = input.without_secrets(warning);
                self.progress.report(Event::Warning(input, &warning));
            }
            WorkerReport::Output(line) => {
                let line = input.without_secrets(line);
                self.progress.report(Event::Output(&line));
            }
        };
        let limits = &self.options.limits;
        let end = running.work(task, limits, self.stop, &report);
        if let JobEnd::Tagged { .. } | JobEnd::Downloaded(_) = &end {
            *worker = Some(running).filter(|worker| !worker.is_large(limits));
        }
        Ok(match end {
            JobEnd::Failed {
                failure:
                    Failure {
                        reason,
                        is_temporary,
                    },
                is_retried,
            } => JobEnd::Failed {
                failure: Failure {
                    reason: input.without_secrets(&reason),
                    is_temporary,
                },
                is_retried,
            },
            end => end,
        })
    }

    /// Starts a worker process; `None` if the user stopped the run.
    fn start(&self) -> anyhow::Result<Option<WorkerProcess>> {
        WorkerProcess::start(
            &self.options.worker,
            &self.options.settings,
            self.stop,
            &|line| self.progress.report(Event::Output(line)),
        )
    }
}

fn failure(error: &anyhow::Error) -> Failure {
    Failure {
        reason: format!("{error:#}"),
        is_temporary: is_temporary(error),
    }
}

fn failed(error: &anyhow::Error) -> FileOutcome {
    FileOutcome::Failed(failure(error))
}

fn failed_system(error: &io::Error) -> FileOutcome {
    FileOutcome::Failed(Failure {
        reason: error.to_string(),
        is_temporary: is_temporary_io(error),
    })
}
