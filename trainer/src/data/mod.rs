//! Faces with labels, and the batches made of them.

pub mod augment;
pub mod batch;
mod crop;
mod dataset;
mod faces;
pub mod fer2013;
pub mod ferplus;
pub mod folder;
pub mod illumination;
mod load;
pub mod mixing;
pub(crate) mod prefetch;
pub mod table;
pub mod targets;
mod votes;

pub use crop::crop;
pub use dataset::Dataset;
pub(crate) use faces::CLASSES;
pub use faces::{FACE_SIZE, Faces, Split};
pub use load::Error;
pub use votes::Votes;
