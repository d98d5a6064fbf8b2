//! Mixes pairs of faces and their targets (mixup, CutMix).

use emotion_models::Emotion;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::targets::Target;

/// How faces of a batch are mixed. Each number is the α of the Beta(α, α) from which the share of the first face is drawn;
/// 0 turns it off. If both are set, each batch uses one of them at random.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Mixing {
    /// α of mixup, which blends both faces (Zhang, Cissé, Dauphin and Lopez-Paz 2018).
    pub mixup: f32,
    /// α of CutMix, which pastes a rectangle of the second face into the first (Yun, Han, Oh, Chun, Choe and Yoo 2019).
    pub cutmix: f32,
}

/// The preprocessed faces of a batch with their targets and labels.
pub(super) struct MixedBatch<'a> {
    /// `size`² values for each face.
    pub(super) faces: &'a mut [f32],
    pub(super) size: usize,
    pub(super) targets: &'a mut [Target],
    pub(super) labels: &'a mut [Option<Emotion>],
}

impl Mixing {
    /// Whether faces are mixed.
    pub fn is_on(&self) -> bool {
        self.mixup > 0.0 || self.cutmix > 0.0
    }

    /// Mixes each face with the next one, the last with the first. The label is that of the face with the larger share.
    pub(super) fn run(&self, batch: MixedBatch<'_>, generator: &mut impl RngExt) {
        let MixedBatch {
            faces,
            size,
            targets,
            labels,
        } = batch;
        if labels.is_empty() {
            return;
        }
        let length = size * size;
        let cut = match (self.mixup > 0.0, self.cutmix > 0.0) {
            (true, true) => generator.random(),
            (_, cut) => cut,
        };
        // The last face needs the first one as it was before mixing.
        let first = (faces[..length].to_vec(), targets[0], labels[0]);
        for index in 0..labels.len() {
            let (face, others) = faces[index * length..].split_at_mut(length);
            let next = index + 1;
            let (other, other_targets, other_label) = if next < labels.len() {
                (&others[..length], targets[next], labels[next])
            } else {
                (&first.0[..], first.1, first.2)
            };
            let share = if cut {
                paste(face, other, size, beta(self.cutmix, generator), generator)
            } else {
                blend(face, other, beta(self.mixup, generator))
            };
            for (target, other) in targets[index].iter_mut().zip(other_targets) {
                *target = share * *target + (1.0 - share) * other;
            }
            if share < 0.5 {
                labels[index] = other_label;
            }
        }
    }
}

/// Lays `other` over the face, which keeps its share.
fn blend(face: &mut [f32], other: &[f32], share: f32) -> f32 {
    for (value, other) in face.iter_mut().zip(other) {
        *value = share * *value + (1.0 - share) * other;
    }
    share
}

/// Puts a rectangle of `other` into the face; its centre may lie anywhere, so that a part of it may
/// lie outside. Returns what is left of the face.
fn paste(
    face: &mut [f32],
    other: &[f32],
    size: usize,
    share: f32,
    generator: &mut impl RngExt,
) -> f32 {
    let half = (1.0 - share).sqrt() * size as f32 / 2.0;
    let mut range = || {
        let centre = generator.random::<f32>() * size as f32;
        let edge = |position: f32| (position.round().max(0.0) as usize).min(size);
        edge(centre - half)..edge(centre + half)
    };
    let (rows, columns) = (range(), range());
    for row in rows.clone() {
        let row = row * size;
        let columns = row + columns.start..row + columns.end;
        face[columns.clone()].copy_from_slice(&other[columns]);
    }
    1.0 - (rows.len() * columns.len()) as f32 / (size * size) as f32
}

/// A number from Beta(α, α) by Jöhnk's method (1964), which is fast for α up to about 2.
fn beta(alpha: f32, generator: &mut impl RngExt) -> f32 {
    let power = 1.0 / f64::from(alpha);
    loop {
        let [x, y] = [(); 2].map(|()| generator.random::<f64>().powf(power));
        let sum = x + y;
        if sum > 0.0 && sum <= 1.0 {
            return (x / sum) as f32;
        }
    }
}

#[cfg(test)]
mod tests;
