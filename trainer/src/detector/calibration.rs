//! Calibrates the scores of a detector by Platt scaling (Platt 1999, "Probabilistic outputs for support vector machines").
//!
//! Afterwards a share p of the boxes with confidence p are faces. A linear function of the logits, fitted by logistic
//! regression, achieves this. It is merged into the last layers of the network.

use std::ops::RangeInclusive;

use anyhow::{Result, bail};
use emotion_models::face_net::{STRIDES, VALUES};
use emotion_models::weights::WeightTensors;

use super::matching::MatchedBox;

/// Largest number of steps of Newton's method; a handful is usual.
const STEPS: usize = 50;
/// Other slopes come from scores without information.
const SLOPES: RangeInclusive<f64> = 0.05..=20.0;
/// Largest number of halvings of a step that is too long.
const HALVINGS: usize = 20;

/// The logit of a face is `slope` · score + `offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlattScaling {
    /// Positive, which keeps the order of the scores.
    pub slope: f64,
    /// The logit for the score 0.
    pub offset: f64,
}

impl PlattScaling {
    /// Leaves scores as they are.
    pub const IDENTITY: Self = Self {
        slope: 1.0,
        offset: 0.0,
    };

    /// The most likely calibration for these boxes; [`PlattScaling::IDENTITY`] if their scores have no information or are
    /// inverted.
    pub fn fit(boxes: &[MatchedBox]) -> Self {
        let faces = boxes.iter().filter(|found| found.face.is_some()).count();
        // Platt's targets count one more box of each kind, which keeps the logits finite.
        let seen = |count: usize| (count as f64 + 1.0) / (count as f64 + 2.0);
        let (face, other) = (seen(faces), 1.0 - seen(boxes.len() - faces));
        let target = |found: &MatchedBox| if found.face.is_some() { face } else { other };
        let examples: Vec<(f64, f64)> = boxes
            .iter()
            .map(|matched| (f64::from(matched.found.score), target(matched)))
            .collect();
        let fitted = regression(&examples);
        let is_usable = SLOPES.contains(&fitted.slope) && fitted.offset.is_finite();
        if is_usable { fitted } else { Self::IDENTITY }
    }

    /// The probability that a box with this score is a face.
    pub fn confidence(&self, score: f64) -> f64 {
        1.0 / (1.0 + (-self.logit(score)).exp())
    }

    fn logit(&self, score: f64) -> f64 {
        self.slope * score + self.offset
    }

    /// Merges the calibration into the tensors of a detector.
    ///
    /// # Errors
    ///
    /// When they are of another network.
    pub fn apply(&self, values: &mut WeightTensors) -> Result<()> {
        for head in 0..STRIDES.len() {
            for (kind, offset) in [("weight", 0.0), ("bias", self.offset)] {
                let name = format!("heads.{head}.values.{kind}");
                let Some(tensor) = values.get_mut(&name) else {
                    bail!("{name} is missing: expected a face detector");
                };
                // The first output is the score.
                let score = tensor.values.len() / VALUES;
                for value in &mut tensor.values[..score] {
                    *value = (f64::from(*value) * self.slope + offset) as f32;
                }
            }
        }
        Ok(())
    }

    /// −ln of the probability of all examples, scores and targets.
    fn cross_entropy(&self, examples: &[(f64, f64)]) -> f64 {
        let of_one = |&(score, target): &(f64, f64)| {
            let logit = self.logit(score);
            logit.max(0.0) - logit * target + (-logit.abs()).exp().ln_1p()
        };
        examples.iter().map(of_one).sum()
    }
}

/// The calibration with the least cross-entropy. That is convex, so Newton's method finds its minimum.
fn regression(examples: &[(f64, f64)]) -> PlattScaling {
    let mut best = PlattScaling::IDENTITY;
    let mut loss = best.cross_entropy(examples);
    for _ in 0..STEPS {
        // The gradient and the Hessian, whose diagonal is increased a little so that it is not singular.
        let mut gradient = [0.0; 2];
        let [mut square, mut mixed, mut count] = [1e-9, 0.0, 1e-9];
        for &(score, target) in examples {
            let probability = best.confidence(score);
            let (error, weight) = (probability - target, probability * (1.0 - probability));
            gradient[0] += error * score;
            gradient[1] += error;
            square += weight * score * score;
            mixed += weight * score;
            count += weight;
        }
        let determinant = square * count - mixed * mixed;
        let step = [
            (count * gradient[0] - mixed * gradient[1]) / determinant,
            (square * gradient[1] - mixed * gradient[0]) / determinant,
        ];
        let shorter = (0..HALVINGS).map(|halvings| {
            let share = 0.5f64.powi(halvings as i32);
            PlattScaling {
                slope: best.slope - share * step[0],
                offset: best.offset - share * step[1],
            }
        });
        let lower = shorter
            .map(|next| (next, next.cross_entropy(examples)))
            .find(|&(_, next)| next < loss);
        let Some((next, lower)) = lower else { break };
        (best, loss) = (next, lower);
    }
    best
}

#[cfg(test)]
mod tests;
