//! Temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks").

use crate::data::CLASSES;
use crate::emotion::metrics::softmax;

/// Temperatures from 1/20 to 20 are searched.
const LARGEST: f64 = 20.0;
/// Bisections of that range in logarithms, which give the temperature to 1e-8.
const BISECTIONS: usize = 30;

/// The temperature in 1/20…20 with the least cross-entropy for logits `[N][7]` and their N target probabilities; 1 if all
/// are equally good or the logits are not finite.
///
/// The cross-entropy is convex in β = 1/temperature, so its only minimum is where its slope Σ (⟨z⟩ − z·t) crosses 0;
/// ⟨z⟩ is the mean of the logits z under softmax(β z), and t the target.
pub fn fit_temperature(logits: &[Vec<f32>], targets: &[[f32; CLASSES]]) -> f32 {
    let slope = |beta: f64| -> f64 {
        let row_slope = |(row, target): (&Vec<f32>, &[f32; CLASSES])| -> f64 {
            let probabilities = softmax(row, 1.0 / beta);
            let mean = |shares: &mut dyn Iterator<Item = f64>| -> f64 {
                let logits = row.iter().map(|&logit| f64::from(logit));
                logits.zip(shares).map(|(logit, share)| logit * share).sum()
            };
            mean(&mut probabilities.into_iter()) - mean(&mut target.iter().map(|&t| f64::from(t)))
        };
        logits.iter().zip(targets).map(row_slope).sum()
    };
    let (mut low, mut high) = (-LARGEST.ln(), LARGEST.ln());
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(low, high);
        let slope = slope(middle.exp());
        if slope > 0.0 {
            high = middle;
        } else if slope < 0.0 {
            low = middle;
        } else {
            return (-middle).exp() as f32;
        }
    }
    (-f64::midpoint(low, high)).exp() as f32
}

#[cfg(test)]
mod tests;
