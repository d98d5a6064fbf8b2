//! The commands about an archive as a whole.

use std::io::{self, Write as _};
use std::process::ExitCode;

use emotion_pipelines::archive::merge::{Completeness, PlannedFile};
use emotion_pipelines::archive::{Archive, ArchiveFolder, Grouping};
use emotion_pipelines::cli::{ArchiveArgs, ArchiveCommand, ListArgs, MergeArgs};
use emotion_pipelines::runner;
use emotion_pipelines::tag::manifest::Manifest;

/// Returns the exit status.
pub(super) fn run(command: ArchiveCommand) -> anyhow::Result<ExitCode> {
    match command {
        ArchiveCommand::Table(arguments) => {
            let (folder, archive, grouping) = read(arguments)?;
            write!(io::stdout(), "{}", archive.groups_text(&grouping))?;
            print_places(folder.publish(&archive.write_tables(&grouping)?)?)?;
            Ok(status(&archive))
        }
        ArchiveCommand::Report(arguments) => {
            let (folder, archive, grouping) = read(arguments)?;
            print_places(folder.publish(&[archive.write_page(&grouping)?])?)?;
            Ok(status(&archive))
        }
        ArchiveCommand::List(arguments) => list(&arguments),
        ArchiveCommand::Merge(arguments) => merge(arguments),
    }
}

fn print_places(places: Vec<String>) -> io::Result<()> {
    let mut out = io::stdout();
    places.iter().try_for_each(|place| writeln!(out, "{place}"))
}

/// Whether all results could be read.
fn status(archive: &Archive) -> ExitCode {
    match archive.unreadable.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn read(arguments: ArchiveArgs) -> anyhow::Result<(ArchiveFolder, Archive, Grouping)> {
    let folder = ArchiveFolder::open(&arguments.folder)?;
    let archive = Archive::read(folder.path())?;
    for (path, reason) in &archive.unreadable {
        eprintln!("emotion-tag: {}: {reason}", path.display());
    }
    Ok((folder, archive, arguments.group.unwrap_or_default()))
}

fn list(arguments: &ListArgs) -> anyhow::Result<ExitCode> {
    let mut inputs = arguments.inputs.scan()?;
    if let Some(shard) = arguments.shard {
        inputs.keep_shard(shard);
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    for input in &inputs.files {
        let planned = PlannedFile::from(input);
        match arguments.json {
            true => writeln!(out, "{}", serde_json::to_string(&planned)?)?,
            false => writeln!(out, "{}", planned.path)?,
        }
    }
    out.flush()?;
    for rejected in &inputs.rejected {
        eprintln!(
            "emotion-tag: {}: {}",
            rejected.path.display(),
            rejected.reason
        );
    }
    Ok(match inputs.rejected.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn merge(arguments: MergeArgs) -> anyhow::Result<ExitCode> {
    let plan = arguments.plan.as_deref().map(PlannedFile::read_all);
    let plan = plan.transpose()?.unwrap_or_default();
    let (folder, archive, grouping) = read(arguments.archive)?;
    let manifests = Manifest::read_all(folder.path())?;
    let found = Completeness::of(&archive, &manifests, &plan)?;
    let mut written = archive.write_tables(&grouping)?;
    written.push(archive.write_page(&grouping)?);
    let written = folder.publish(&written)?;
    if arguments.json {
        writeln!(io::stdout(), "{}", serde_json::to_string(&found)?)?;
    } else {
        print_places(written)?;
        write!(io::stdout(), "{}", found.text())?;
    }
    Ok(match (found.is_complete(), found.can_be_completed()) {
        (true, _) => status(&archive),
        (false, true) => ExitCode::from(runner::TRY_AGAIN),
        (false, false) => ExitCode::FAILURE,
    })
}
