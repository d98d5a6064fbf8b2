//! Identifies weights by name and contents.

use std::fmt;

use emotion_models::Weights;
use serde::{Deserialize, Serialize};

use crate::hash::fnv1a;

/// Weights that a run depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightsId {
    /// Their name in the metadata.
    pub name: String,
    /// FNV-1a of the names and values of their tensors.
    pub fingerprint: String,
}

impl WeightsId {
    /// The id of these weights.
    pub fn of(weights: &Weights) -> Self {
        let mut bytes = Vec::new();
        for (name, tensor) in weights.tensors() {
            bytes.extend(name.as_bytes());
            bytes.extend(tensor.values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Self {
            name: weights.metadata().name.clone(),
            fingerprint: format!("{:016x}", fnv1a(&bytes)),
        }
    }
}

impl fmt::Display for WeightsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.fingerprint)
    }
}
