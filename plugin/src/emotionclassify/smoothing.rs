//! Steady emotions from the probabilities of single frames, for one face. Of GStreamer's world it knows only
//! how a property names its values.
//!
//! [`Method::Adaptive`] is a mean over time with hysteresis: the shown label stays until another one leads it by
//! [`MARGIN`] in the mean, without a break for [`DWELL`]. The mean is exponential with a time constant of a fifth of the
//! window, so that with the default window a lasting change shows within half a second.

use std::collections::VecDeque;
use std::time::Duration;

use gst::glib;

/// How far another label has to lead the shown one before it takes its place.
const MARGIN: f64 = 0.1;

/// For how long it has to lead.
const DWELL: Duration = Duration::from_millis(150);

/// The share of the window that is the time constant of the adaptive mean.
const TIME_CONSTANTS: u32 = 5;

/// Results that are kept at most, whatever the frame rate: the memory of a face is bounded.
const MAX_RESULTS: usize = 256;

/// How results are smoothed in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionClassifySmoothing")]
#[repr(i32)]
pub(super) enum Method {
    /// Each frame by itself.
    #[enum_value(name = "Each frame by itself", nick = "none")]
    None,
    /// The most frequent label of the window; of equals, the one that was shown last.
    #[enum_value(name = "The most frequent label of the window", nick = "mode")]
    Mode,
    /// The label that is most probable in the mean of the window.
    #[enum_value(name = "The mean of the window", nick = "mean")]
    Mean,
    /// The mean with hysteresis.
    #[default]
    #[enum_value(
        name = "A label stays until another leads clearly for long enough",
        nick = "adaptive"
    )]
    Adaptive,
}

/// What is to be shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steady {
    pub(super) label_id: usize,
    pub(super) probabilities: Vec<f64>,
}

/// The history of one face.
#[derive(Debug, Default)]
pub(super) struct Smoother {
    results: VecDeque<(Duration, Vec<f64>)>,
    mean: Vec<f64>,
    shown: Option<usize>,
    /// The label that leads, and since when.
    challenger: Option<(usize, Duration)>,
}

impl Smoother {
    /// What is to be shown after the frame at `time` has given `probabilities`. A time that goes back, or another number
    /// of labels, begins anew.
    pub(super) fn add(
        &mut self,
        time: Duration,
        probabilities: &[f64],
        method: Method,
        window: Duration,
    ) -> Steady {
        let fits = self
            .results
            .back()
            .is_none_or(|(last, before)| time >= *last && before.len() == probabilities.len());
        if !fits {
            *self = Self::default();
        }
        let elapsed = self.results.back().map(|(last, _)| time - *last);
        self.results.push_back((time, probabilities.to_vec()));
        while self.results.len() > MAX_RESULTS
            || self
                .results
                .front()
                .is_some_and(|(first, _)| time - *first > window)
        {
            self.results.pop_front();
        }
        self.follow(elapsed, probabilities, window);

        let (label_id, probabilities) = match method {
            Method::None => (best(probabilities), probabilities.to_vec()),
            Method::Mode => {
                let votes = self.average(|result| {
                    let first = best(result);
                    (0..result.len())
                        .map(|id| f64::from(u8::from(id == first)))
                        .collect()
                });
                (self.lead(&votes), self.average(<[f64]>::to_vec))
            }
            Method::Mean => {
                let mean = self.average(<[f64]>::to_vec);
                (self.lead(&mean), mean)
            }
            Method::Adaptive => (self.hold(time), self.mean.clone()),
        };
        self.shown = Some(label_id);
        Steady {
            label_id,
            probabilities,
        }
    }

    /// mean += (1 − e^(−elapsed / time constant)) · (probabilities − mean)
    fn follow(&mut self, elapsed: Option<Duration>, probabilities: &[f64], window: Duration) {
        let share = match elapsed {
            Some(elapsed) if !window.is_zero() => {
                let constant = (window / TIME_CONSTANTS).as_secs_f64().max(1e-9);
                1.0 - (-elapsed.as_secs_f64() / constant).exp()
            }
            _ => 1.0,
        };
        self.mean.resize(probabilities.len(), 0.0);
        for (mean, probability) in self.mean.iter_mut().zip(probabilities) {
            *mean += share * (probability - *mean);
        }
    }

    fn hold(&mut self, time: Duration) -> usize {
        let leader = best(&self.mean);
        let Some(shown) = self.shown else {
            return leader;
        };
        if leader == shown || self.mean[leader] < self.mean[shown] + MARGIN {
            self.challenger = None;
            return shown;
        }
        let since = match self.challenger {
            Some((label, since)) if label == leader => since,
            _ => time,
        };
        self.challenger = Some((leader, since));
        if time - since < DWELL {
            return shown;
        }
        self.challenger = None;
        leader
    }

    /// The largest value's label; of equals the shown one, else the first.
    fn lead(&self, values: &[f64]) -> usize {
        let leader = best(values);
        match self.shown {
            Some(shown) if values[shown] >= values[leader] - 1e-9 => shown,
            _ => leader,
        }
    }

    fn average(&self, of: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
        let mut sums = vec![0.0; self.mean.len()];
        for (_, result) in &self.results {
            for (sum, value) in sums.iter_mut().zip(of(result)) {
                *sum += value / self.results.len() as f64;
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
    use super::*;

    const WINDOW: Duration = Duration::from_secs(1);
    const SAD: [f64; 3] = [0.7, 0.2, 0.1];
    const HAPPY: [f64; 3] = [0.2, 0.7, 0.1];

    /// The labels shown for results 40 ms apart.
    fn labels(method: Method, results: &[[f64; 3]]) -> Vec<usize> {
        let mut smoother = Smoother::default();
        let frame = |i: usize| Duration::from_millis(40 * i as u64);
        (results.iter().enumerate())
            .map(|(i, result)| smoother.add(frame(i), result, method, WINDOW).label_id)
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
        smoother.add(at(9), &SAD, Method::Adaptive, WINDOW);
        let steady = smoother.add(at(1), &HAPPY, Method::Adaptive, WINDOW);
        assert_eq!((steady.label_id, steady.probabilities), (1, HAPPY.to_vec()));
    }

    #[test]
    fn memory_is_bounded_at_any_frame_rate() {
        let mut smoother = Smoother::default();
        for i in 0..10_000 {
            smoother.add(Duration::from_nanos(i), &SAD, Method::Mean, WINDOW);
        }
        assert_eq!(smoother.results.len(), MAX_RESULTS);
    }
}
