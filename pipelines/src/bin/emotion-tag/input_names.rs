//! The files to tag, as the command line names them.

use std::path::PathBuf;

use emotion_pipelines::tag::inputs::{self, InputArguments, InputFiles};
use emotion_pipelines::tag::usage::UsageError;

#[derive(clap::Args)]
pub(super) struct InputNames {
    /// Files, folders, patterns such as 'talks/*.mp4', addresses with http://, https://, s3:// or file://, and - for standard input
    #[arg(required_unless_present = "list", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A file with one path or pattern per line, or paths that end with NUL, relative to that file; - is standard input
    #[arg(long, value_name = "FILE")]
    list: Vec<PathBuf>,
    /// Name results by the path below this folder or address [default: the folder that was named; the name alone for a file]
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,
    /// The name for the results of standard input, such as talks/1.mp4
    #[arg(long, value_name = "NAME")]
    name: Option<PathBuf>,
}

impl InputNames {
    pub(super) fn scan(&self) -> Result<InputFiles, UsageError> {
        inputs::scan(InputArguments {
            paths: &self.paths,
            lists: &self.list,
            root: self.root.as_deref(),
            name: self.name.as_deref(),
        })
    }
}
