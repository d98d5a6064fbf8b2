//! Trained weights: a safetensors file whose metadata say what the tensors are.
//!
//! Names, order of the labels, input size and normalisation travel with the weights, so that they are always served as
//! they were trained. The metadata keys are those of [`Metadata`] and `format`.
//!
//! A [quantised](crate::graph::Quantization) network is such a file too. Its tensors are those of the folded network, without
//! batch norms. A weight in integers is an `I8` tensor; beside it, `NAME.scales` `[out]` holds the scales of its output
//! channels. `NODE.activation` `[2]` holds scale and zero point of a stored activation. Other floats that half precision stores
//! exactly are written as `F16`. The metadata key `quantization` holds a [`QuantizationReport`] as JSON.

mod architecture;
#[cfg(feature = "built-in-weights")]
mod built_in;
mod checked;
mod error;
mod file;
mod head;
mod id;
mod metadata;
mod quantization_report;
mod quantized;
mod tensor;

pub use architecture::{Architecture, Task};
pub use checked::Weights;
pub use error::Error;
pub use head::Head;
pub use id::WeightsId;
pub use metadata::{Metadata, Normalization};
pub use quantization_report::QuantizationReport;
pub use tensor::{WeightTensor, WeightTensors};
