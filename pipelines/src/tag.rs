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
mod collector;
mod container;
mod discarded_stream;
mod download;
pub(crate) mod elan;
mod elementary_stream;
pub mod event;
mod existing_results;
mod file_tagger;
mod fingerprint;
mod frame_in_file;
pub mod hidden_arguments;
mod image_file;
pub mod inputs;
mod known_roots;
pub mod limits;
pub mod manifest;
mod media_info;
mod media_source;
pub mod moment;
mod movie_head;
pub mod networks;
mod options;
mod os_path;
mod parallel;
mod pipeline;
pub mod progress;
mod recording;
mod records;
pub(crate) mod report;
pub mod result_names;
mod result_place;
pub mod results;
pub mod s3;
mod sdr_convert;
pub mod settings;
mod standard_input;
mod stored_results;
pub mod summary;
mod tagger;
mod temporary;
mod thumbnails;
mod time_line;
pub mod timeline;
mod transport_stream;
mod undemuxed_audio;
pub mod usage;
pub mod worker;
mod worker_death;
mod worker_message;
mod worker_process;

use std::collections::BTreeMap;

use self::event::{Event, Failure, FileOutcome, RunTotals};
use self::inputs::InputFiles;
use self::known_roots::KnownRoots;
use self::manifest::{Manifest, ManifestEntry};
use self::networks::InstalledNetworks;
pub use self::options::{Destination, Options};
use self::progress::TagProgress;
use self::result_place::ResultPlace;
use self::results::ResultFolder;
use self::s3::{S3Stores, ScratchFolder};
use self::settings::Settings;
use self::stored_results::StoredResults;
use self::tagger::{Tagger, TaggingMachine};
use crate::runner::StopFlag;
use crate::shard::Shard;

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
    let Settings {
        facedetect,
        emotionclassify,
        ..
    } = &options.settings;
    let networks = InstalledNetworks::of(facedetect, emotionclassify)
        .map_err(|error| usage::UsageError(format!("{error:#}")))?;
    options.settings.classifier = Some(networks.classifier);
    options.settings.detector = networks.detector;
    let options = &options;
    let of_shard = options.shard.map(Shard::file_name);
    let work = options.work.clone().or(of_shard);
    let stores = S3Stores::default();
    let (_scratch, out, stored) = match &options.out {
        Destination::Folder(folder) => (None, folder.clone(), None),
        Destination::Store(address) => {
            let store = stores.store(address)?;
            let scratch = ScratchFolder::open(address)?;
            let out = scratch.path().to_owned();
            let stored = StoredResults::new(store, address.clone());
            (Some(scratch), out, Some(stored))
        }
    };
    let place = ResultPlace {
        folder: ResultFolder::open(&out, work.as_deref())?,
        stored,
    };
    let machine = TaggingMachine {
        arithmetic: networks.arithmetic,
        roots: match &place.stored {
            Some(_) => KnownRoots::default(),
            None => KnownRoots::remember(&out, &inputs.files)?,
        },
        stores,
    };
    let tagger = Tagger::new(options, &place, &machine, stop, progress);
    if !inputs.ignored.is_empty() {
        progress.report(Event::Ignored(&inputs.ignored));
    }
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
            anyhow::Ok((number, outcome))
        },
    )?;
    let mut totals = RunTotals {
        failed: inputs.rejected.len(),
        temporary: inputs
            .rejected
            .iter()
            .filter(|one| one.is_temporary)
            .count(),
        stopped: stop.is_set(),
        ..RunTotals::default()
    };
    for (_, outcome) in &outcomes {
        match outcome {
            FileOutcome::Tagged(_) => totals.tagged += 1,
            FileOutcome::AlreadyTagged => totals.already_tagged += 1,
            FileOutcome::Partial(_) => totals.failed += 1,
            FileOutcome::Failed(failure) => {
                totals.failed += 1;
                totals.temporary += usize::from(failure.is_temporary);
            }
            FileOutcome::Stopped => {}
        }
    }
    if let Some(shard) = options.shard {
        place.write_manifest(&manifest(shard, options, inputs, &outcomes)?)?;
    }
    progress.report(Event::Finished(totals));
    Ok(totals)
}

/// What became of the files of a shard, of which some have an outcome.
fn manifest(
    shard: Shard,
    options: &Options,
    inputs: &InputFiles,
    outcomes: &[(usize, FileOutcome)],
) -> serde_json::Result<Manifest> {
    let outcomes: BTreeMap<usize, &FileOutcome> = outcomes
        .iter()
        .map(|(number, outcome)| (*number, outcome))
        .collect();
    let files = inputs.files.iter().enumerate();
    let files = files
        .map(|(number, input)| ManifestEntry::new(input.source(), outcomes.get(&number).copied()));
    let rejected = inputs.rejected.iter().map(|rejected| {
        let failure = Failure {
            reason: rejected.reason.clone(),
            is_temporary: rejected.is_temporary,
        };
        let file = rejected.path.to_string_lossy().into_owned();
        ManifestEntry::new(file, Some(&FileOutcome::Failed(failure)))
    });
    Manifest::new(shard, &options.settings, files.chain(rejected).collect())
}
