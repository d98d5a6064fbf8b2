//! Compares confidences with accuracies.

/// Bins of a [`Reliability`].
pub const BINS: usize = 15;

/// The predictions with confidences in one bin.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bin {
    count: usize,
    outcome_sum: f64,
    confidence_sum: f64,
}

impl Bin {
    /// Number of predictions.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Fraction of correct predictions, or their mean share of the votes; none in an empty bin.
    pub fn accuracy(&self) -> Option<f64> {
        (self.count > 0).then(|| self.outcome_sum / self.count as f64)
    }

    /// Mean confidence; none in an empty bin.
    pub fn confidence(&self) -> Option<f64> {
        (self.count > 0).then(|| self.confidence_sum / self.count as f64)
    }
}

/// Predictions by their confidence, in [`BINS`] bins of equal width: bin i holds those above i/[`BINS`] up to
/// (i+1)/[`BINS`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Reliability {
    bins: [Bin; BINS],
}

impl Reliability {
    /// Adds a prediction; its confidence is the probability of the predicted class. The outcome is whether it was correct, or
    /// the share of the votes for that class.
    pub fn add(&mut self, confidence: f64, outcome: impl Into<f64>) {
        let bin = (confidence * BINS as f64).ceil() as usize;
        let bin = &mut self.bins[bin.clamp(1, BINS) - 1];
        bin.count += 1;
        bin.outcome_sum += outcome.into();
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
            outcome_sum: sum.outcome_sum + bin.outcome_sum,
            confidence_sum: sum.confidence_sum + bin.confidence_sum,
        })
    }

    /// Expected calibration error, 0 to 1: the mean distance between accuracy and mean confidence of a bin, weighted by
    /// its predictions; NaN without predictions.
    pub fn expected_calibration_error(&self) -> f64 {
        let distance = |bin: &Bin| (bin.outcome_sum - bin.confidence_sum).abs();
        self.bins.iter().map(distance).sum::<f64>() / self.total().count as f64
    }
}

#[cfg(test)]
mod tests;
