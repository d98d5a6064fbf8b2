//! What is remembered about a face from frame to frame.

use std::time::Duration;

use emotion_detect::interval::Interval;

use crate::baseline::PersonalBaseline;
use crate::emotion::EmotionResult;
use crate::smoothing::Smoother;

/// A face whose crop differs more than this from the one that was classified is due at once. It is the mean difference of
/// pixels in [-1, 1], after the means of both crops are subtracted, so that flickering light is no change.
const CHANGED: f32 = 0.15;

/// The history of one face.
#[derive(Debug, Default)]
pub(crate) struct FaceHistory {
    pub(crate) smoother: Smoother,
    pub(crate) baseline: PersonalBaseline,
    pub(crate) last: Option<LastClassification>,
}

/// A face when it was last classified.
#[derive(Debug)]
pub(crate) struct LastClassification {
    time: Duration,
    /// The number of frames since then.
    pub(crate) frames: u32,
    crop: Vec<f32>,
    pub(crate) emotion: EmotionResult,
}

impl FaceHistory {
    /// Whether the face, whose crop is `crop` at `time`, has to be classified again.
    pub(crate) fn is_due(&self, interval: Interval, time: Duration, crop: &[f32]) -> bool {
        self.last.as_ref().is_none_or(|last| {
            interval.is_over(last.frames + 1, time.saturating_sub(last.time))
                || has_changed(&last.crop, crop)
        })
    }

    /// The label that is shown so far.
    pub(crate) fn label(&self) -> Option<&str> {
        self.last.as_ref().map(|last| last.emotion.label.as_str())
    }

    /// Stores a classification in the buffer of the one before.
    pub(crate) fn set_last(&mut self, time: Duration, crop: &[f32], emotion: EmotionResult) {
        let mut buffer = self.last.take().map(|last| last.crop).unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(crop);
        self.last = Some(LastClassification {
            time,
            frames: 0,
            crop: buffer,
            emotion,
        });
    }

    /// Prepares for the results of another model: the baseline begins anew, and the face is classified on its next frame.
    /// With the same labels, smoothing goes on.
    pub(crate) fn change_model(&mut self, same_labels: bool) {
        self.baseline = PersonalBaseline::default();
        if !same_labels {
            self.smoother = Smoother::default();
        }
        if let Some(last) = &mut self.last {
            last.crop.clear();
        }
    }
}

/// Whether two crops of a face differ so much that its emotion may have changed.
pub(crate) fn has_changed(before: &[f32], now: &[f32]) -> bool {
    if before.len() != now.len() {
        return true;
    }
    let count = now.len().max(1) as f32;
    let mean = |crop: &[f32]| crop.iter().sum::<f32>() / count;
    let brighter = mean(now) - mean(before);
    let differences = before
        .iter()
        .zip(now)
        .map(|(b, n)| (n - b - brighter).abs());
    differences.sum::<f32>() / count > CHANGED
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    #[test]
    fn a_face_is_due_after_its_interval_or_when_it_looks_different() {
        let mut history = FaceHistory::default();
        let interval = Interval::Time(Duration::from_secs(1));
        let crop: Vec<f32> = (0..100).map(|i| (i % 2) as f32).collect();
        let other: Vec<f32> = crop.iter().map(|v| 1.0 - v).collect();
        let half = Duration::from_millis(500);
        assert!(history.is_due(interval, half, &crop), "never classified");
        history.set_last(Duration::ZERO, &crop, EmotionResult::default());
        assert!(!history.is_due(interval, half, &crop));
        assert!(history.is_due(interval, half, &other));
        assert!(history.is_due(interval, 2 * half, &crop));
    }

    #[test]
    fn a_face_is_due_on_every_frame_by_default() {
        assert!(Options::default().interval.is_over(1, Duration::ZERO));
    }

    #[test]
    fn another_picture_is_a_change_and_other_brightness_is_none() {
        let stripes: Vec<f32> = (0..100).map(|i| 0.4 * (i % 2) as f32).collect();
        let brighter: Vec<f32> = stripes.iter().map(|v| v + 0.3).collect();
        let inverted: Vec<f32> = stripes.iter().map(|v| 0.4 - v).collect();
        assert!(!has_changed(&stripes, &stripes));
        assert!(!has_changed(&stripes, &brighter));
        assert!(has_changed(&stripes, &inverted));
        assert!(has_changed(&stripes, &stripes[1..]), "another size");
    }
}
