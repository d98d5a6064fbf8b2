//! Identifies weights by name and contents.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::checked::Weights;
use crate::hash::Fnv1a;

/// Which weights something was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightsId {
    /// Their name in the metadata.
    pub name: String,
    /// FNV-1a of the names and values of their tensors, sixteen hexadecimal digits.
    pub fingerprint: String,
}

impl WeightsId {
    /// The id of these weights.
    pub fn of(weights: &Weights) -> Self {
        let mut hash = Fnv1a::default();
        for (name, tensor) in weights.tensors() {
            hash.write(name.as_bytes());
            for value in &tensor.values {
                hash.write(&value.to_le_bytes());
            }
        }
        let quantization = weights.quantization().into_iter();
        for (name, activation) in quantization.flat_map(|integers| &integers.activations) {
            hash.write(name.as_bytes());
            hash.write(&activation.scale.to_le_bytes());
            hash.write(&[activation.zero_point]);
        }
        Self {
            name: weights.metadata().name.clone(),
            fingerprint: format!("{:016x}", hash.finish()),
        }
    }
}

impl fmt::Display for WeightsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.fingerprint)
    }
}
