//! What a face shows most of the time, taken for its neutral expression. Knows no GStreamer.
//!
//! Some faces look sad or angry at rest. The slow average of a face's logits says how; it is subtracted from each
//! result, and the logits of a neutral face are put in its place:
//!
//! logits − trust · (average − neutral), with trust = 1 − e^(−age / 10 s)

use std::time::Duration;

/// Time constant of the average in seconds.
const SLOW: f64 = 60.0;

/// Age in seconds at which the average has 63 % of its say.
const WARM_UP: f64 = 10.0;

/// Probability of neutral on a neutral face; the others share the rest.
const NEUTRAL: f64 = 0.6;

/// Probabilities count as no less, so that a sure result has finite logits.
const LEAST: f64 = 1e-4;

/// A longer silence counts as no more than this, in seconds: the face was not seen meanwhile.
const LONGEST_GAP: f64 = 1.0;

/// The average of one face.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    /// Logits, their mean taken out.
    average: Vec<f64>,
    /// Seconds of good results that it is made of, fading.
    weight: f64,
    /// Seconds for which the face was looked at.
    age: f64,
    last: Option<Duration>,
}

impl Baseline {
    /// The probabilities as they would be if the face at rest were a neutral one; `neutral` is that label's index. Without
    /// such a label, results are only made relative to the average. `weight` is the result's, 0 to 1.
    pub fn adjust(
        &mut self,
        time: Duration,
        probabilities: &[f64],
        weight: f64,
        neutral: Option<usize>,
    ) -> Vec<f64> {
        let fits =
            self.average.len() == probabilities.len() && self.last.is_some_and(|last| time >= last);
        if !fits {
            *self = Self::default();
            self.average.resize(probabilities.len(), 0.0);
        }
        let logits = logits(probabilities);
        let elapsed = self.last.map_or(0.0, |last| (time - last).as_secs_f64());
        let elapsed = elapsed.min(LONGEST_GAP);
        self.last = Some(time);
        self.age += elapsed * weight;
        self.weight = self.weight * (-elapsed / SLOW).exp() + elapsed * weight;
        if self.weight > 0.0 {
            let share = elapsed * weight / self.weight;
            for (average, logit) in self.average.iter_mut().zip(&logits) {
                *average += share * (logit - *average);
            }
        }

        let trust = 1.0 - (-self.age / WARM_UP).exp();
        let anchor = anchor(probabilities.len(), neutral);
        let adjusted: Vec<f64> = (logits.iter().zip(&self.average).zip(&anchor))
            .map(|((logit, average), anchor)| (logit - trust * (average - anchor)).exp())
            .collect();
        let sum: f64 = adjusted.iter().sum();
        adjusted.into_iter().map(|value| value / sum).collect()
    }
}

fn logits(probabilities: &[f64]) -> Vec<f64> {
    let logits: Vec<f64> = probabilities.iter().map(|p| p.max(LEAST).ln()).collect();
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
mod tests {
    use super::*;

    /// Sad, happy, neutral.
    const NEUTRAL_LABEL: Option<usize> = Some(2);
    const SAD_AT_REST: [f64; 3] = [0.6, 0.05, 0.35];
    const SMILE: [f64; 3] = [0.3, 0.6, 0.1];

    /// The last of `seconds` of results at 25 frames a second.
    fn after(baseline: &mut Baseline, seconds: u64, probabilities: [f64; 3]) -> Vec<f64> {
        let start = baseline.last.unwrap_or_default();
        let frames = (1..=25 * seconds).map(|i| start + Duration::from_millis(40 * i));
        let adjusted = frames.map(|time| baseline.adjust(time, &probabilities, 1.0, NEUTRAL_LABEL));
        adjusted.last().unwrap()
    }

    #[test]
    fn the_first_result_stands_as_it_is() {
        let adjusted = Baseline::default().adjust(Duration::ZERO, &SAD_AT_REST, 1.0, NEUTRAL_LABEL);
        for (adjusted, given) in adjusted.iter().zip(SAD_AT_REST) {
            assert!((adjusted - given).abs() < 1e-9);
        }
    }

    #[test]
    fn a_face_that_looks_sad_at_rest_becomes_neutral_and_its_smile_stays_happy() {
        let mut baseline = Baseline::default();
        let rest = after(&mut baseline, 30, SAD_AT_REST);
        assert!(rest[2] > rest[0] && rest[2] > rest[1], "{rest:?}");
        let smile = after(&mut baseline, 1, SMILE);
        assert!(smile[1] > smile[0] && smile[1] > smile[2], "{smile:?}");
        assert!((smile.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn results_without_weight_teach_nothing() {
        let mut baseline = Baseline::default();
        for i in 0..1000 {
            let time = Duration::from_millis(40 * i);
            let adjusted = baseline.adjust(time, &SAD_AT_REST, 0.0, NEUTRAL_LABEL);
            assert!((adjusted[0] - 0.6).abs() < 1e-9);
        }
    }

    #[test]
    fn a_time_that_goes_back_begins_anew() {
        let mut baseline = Baseline::default();
        after(&mut baseline, 30, SAD_AT_REST);
        let adjusted = baseline.adjust(Duration::ZERO, &SMILE, 1.0, NEUTRAL_LABEL);
        assert!((adjusted[1] - 0.6).abs() < 1e-9);
    }

    #[test]
    fn impossible_and_certain_results_stay_finite() {
        let mut baseline = Baseline::default();
        let sure = after(&mut baseline, 60, [0.0, 0.0, 1.0]);
        assert!(sure.iter().all(|p| p.is_finite() && *p >= 0.0));
    }
}
