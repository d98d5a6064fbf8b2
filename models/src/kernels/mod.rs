//! The inner loops, vectorised over channels for the instruction set that the machine has.

pub(crate) mod bf16;
mod correlate;
mod depthwise;
mod elementwise;
pub(crate) mod map;
pub(crate) mod maps;
mod norm;
mod pool;
mod vector_loop;

pub(crate) use correlate::{Correlation, Gradient, PackedWeights};
pub(crate) use depthwise::{Depthwise, TAPS};
pub(crate) use elementwise::{add, add_assign, mask};
pub(crate) use norm::{Affine, AffineGradient, moments};
pub(crate) use pool::{MaxPool, pool_window, scatter};
pub(crate) use vector_loop::{VectorLoop, run_on};
