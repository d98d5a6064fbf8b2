//! The commands about an archive as a whole.

use std::env;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use emotion_pipelines::archive::merge::{Completeness, PlannedFile};
use emotion_pipelines::archive::{Archive, ArchiveFolder, Grouping};
use emotion_pipelines::runner;
use emotion_pipelines::shard::Shard;
use emotion_pipelines::tag::manifest::Manifest;

use super::input_names::InputNames;

/// Lists the files of an archive, or puts its results together.
#[derive(Parser)]
#[command(name = "emotion-tag", version)]
pub(super) enum ArchiveCommand {
    /// Write archive.parquet and archive.csv, a row for each face of each file, and archive.groups.csv, the groups compared
    Table(ArchiveArguments),
    /// Write archive.html, a page with all files, to be searched: groups, the emotions of each face over time, and the
    /// pictures of faces that --thumbnails has kept
    Report(ArchiveArguments),
    /// List the files that would be tagged
    List(ListArguments),
    /// Check that an archive is complete that several machines have tagged, and write its table and its page
    ///
    /// The exit status is 0 if all files are tagged, 75 if the same commands may tag the rest, and 1 if some cannot be tagged.
    Merge(MergeArguments),
}

#[derive(clap::Args)]
pub(super) struct ArchiveArguments {
    /// The folder of --out, with the results of one or more runs; it may be an address with s3://
    folder: PathBuf,
    /// Groups of files: what this regular expression finds in their paths, such as '^(\d{4})-' [default: the first folder]
    #[arg(long, value_name = "PATTERN")]
    group: Option<Grouping>,
}

#[derive(clap::Args)]
pub(super) struct ListArguments {
    #[command(flatten)]
    inputs: InputNames,
    /// List only a part of the files, such as 3/10
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// Print a JSON object for each file: root, path below the root, size in bytes
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(super) struct MergeArguments {
    #[command(flatten)]
    archive: ArchiveArguments,
    /// What `emotion-tag list --json` has printed: files in it without results are missing
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Print what is tagged, failed and missing as JSON
    #[arg(long)]
    json: bool,
}

impl ArchiveCommand {
    /// Whether the command line names one of these commands; a folder of such a name is ./table.
    pub(super) fn is_named() -> bool {
        let names = ["table", "report", "list", "merge"];
        env::args_os()
            .nth(1)
            .is_some_and(|name| names.iter().any(|known| name == *known))
    }

    /// Returns the exit status.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Table(arguments) => {
                let (folder, archive, grouping) = arguments.read()?;
                write!(io::stdout(), "{}", archive.groups_text(&grouping))?;
                print_places(folder.publish(&archive.write_tables(&grouping)?)?)?;
                Ok(status(&archive))
            }
            Self::Report(arguments) => {
                let (folder, archive, grouping) = arguments.read()?;
                print_places(folder.publish(&[archive.write_page(&grouping)?])?)?;
                Ok(status(&archive))
            }
            Self::List(arguments) => arguments.run(),
            Self::Merge(arguments) => arguments.run(),
        }
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

impl ArchiveArguments {
    fn read(self) -> anyhow::Result<(ArchiveFolder, Archive, Grouping)> {
        let folder = ArchiveFolder::open(&self.folder)?;
        let archive = Archive::read(folder.path())?;
        for (path, reason) in &archive.unreadable {
            eprintln!("emotion-tag: {}: {reason}", path.display());
        }
        Ok((folder, archive, self.group.unwrap_or_default()))
    }
}

impl ListArguments {
    fn run(self) -> anyhow::Result<ExitCode> {
        let mut inputs = self.inputs.scan()?;
        if let Some(shard) = self.shard {
            inputs.keep_shard(shard);
        }
        let mut out = io::BufWriter::new(io::stdout().lock());
        for input in &inputs.files {
            let planned = PlannedFile::from(input);
            match self.json {
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
}

impl MergeArguments {
    fn run(self) -> anyhow::Result<ExitCode> {
        let plan = self.plan.as_deref().map(PlannedFile::read_all);
        let plan = plan.transpose()?.unwrap_or_default();
        let (folder, archive, grouping) = self.archive.read()?;
        let manifests = Manifest::read_all(folder.path())?;
        let found = Completeness::of(&archive, &manifests, &plan)?;
        let mut written = archive.write_tables(&grouping)?;
        written.push(archive.write_page(&grouping)?);
        let written = folder.publish(&written)?;
        if self.json {
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
}
