//! Files in object stores that speak the protocol of Amazon's S3: inputs and results with addresses `s3://BUCKET/KEY`.
//!
//! Store and credentials come from the environment (`AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
//! so on) and appear in no message. Objects are read in ranges and written whole.
//!
//! It needs the cargo feature `s3`. Without it addresses are recognised, and whoever asks for a store hears what is missing.

mod address;
#[cfg(feature = "s3")]
mod failure;
mod scratch;
#[cfg(feature = "s3")]
mod store;
#[cfg(not(feature = "s3"))]
#[path = "s3/store_missing.rs"]
mod store;
mod stores;

pub use self::address::{S3Address, S3Object};
pub(crate) use self::scratch::ScratchFolder;
pub(crate) use self::store::S3Store;
pub(crate) use self::stores::S3Stores;
