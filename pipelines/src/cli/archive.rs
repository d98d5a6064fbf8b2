//! The commands of `emotion-tag` about an archive as a whole.

use std::env;
use std::path::PathBuf;

use clap::Parser;

use super::input_names::InputNames;
use crate::archive::Grouping;
use crate::shard::Shard;

/// Lists the files of an archive, or puts its results together.
#[derive(Parser)]
#[command(name = "emotion-tag", version)]
pub enum ArchiveCommand {
    /// Write archive.parquet and archive.csv, a row for each face of each file, and archive.groups.csv, the groups compared
    Table(ArchiveArgs),
    /// Write archive.html, a page with all files, to be searched: groups, the emotions of each face over time, and the
    /// pictures of faces that --thumbnails has kept
    Report(ArchiveArgs),
    /// List the files that would be tagged
    List(ListArgs),
    /// Check that an archive is complete that several machines have tagged, and write its table and its page
    ///
    /// The exit status is 0 if all files are tagged, 75 if the same commands may tag the rest, and 1 if some cannot be tagged.
    Merge(MergeArgs),
}

/// Options of `table` and `report`.
#[derive(clap::Args)]
pub struct ArchiveArgs {
    /// The folder of --out, with the results of one or more runs; it may be an address with s3://
    pub folder: PathBuf,
    /// Groups of files: what this regular expression finds in their paths, such as '^(\d{4})-' [default: the first folder]
    #[arg(long, value_name = "PATTERN")]
    pub group: Option<Grouping>,
}

/// Options of `list`.
#[derive(clap::Args)]
pub struct ListArgs {
    /// The files
    #[command(flatten)]
    pub inputs: InputNames,
    /// List only a part of the files, such as 3/10
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    /// Print a JSON object for each file: root, path below the root, size in bytes
    #[arg(long)]
    pub json: bool,
}

/// Options of `merge`.
#[derive(clap::Args)]
pub struct MergeArgs {
    /// The archive
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// What `emotion-tag list --json` has printed: files in it without results are missing
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Print what is tagged, failed and missing as JSON
    #[arg(long)]
    pub json: bool,
}

impl ArchiveCommand {
    /// Whether the command line names one of these commands; a folder of such a name is ./table.
    #[must_use]
    pub fn is_named() -> bool {
        let names = ["table", "report", "list", "merge"];
        env::args_os()
            .nth(1)
            .is_some_and(|name| names.iter().any(|known| name == *known))
    }
}
