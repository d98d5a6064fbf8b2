//! What a run learns from.

use std::sync::Arc;

use crate::data::Faces;
use crate::distillation::Teachers;
use crate::params::fnv1a;

/// What a run learns from.
#[derive(Debug, Clone)]
pub struct Data {
    /// What parameters are fitted to.
    pub training: Arc<Faces>,
    /// What chooses the epoch to keep and its temperature.
    pub validation: Arc<Faces>,
    /// Whose answers are learnt besides the labels.
    pub teachers: Teachers,
}

impl Data {
    /// What tells these faces, labels and votes from others.
    pub(super) fn fingerprint(&self) -> String {
        let mut hashes = Vec::new();
        for faces in [&self.training, &self.validation] {
            for (index, label) in faces.labels().iter().enumerate() {
                hashes.extend(fnv1a(faces.pixels(index)).to_le_bytes());
                hashes.push(label.label_id() as u8);
                for share in faces.votes(index).into_iter().flatten() {
                    hashes.extend(share.to_le_bytes());
                }
            }
        }
        format!("{:016x}", fnv1a(&hashes))
    }
}
