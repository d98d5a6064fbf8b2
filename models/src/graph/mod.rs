//! A network as data: its operations, how they are joined, and the parameters they need.
//!
//! Everything that runs, trains, exports or describes a network reads the same [`Graph`].

pub mod face_net;
mod folding;
pub(crate) mod mini_xception;
mod nodes;
mod operation;
mod parameter;
mod quantization;
pub(crate) mod residual_xception;

pub use folding::FoldedNetwork;
pub use nodes::{Error, Graph, LayerSummary, Node};
pub use operation::{
    Activation, BatchNormConfig, Conv2dConfig, Op, Padding, SeparableConv2dConfig,
};
pub use parameter::{Initialization, Parameter};
pub use quantization::{
    ActivationScale, Quantization, QuantizedWeights, meet_within_16_bits, meeting_pairs,
};
