//! What can be wrong with weights.

use std::io;

use super::architecture::Architecture;
use crate::graph;

/// What is wrong with a weights file. Each message names the file.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum Error {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {source}")]
    Read { file: String, source: io::Error },
    /// The file cannot be written; an older one of that name is as it was.
    #[error("{file}: cannot be written: {source}")]
    Write { file: String, source: io::Error },
    /// No weights of this name are compiled in.
    #[error("{name}: there are no built-in weights of that name, only {known}")]
    NotBuiltIn {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// There is neither a file nor are there built-in weights of this name.
    #[error("{file}: cannot be read: there is no such file, and the built-in weights are {known}")]
    NotFound {
        /// The name.
        file: String,
        /// The names of the built-in weights.
        known: String,
    },
    /// The file is not safetensors, or is cut off.
    #[error("{file}: not a whole safetensors file: {source}; export the weights again")]
    Format {
        file: String,
        source: safetensors::SafeTensorError,
    },
    /// A metadata entry is missing or makes no sense.
    #[error("{file}: metadata {key}: expected {expected}, found {found}")]
    Metadata {
        file: String,
        key: &'static str,
        expected: String,
        found: String,
    },
    /// A tensor is missing, superfluous, or has another shape or type than the network needs.
    #[error("{file}: {name} is {found}, expected {expected}; choose other weights or retrain")]
    Tensor {
        file: String,
        name: String,
        found: String,
        expected: String,
    },
    /// A tensor holds NaN or infinity.
    #[error("{file}: {name} holds a value that is not finite; the training that made it failed")]
    NotFinite { file: String, name: String },
    /// A tensor holds a value that half precision cannot store.
    #[error("{file}: {name} holds a value above 65504: store it in single precision")]
    TooLarge { file: String, name: String },
    /// The weights are integers already.
    #[error("{file}: holds a quantised network; choose the weights that it was made of")]
    Quantized { file: String },
    /// The weights have no integers.
    #[error(
        "{file}: holds no network in int8; make one with `emotion-trainer quantize`, or choose another precision"
    )]
    NotQuantized { file: String },
    /// The weights are of a network for something else.
    #[error("{file}: holds a {found}, expected {expected}; choose other weights")]
    Task {
        file: String,
        found: Architecture,
        expected: String,
    },
    /// The network cannot be put together.
    #[error("{file}: {source}")]
    Network { file: String, source: graph::Error },
}
