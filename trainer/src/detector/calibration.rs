//! Scores that mean what they say: Platt scaling (Platt 1999, "Probabilistic outputs for support vector machines").
//!
//! Of the boxes that a detector is sure of to some degree, that share is to be faces. A straight line through the logits,
//! fitted as a logistic regression, makes it so; the network's last layer takes it up, so nobody needs to know of it.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use candle_core::{Device, Result, Tensor, bail};
use emotion_models::face_net::{STRIDES, VALUES};

use super::matching::MatchedBox;

/// Steps of Newton's method at most; it takes a handful.
const STEPS: usize = 50;
/// Slopes beyond these come from scores that tell nothing: all alike, or none better than another.
const SLOPES: RangeInclusive<f64> = 0.05..=20.0;
/// Halvings of a step that goes too far.
const HALVINGS: usize = 20;

/// The logit of a face is `slope` · score + `offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlattScaling {
    /// Positive, so the order of the scores stays.
    pub slope: f64,
    /// The logit for the score 0.
    pub offset: f64,
}

impl PlattScaling {
    /// Scores as they are.
    pub const IDENTITY: Self = Self {
        slope: 1.0,
        offset: 0.0,
    };

    /// The calibration under which what is judged here is the most probable. Scores that say nothing, or the wrong thing,
    /// stay as they are.
    pub fn fit(judged: &[MatchedBox]) -> Self {
        let faces = judged.iter().filter(|judged| judged.face.is_some()).count();
        // Platt's targets: as if one more of each kind had been seen, so that certainty stays finite.
        let seen = |count: usize| (count as f64 + 1.0) / (count as f64 + 2.0);
        let (face, other) = (seen(faces), 1.0 - seen(judged.len() - faces));
        let target = |judged: &MatchedBox| if judged.face.is_some() { face } else { other };
        let examples: Vec<(f64, f64)> = judged
            .iter()
            .map(|judged| (f64::from(judged.found.score), target(judged)))
            .collect();
        let fitted = regression(&examples);
        let is_usable = SLOPES.contains(&fitted.slope) && fitted.offset.is_finite();
        if is_usable { fitted } else { Self::IDENTITY }
    }

    /// How probable it is that a box with this score is a face.
    pub fn confidence(&self, score: f64) -> f64 {
        1.0 / (1.0 + (-self.logit(score)).exp())
    }

    fn logit(&self, score: f64) -> f64 {
        self.slope * score + self.offset
    }

    /// The values of a detector whose scores are the calibrated logits of the one with these values.
    ///
    /// # Errors
    ///
    /// When they are not a detector's.
    pub fn apply(&self, values: &mut HashMap<String, Tensor>) -> Result<()> {
        for head in 0..STRIDES.len() {
            for (kind, offset) in [("weight", 0.0), ("bias", self.offset)] {
                let name = format!("heads.{head}.values.{kind}");
                let Some(tensor) = values.get_mut(&name) else {
                    bail!("{name} is missing: expected a face detector");
                };
                let mut rows = tensor.flatten_all()?.to_vec1::<f32>()?;
                // The outputs come first, and of these the score.
                let score = rows.len() / VALUES;
                for value in &mut rows[..score] {
                    *value = (f64::from(*value) * self.slope + offset) as f32;
                }
                *tensor = Tensor::from_vec(rows, tensor.shape(), &Device::Cpu)?;
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
        // The gradient and, with a little more on its diagonal lest it is singular, the Hessian.
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
