//! Steady emotions from the probabilities of single frames, for one face.
//!
//! [`Method::Adaptive`] is a mean over time with hysteresis: the shown label stays until another one has led it in the mean
//! by more than [`MARGIN`], without a break, until what is beyond the margin adds up to [`EVIDENCE`] over time. A clear
//! change is followed at once and a slight one only if it lasts. The mean is exponential with a time constant of a fifth of the
//! window, so that with the default window a lasting change shows within half a second.
//!
//! Results have weights: one from a poor crop moves the mean less than one from a good crop. Labels that are shown as one
//! are one here too: a face between anger and disgust does not flicker where both are called negative.

use std::collections::VecDeque;
use std::time::Duration;

use crate::labels::Labels;

/// How far another label has to lead the shown one in the mean for that to count.
const MARGIN: f64 = 0.2;

/// Lead beyond the margin times seconds after which the other label takes the shown one's place.
const EVIDENCE: f64 = 0.04;

/// The share of the window that is the time constant of the adaptive mean.
const TIME_CONSTANTS: u32 = 5;

/// What a result counts at least, however poor its crop.
const LEAST_WEIGHT: f64 = 0.05;

/// What the first result of a face counts, as a share of one that has stood for long: about a frame's.
const FIRST: f64 = 0.2;

/// Results that are kept at most, whatever the frame rate: the memory of a face is bounded.
const MAX_RESULTS: usize = 256;

/// How results are smoothed in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    /// Each frame by itself.
    None,
    /// The most frequent label of the window; of equals, the one that was shown last.
    Mode,
    /// The label that is most probable in the mean of the window.
    Mean,
    /// The mean with hysteresis.
    #[default]
    Adaptive,
}

/// How to smooth.
#[derive(Debug, Clone, Copy)]
pub struct How<'a> {
    pub method: Method,
    pub window: Duration,
    pub labels: &'a Labels,
}

/// What is to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Steady {
    /// Index of the shown label among the names of [`Labels`].
    pub label_id: usize,
    /// By the model's labels.
    pub probabilities: Vec<f64>,
}

impl Steady {
    /// A result as it is.
    pub fn of_one(probabilities: Vec<f64>, labels: &Labels) -> Self {
        Self {
            label_id: best(&labels.group(&probabilities)),
            probabilities,
        }
    }
}

#[derive(Debug)]
struct Sample {
    time: Duration,
    weight: f64,
    probabilities: Vec<f64>,
}

/// The history of one face.
#[derive(Debug, Default)]
pub struct Smoother {
    samples: VecDeque<Sample>,
    mean: Vec<f64>,
    /// The weights that the mean is made of, fading with it.
    mean_weight: f64,
    shown: Option<usize>,
    /// The label that leads, and the evidence for it.
    challenger: Option<(usize, f64)>,
}

impl Smoother {
    /// What is to be shown after the frame at `time` has given `probabilities`, which count `weight`, 0 to 1. A time that
    /// goes back, or another number of labels, begins anew.
    pub fn add(
        &mut self,
        time: Duration,
        probabilities: &[f64],
        weight: f64,
        how: How<'_>,
    ) -> Steady {
        let How { method, window, .. } = how;
        let fits = self.samples.back().is_none_or(|last| {
            time >= last.time && last.probabilities.len() == probabilities.len()
        });
        if !fits {
            *self = Self::default();
        }
        let elapsed = self.samples.back().map(|last| time - last.time);
        // However poor, a result is better than none.
        let weight = weight.clamp(LEAST_WEIGHT, 1.0);
        self.samples.push_back(Sample {
            time,
            weight,
            probabilities: probabilities.to_vec(),
        });
        let is_over = |sample: &Sample| time - sample.time > window;
        while self.samples.len() > MAX_RESULTS || self.samples.front().is_some_and(is_over) {
            self.samples.pop_front();
        }
        self.follow(elapsed, probabilities, weight, window);

        let group = |probabilities: &[f64]| how.labels.group(probabilities);
        let (label_id, probabilities) = match method {
            Method::None => (best(&group(probabilities)), probabilities.to_vec()),
            Method::Mode => {
                let votes = self.average(|result| {
                    let first = best(&group(result));
                    (0..how.labels.names().len())
                        .map(|id| f64::from(u8::from(id == first)))
                        .collect()
                });
                (self.lead(&votes), self.average(<[f64]>::to_vec))
            }
            Method::Mean => {
                let mean = self.average(<[f64]>::to_vec);
                (self.lead(&group(&mean)), mean)
            }
            Method::Adaptive => (
                self.hold(elapsed.unwrap_or_default(), &group(&self.mean)),
                self.mean.clone(),
            ),
        };
        self.shown = Some(label_id);
        Steady {
            label_id,
            probabilities,
        }
    }

    /// Moves the exponential mean: the weights of results fade with e^(−elapsed / time constant). The first results
    /// count alike, so that the mean does not hang on the very first.
    fn follow(
        &mut self,
        elapsed: Option<Duration>,
        probabilities: &[f64],
        weight: f64,
        window: Duration,
    ) {
        let kept = match elapsed {
            Some(elapsed) if !window.is_zero() => {
                let constant = (window / TIME_CONSTANTS).as_secs_f64().max(1e-9);
                (-elapsed.as_secs_f64() / constant).exp()
            }
            _ => 0.0,
        };
        // A result stands for the time since the one before, so that the frame rate does not matter.
        let weight = match elapsed {
            Some(_) => weight * (1.0 - kept),
            None => weight * FIRST,
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

    fn hold(&mut self, elapsed: Duration, mean: &[f64]) -> usize {
        let leader = best(mean);
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

    /// The largest value's label; of equals the shown one, else the first.
    fn lead(&self, values: &[f64]) -> usize {
        let leader = best(values);
        match self.shown {
            Some(shown)
                if values
                    .get(shown)
                    .is_some_and(|v| *v >= values[leader] - 1e-9) =>
            {
                shown
            }
            _ => leader,
        }
    }

    /// The weighted mean over the window of what `of` makes of each result.
    fn average(&self, of: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
        let total: f64 = self.samples.iter().map(|sample| sample.weight).sum();
        let mut sums = Vec::new();
        for sample in &self.samples {
            let values = of(&sample.probabilities);
            sums.resize(values.len(), 0.0);
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value * sample.weight / total;
            }
        }
        sums
    }
}

/// The index of the largest value, of equals the first; 0 if there is none.
fn best(values: &[f64]) -> usize {
    let first = (0, f64::NEG_INFINITY);
    let larger = |best: (usize, f64), (id, &value): (usize, &f64)| {
        if value > best.1 { (id, value) } else { best }
    };
    values.iter().enumerate().fold(first, larger).0
}

#[cfg(test)]
mod tests {
    use crate::labels::Renaming;
    use super::*;

    const WINDOW: Duration = Duration::from_secs(1);
    const SAD: [f64; 3] = [0.7, 0.2, 0.1];
    const HAPPY: [f64; 3] = [0.2, 0.7, 0.1];

    fn three() -> Labels {
        Labels::new(
            &["sad", "happy", "neutral"].map(String::from),
            &Renaming::default(),
        )
    }

    fn how(method: Method, labels: &Labels) -> How<'_> {
        How {
            method,
            window: WINDOW,
            labels,
        }
    }

    /// The labels shown for results of full weight 40 ms apart.
    fn labels(method: Method, results: &[[f64; 3]]) -> Vec<usize> {
        let weighted: Vec<_> = results.iter().map(|result| (*result, 1.0)).collect();
        shown(method, &three(), &weighted)
    }

    fn shown(method: Method, labels: &Labels, results: &[([f64; 3], f64)]) -> Vec<usize> {
        let mut smoother = Smoother::default();
        let frame = |i: usize| Duration::from_millis(40 * i as u64);
        let how = how(method, labels);
        (results.iter().enumerate())
            .map(|(i, (result, weight))| smoother.add(frame(i), result, *weight, how).label_id)
            .collect()
    }

    #[test]
    fn a_real_change_shows_within_half_a_second() {
        let change = [[SAD; 50], [HAPPY; 50]].concat();
        let shown = labels(Method::Adaptive, &change);
        assert!(shown[..50].iter().all(|&label| label == 0));
        let frames = shown[50..].iter().position(|&label| label == 1).unwrap();
        assert!(frames * 40 <= 500, "{frames} frames");
        assert!(shown[50 + frames..].iter().all(|&label| label == 1));
    }

    #[test]
    fn a_face_between_two_emotions_keeps_its_label_only_when_smoothed() {
        let flicker: Vec<_> = (0..100)
            .map(|i| if i % 2 == 0 { SAD } else { HAPPY })
            .collect();
        let changes = |method| {
            let shown = labels(method, &flicker);
            shown.windows(2).filter(|pair| pair[0] != pair[1]).count()
        };
        assert_eq!(changes(Method::None), 99);
        assert_eq!(changes(Method::Adaptive), 0);
    }

    #[test]
    fn a_tie_keeps_the_shown_label() {
        for method in [Method::Mode, Method::Mean] {
            assert_eq!(labels(method, &[HAPPY, SAD]), [1, 1], "{method:?}");
        }
    }

    #[test]
    fn a_time_that_goes_back_begins_anew() {
        let mut smoother = Smoother::default();
        let at = Duration::from_secs;
        let labels = three();
        smoother.add(at(9), &SAD, 1.0, how(Method::Adaptive, &labels));
        let steady = smoother.add(at(1), &HAPPY, 1.0, how(Method::Adaptive, &labels));
        assert_eq!((steady.label_id, steady.probabilities), (1, HAPPY.to_vec()));
    }

    #[test]
    fn memory_is_bounded_at_any_frame_rate() {
        let mut smoother = Smoother::default();
        let labels = three();
        for i in 0..10_000 {
            smoother.add(
                Duration::from_nanos(i),
                &SAD,
                1.0,
                how(Method::Mean, &labels),
            );
        }
        assert_eq!(smoother.samples.len(), MAX_RESULTS);
    }

    #[test]
    fn poor_results_do_not_outvote_good_ones() {
        // Every fourth result is good and sad, the others are poor and happy.
        let results: Vec<_> = (0..100)
            .map(|i| if i % 4 == 0 { (SAD, 1.0) } else { (HAPPY, 0.1) })
            .collect();
        for method in [Method::Mode, Method::Mean, Method::Adaptive] {
            let shown = shown(method, &three(), &results);
            assert!(shown.iter().all(|&label| label == 0), "{method:?}");
        }
        let alike: Vec<_> = results.iter().map(|(result, _)| *result).collect();
        assert_eq!(labels(Method::Mode, &alike).last(), Some(&1));
    }

    #[test]
    fn poor_results_alone_are_followed_as_well() {
        let change = [[(SAD, 0.1); 50], [(HAPPY, 0.1); 50]].concat();
        assert_eq!(shown(Method::Adaptive, &three(), &change).last(), Some(&1));
    }

    #[test]
    fn a_wrong_first_result_is_soon_forgotten() {
        let results = [&[HAPPY][..], &[SAD; 12]].concat();
        let shown = labels(Method::Adaptive, &results);
        assert_eq!((shown[0], shown[12]), (1, 0));
    }

    #[test]
    fn labels_shown_as_one_do_not_flicker_and_are_as_probable_as_together() {
        let names = ["sad", "angry", "happy"].map(String::from);
        let labels = Labels::new(&names, &Renaming::parse("sad+angry=negative").unwrap());
        let results = [([0.4, 0.15, 0.45], 1.0); 5];
        for method in [Method::Mode, Method::Mean, Method::Adaptive] {
            assert_eq!(shown(method, &labels, &results), [0; 5], "{method:?}");
        }
    }

    #[test]
    fn the_frame_rate_does_not_change_how_fast_the_mean_follows() {
        let labels = three();
        let after_200_ms = |frames: u64| {
            let mut smoother = Smoother::default();
            let mut add = |us, result| {
                let time = Duration::from_micros(us);
                smoother.add(time, result, 1.0, how(Method::Adaptive, &labels))
            };
            for i in 0..=frames {
                add(1_000_000 * i / frames, &SAD);
            }
            (1..=frames / 5)
                .map(|i| add(1_000_000 + 1_000_000 * i / frames, &HAPPY))
                .last()
                .unwrap()
                .probabilities[1]
        };
        let (slow, fast) = (after_200_ms(10), after_200_ms(100));
        assert!((slow - fast).abs() < 0.02, "{slow} {fast}");
    }
}
