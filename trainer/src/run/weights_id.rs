//! Identifies weights by name and contents.

use std::fmt;

use candle_core::Result;
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
    ///
    /// # Errors
    ///
    /// When a tensor cannot be read.
    pub fn of(weights: &Weights) -> Result<Self> {
        let mut tensors: Vec<_> = weights.tensors().iter().collect();
        tensors.sort_by_key(|(name, _)| *name);
        let mut bytes = Vec::new();
        for (name, tensor) in tensors {
            bytes.extend(name.as_bytes());
            for value in tensor.flatten_all()?.to_vec1::<f32>()? {
                bytes.extend(value.to_le_bytes());
            }
        }
        Ok(Self {
            name: weights.metadata().name.clone(),
            fingerprint: format!("{:016x}", fnv1a(&bytes)),
        })
    }
}

impl fmt::Display for WeightsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.fingerprint)
    }
}
