//! The scales of a step.

use crate::graph::ActivationScale;

/// The scales of what a step reads and writes.
#[derive(Clone, Copy)]
pub(crate) struct Scales {
    pub(crate) input: ActivationScale,
    pub(crate) add: Option<ActivationScale>,
    pub(crate) output: ActivationScale,
}
