//! Steady emotions from the probabilities of single frames.

use std::collections::VecDeque;
use std::time::Duration;

use crate::labels::LabelGroups;

/// How far another label has to lead the shown one in the mean before the lead counts.
const MARGIN: f64 = 0.2;

/// Lead beyond the margin, times seconds, after which the other label is shown.
const EVIDENCE: f64 = 0.04;

/// The window is this many time constants of the adaptive mean.
const TIME_CONSTANTS: u32 = 5;

/// The smallest weight of a result, however poor its crop.
const MIN_WEIGHT: f64 = 0.05;

/// The weight of the first result of a face, about that of a frame in a mean that has settled.
const FIRST_WEIGHT: f64 = 0.2;

/// The largest number of results kept, so that the memory of a face is bounded at any frame rate.
const MAX_RESULTS: usize = 256;

/// The time constant of the adaptive mean for a window.
pub(crate) fn time_constant(window: Duration) -> Duration {
    window / TIME_CONSTANTS
}

/// How results are smoothed over time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SmoothingMethod {
    /// Each frame by itself.
    None,
    /// The most frequent label in the window; among equals, the one shown last.
    Mode,
    /// The most probable label in the mean of the window.
    Mean,
    /// An exponential mean with hysteresis.
    ///
    /// The shown label stays until another one leads it in the mean by more than 0.2, without a break, and what exceeds
    /// 0.2 adds up to 0.04 over the seconds. So a clear change is followed at once and a slight one only if it lasts.
    /// The time constant of the mean is a fifth of the window: with a window of one second, a lasting change shows
    /// within half a second.
    #[default]
    Adaptive,
}

/// The settings of a [`Smoother`].
#[derive(Debug, Clone, Copy)]
pub struct SmoothingOptions<'a> {
    /// How results are smoothed.
    pub method: SmoothingMethod,
    /// How far back smoothing looks.
    pub window: Duration,
    /// The groups that are shown: labels of one group do not compete with each other.
    pub groups: &'a LabelGroups,
}

/// The emotion to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct SmoothedEmotion {
    /// Index of the shown label among [`LabelGroups::names`].
    pub label_id: usize,
    /// One probability for each label of the model, smoothed.
    pub probabilities: Vec<f64>,
}

impl SmoothedEmotion {
    /// The most probable group of a single result.
    pub fn unsmoothed(probabilities: Vec<f64>, groups: &LabelGroups) -> Self {
        Self {
            label_id: argmax(&groups.sums(&probabilities)),
            probabilities,
        }
    }
}

#[derive(Debug)]
struct WeightedResult {
    time: Duration,
    weight: f64,
    probabilities: Vec<f64>,
}

/// The past results of one face.
///
/// Results have weights, so a poor crop moves the mean less than a good one. The frame rate does not matter: a result
/// counts for the time since the one before.
#[derive(Debug, Default)]
pub struct Smoother {
    results: VecDeque<WeightedResult>,
    mean: Vec<f64>,
    /// The sum of the weights in the mean, which fade with it.
    mean_weight: f64,
    shown: Option<usize>,
    /// The label that leads, and the evidence for it so far.
    challenger: Option<(usize, f64)>,
}

impl Smoother {
    /// Adds the `probabilities` of the frame at `time`, one for each label of the model, with a `weight` from 0 to 1, and
    /// returns the emotion to be shown. If the time goes back or the number of labels changes, smoothing begins anew.
    pub fn update(
        &mut self,
        time: Duration,
        probabilities: &[f64],
        weight: f64,
        options: SmoothingOptions<'_>,
    ) -> SmoothedEmotion {
        let SmoothingOptions {
            method,
            window,
            groups,
        } = options;
        let continues = self.results.back().is_none_or(|last| {
            time >= last.time && last.probabilities.len() == probabilities.len()
        });
        if !continues {
            *self = Self::default();
        }
        let elapsed = self.results.back().map(|last| time - last.time);
        // However poor, a result is better than none.
        let weight = weight.clamp(MIN_WEIGHT, 1.0);
        self.results.push_back(WeightedResult {
            time,
            weight,
            probabilities: probabilities.to_vec(),
        });
        let is_outdated = |result: &WeightedResult| time - result.time > window;
        while self.results.len() > MAX_RESULTS || self.results.front().is_some_and(is_outdated) {
            self.results.pop_front();
        }
        self.update_mean(elapsed, probabilities, weight, window);

        let (label_id, probabilities) = match method {
            SmoothingMethod::None => (argmax(&groups.sums(probabilities)), probabilities.to_vec()),
            SmoothingMethod::Mode => {
                let votes = self.average(|result| {
                    let first = argmax(&groups.sums(result));
                    (0..groups.names().len())
                        .map(|id| f64::from(u8::from(id == first)))
                        .collect()
                });
                (self.leader(&votes), self.average(<[f64]>::to_vec))
            }
            SmoothingMethod::Mean => {
                let mean = self.average(<[f64]>::to_vec);
                (self.leader(&groups.sums(&mean)), mean)
            }
            SmoothingMethod::Adaptive => {
                let sums = groups.sums(&self.mean);
                let label_id = self.leader_with_hysteresis(elapsed.unwrap_or_default(), &sums);
                (label_id, self.mean.clone())
            }
        };
        self.shown = Some(label_id);
        SmoothedEmotion {
            label_id,
            probabilities,
        }
    }

    /// Moves the exponential mean, in which weights fade with e^(−elapsed / time constant). The first results
    /// count about alike, so that the very first one does not decide.
    fn update_mean(
        &mut self,
        elapsed: Option<Duration>,
        probabilities: &[f64],
        weight: f64,
        window: Duration,
    ) {
        let kept = match elapsed {
            Some(elapsed) if !window.is_zero() => {
                let constant = time_constant(window).as_secs_f64().max(1e-9);
                (-elapsed.as_secs_f64() / constant).exp()
            }
            _ => 0.0,
        };
        // A result counts for the time since the one before, so that the frame rate does not matter.
        let weight = match elapsed {
            Some(_) => weight * (1.0 - kept),
            None => weight * FIRST_WEIGHT,
        };
        self.mean_weight = self.mean_weight * kept + weight;
        let share = if self.mean_weight > 0.0 {
            weight / self.mean_weight
        } else {
            1.0
        };
        self.mean.resize(probabilities.len(), 0.0);
        for (mean, probability) in self.mean.iter_mut().zip(probabilities) {
            *mean += share * (probability - *mean);
        }
    }

    /// The shown label, unless there is enough evidence for the leader of `mean`.
    fn leader_with_hysteresis(&mut self, elapsed: Duration, mean: &[f64]) -> usize {
        let leader = argmax(mean);
        let Some(shown) = self.shown.filter(|&shown| shown < mean.len()) else {
            return leader;
        };
        let lead = mean[leader] - mean[shown] - MARGIN;
        let before = match self.challenger.take() {
            Some((label, evidence)) if label == leader => evidence,
            _ => 0.0,
        };
        if leader == shown || lead <= 0.0 {
            return shown;
        }
        let evidence = before + lead * elapsed.as_secs_f64();
        if evidence >= EVIDENCE {
            return leader;
        }
        self.challenger = Some((leader, evidence));
        shown
    }

    /// The label with the largest value; among equals the shown one, else the first.
    fn leader(&self, values: &[f64]) -> usize {
        let leader = argmax(values);
        let ties = |&shown: &usize| {
            values
                .get(shown)
                .is_some_and(|v| *v >= values[leader] - 1e-9)
        };
        self.shown.filter(ties).unwrap_or(leader)
    }

    /// The weighted mean over the window of `f` of each result.
    fn average(&self, f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
        let total: f64 = self.results.iter().map(|result| result.weight).sum();
        let mut sums = Vec::new();
        for result in &self.results {
            let values = f(&result.probabilities);
            sums.resize(values.len(), 0.0);
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value * result.weight / total;
            }
        }
        sums
    }
}

/// The index of the largest value, the first among equals; 0 if there is none.
fn argmax(values: &[f64]) -> usize {
    let first = (0, f64::NEG_INFINITY);
    let larger = |best: (usize, f64), (id, &value): (usize, &f64)| {
        if value > best.1 { (id, value) } else { best }
    };
    values.iter().enumerate().fold(first, larger).0
}

#[cfg(test)]
mod tests;
