//! The usual expression of a face, which is taken for its neutral one.
//!
//! Some faces look sad or angry at rest. The slow average of a face's logits shows how. It is subtracted from each
//! result, and the logits of a neutral face are added instead:
//!
//! logits − trust · (average − neutral), with trust = 1 − e^(−age / 10 s)

use std::time::Duration;

/// Time constant of the average in seconds.
const AVERAGE_SECONDS: f64 = 60.0;

/// Time constant in seconds with which trust in the average grows.
const TRUST_SECONDS: f64 = 10.0;

/// Probability of neutral on a neutral face; the others share the rest.
const NEUTRAL: f64 = 0.6;

/// Lower bound of the probabilities, which keeps logits finite.
const MIN_PROBABILITY: f64 = 1e-4;

/// The longest time in seconds that a single result counts for. The face was not seen during a longer gap.
const MAX_GAP_SECONDS: f64 = 1.0;

/// The slow average of the logits of one face.
#[derive(Debug, Clone, Default)]
pub(crate) struct PersonalBaseline {
    /// Logits with a mean of zero.
    average: Vec<f64>,
    /// The sum of the weights in the average, in seconds; it fades with the average.
    weight: f64,
    /// How many seconds the face was seen for, weighted.
    age: f64,
    last: Option<Duration>,
}

impl PersonalBaseline {
    /// The probabilities that the face would have if it looked neutral at rest. `weight` is that of the result, 0 to 1.
    /// `neutral` is the index of the label neutral; without one, results become relative to the average. If the time goes
    /// back or the number of labels changes, the average begins anew.
    pub(crate) fn adjust(
        &mut self,
        time: Duration,
        probabilities: &[f64],
        weight: f64,
        neutral: Option<usize>,
    ) -> Vec<f64> {
        let continues =
            self.average.len() == probabilities.len() && self.last.is_some_and(|last| time >= last);
        if !continues {
            *self = Self::default();
            self.average.resize(probabilities.len(), 0.0);
        }
        let logits = logits(probabilities);
        let elapsed = self.last.map_or(0.0, |last| (time - last).as_secs_f64());
        let elapsed = elapsed.min(MAX_GAP_SECONDS);
        self.last = Some(time);
        self.age += elapsed * weight;
        self.weight = self.weight * (-elapsed / AVERAGE_SECONDS).exp() + elapsed * weight;
        if self.weight > 0.0 {
            let share = elapsed * weight / self.weight;
            for (average, logit) in self.average.iter_mut().zip(&logits) {
                *average += share * (logit - *average);
            }
        }

        let trust = 1.0 - (-self.age / TRUST_SECONDS).exp();
        let anchor = anchor(probabilities.len(), neutral);
        let adjusted: Vec<f64> = (logits.iter().zip(&self.average).zip(&anchor))
            .map(|((logit, average), anchor)| (logit - trust * (average - anchor)).exp())
            .collect();
        let sum: f64 = adjusted.iter().sum();
        adjusted.into_iter().map(|value| value / sum).collect()
    }
}

fn logits(probabilities: &[f64]) -> Vec<f64> {
    let logits: Vec<f64> = probabilities
        .iter()
        .map(|p| p.max(MIN_PROBABILITY).ln())
        .collect();
    let mean = logits.iter().sum::<f64>() / logits.len() as f64;
    logits.into_iter().map(|logit| logit - mean).collect()
}

/// The logits of a neutral face.
fn anchor(labels: usize, neutral: Option<usize>) -> Vec<f64> {
    let Some(neutral) = neutral.filter(|_| labels > 1) else {
        return vec![0.0; labels];
    };
    let mut probabilities = vec![(1.0 - NEUTRAL) / (labels - 1) as f64; labels];
    probabilities[neutral] = NEUTRAL;
    logits(&probabilities)
}

#[cfg(test)]
mod tests;
