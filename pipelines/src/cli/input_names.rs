//! The files to tag, as the command line names them.

use std::path::PathBuf;

use crate::tag::inputs::{self, InputArguments, InputFiles};
use crate::tag::usage::UsageError;

/// The files to tag.
#[derive(clap::Args)]
pub struct InputNames {
    /// Files, folders, patterns such as 'talks/*.mp4', addresses with http://, https://, s3:// or file://, and - for standard input
    #[arg(required_unless_present = "list", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// A file with one path or pattern per line, or paths that end with NUL, relative to that file; - is standard input
    #[arg(long, value_name = "FILE")]
    pub list: Vec<PathBuf>,
    /// Name results by the path below this folder or address [default: the folder that was named; the name alone for a file]
    #[arg(long, value_name = "FOLDER")]
    pub root: Option<PathBuf>,
    /// The name for the results of standard input, such as talks/1.mp4
    #[arg(long, value_name = "NAME")]
    pub name: Option<PathBuf>,
}

impl InputNames {
    /// Finds the files that are named.
    ///
    /// # Errors
    ///
    /// If a list cannot be read, or the names contradict each other.
    pub fn scan(&self) -> Result<InputFiles, UsageError> {
        inputs::scan(InputArguments {
            paths: &self.paths,
            lists: &self.list,
            root: self.root.as_deref(),
            name: self.name.as_deref(),
        })
    }
}
