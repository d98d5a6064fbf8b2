//! Whether confidences mean what they say: how far they are from the truth, and the temperature
//! (Guo et al. 2017, "On Calibration of Modern Neural Networks") that brings them near it.

use emotion_models::Emotion;

use crate::emotion::metrics::softmax;

/// Bins of a [`Reliability`].
pub const BINS: usize = 15;

/// Temperatures from 1/20 to 20 are searched.
const WIDEST: f64 = 20.0;
/// Halvings of that range, in logarithms: then the temperature is right to 1e-8.
const HALVINGS: usize = 30;

/// The predictions whose confidence lies in one bin.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bin {
    count: usize,
    right: usize,
    confidence_sum: f64,
}

impl Bin {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Fraction of them that is right; none in an empty bin.
    pub fn accuracy(&self) -> Option<f64> {
        (self.count > 0).then(|| self.right as f64 / self.count as f64)
    }

    /// Their mean confidence; none in an empty bin.
    pub fn confidence(&self) -> Option<f64> {
        (self.count > 0).then(|| self.confidence_sum / self.count as f64)
    }
}

/// Predictions by their confidence, in [`BINS`] bins of equal width: bin i holds those above
/// i/[`BINS`] up to (i+1)/[`BINS`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Reliability {
    bins: [Bin; BINS],
}

impl Reliability {
    /// Adds a prediction; its confidence is the probability of the class that was chosen.
    pub fn add(&mut self, confidence: f64, right: bool) {
        let bin = (confidence * BINS as f64).ceil() as usize;
        let bin = &mut self.bins[bin.clamp(1, BINS) - 1];
        bin.count += 1;
        bin.right += usize::from(right);
        bin.confidence_sum += confidence;
    }

    /// The bins from confidence 0 to confidence 1.
    pub fn bins(&self) -> &[Bin; BINS] {
        &self.bins
    }

    /// All predictions together.
    pub fn total(&self) -> Bin {
        self.bins.iter().fold(Bin::default(), |sum, bin| Bin {
            count: sum.count + bin.count,
            right: sum.right + bin.right,
            confidence_sum: sum.confidence_sum + bin.confidence_sum,
        })
    }

    /// Expected calibration error: the mean over all predictions of the distance between accuracy
    /// and mean confidence of their bin, 0 to 1; NaN without predictions.
    pub fn expected_calibration_error(&self) -> f64 {
        let distance = |bin: &Bin| (bin.right as f64 - bin.confidence_sum).abs();
        self.bins.iter().map(distance).sum::<f64>() / self.total().count as f64
    }
}

/// The temperature in 1/20…20 with the least cross-entropy for logits `[N][7]` and their N labels;
/// 1 where any other is as good or the logits are not finite.
///
/// With β = 1/temperature the cross-entropy is convex, so it has one minimum, where its slope
/// Σ (⟨z⟩ − z_label) crosses 0; ⟨z⟩ is the mean of the logits z under softmax(β z).
pub fn fit_temperature(logits: &[Vec<f32>], labels: &[Emotion]) -> f32 {
    let slope = |beta: f64| -> f64 {
        let row_slope = |(row, label): (&Vec<f32>, &Emotion)| {
            let probabilities = softmax(row, 1.0 / beta);
            let logits = row.iter().map(|&logit| f64::from(logit));
            let expected: f64 = logits.zip(probabilities).map(|(z, p)| z * p).sum();
            expected - f64::from(row[label.label_id()])
        };
        logits.iter().zip(labels).map(row_slope).sum()
    };
    let (mut low, mut high) = (-WIDEST.ln(), WIDEST.ln());
    for _ in 0..HALVINGS {
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
