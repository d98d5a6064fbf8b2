//! Trained weights: a safetensors file whose metadata say what the tensors are.
//!
//! Names, order of the labels, input size and normalisation travel with the weights, so that they are always served as
//! they were trained. The metadata keys are those of [`Metadata`] and `format`.

mod architecture;
#[cfg(feature = "built-in-weights")]
mod built_in;
mod checked;
mod error;
mod file;
mod head;
mod id;
mod metadata;
mod tensor;

pub use architecture::{Architecture, Task};
pub use checked::Weights;
pub use error::Error;
pub use head::Head;
pub use id::WeightsId;
pub use metadata::{Metadata, Normalization};
pub use tensor::{WeightTensor, WeightTensors};
