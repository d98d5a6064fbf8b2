//! The command lines of the programs.

mod archive;
mod crowd;
mod demo;
mod input_names;
mod tag;

pub use archive::{ArchiveArgs, ArchiveCommand, ListArgs, MergeArgs};
pub use crowd::CrowdArgs;
pub use demo::DemoArgs;
pub use input_names::InputNames;
pub use tag::{TagArgs, tag_command};
