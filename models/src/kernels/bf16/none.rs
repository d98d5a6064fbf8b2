//! Machines without the instructions.

use super::Products;
use crate::kernels::packed_weights::PackedWeights;

/// There are none.
#[derive(Debug)]
pub(crate) enum PairedWeights {}

impl PairedWeights {
    pub(crate) fn new(_: &PackedWeights) -> Option<Self> {
        None
    }

    pub(crate) fn round(&self, _: &[f32], _: &mut [u32]) {
        match *self {}
    }
}

pub(crate) fn multiply(products: Products<'_>) {
    match *products.weights {}
}
