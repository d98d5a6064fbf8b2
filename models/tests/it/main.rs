//! The crate from outside. What is compared with plain Candle operations needs the feature `training`.

mod answers;
mod common;
mod inference;
mod networks;
mod quantized;
mod weights;

#[cfg(feature = "training")]
mod agreement;
#[cfg(feature = "training")]
mod operations;
#[cfg(feature = "training")]
mod oracle;
#[cfg(feature = "training")]
mod training;
