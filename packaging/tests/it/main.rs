//! What packages, the container file and the files of a release say, without building any of them.

mod compose;
mod generated;
mod manifests;
