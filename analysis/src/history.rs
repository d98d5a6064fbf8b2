//! What is remembered about a face from frame to frame.

use std::time::Duration;

use emotion_models::UNCERTAIN;

use crate::emotion::EmotionResult;
use crate::interval::ClassifyInterval;
use crate::smoothing::Smoother;
use crate::time_mean::TimeMean;

/// A face whose crop differs more than this from the one that was classified is due at once. It is the mean difference of
/// pixels in [-1, 1], after the means of both crops are subtracted, so that flickering light is no change.
const CHANGED: f32 = 0.15;

/// How far above the threshold, times seconds, an uncertain face has to be before it is named.
const NAMING_EVIDENCE: f64 = 0.04;

/// How far below the threshold, times seconds, a named face has to be before it is uncertain. While one expression gives way to
/// another, neither is probable for a moment; that is no reason to show a third label.
const DOUBT: f64 = 0.08;

/// A label that is less probable than this share of the threshold is uncertain at once.
const UNTENABLE: f64 = 0.5;

/// How many classifications of a new face come before it can be sure: a first answer alone proves little.
const SETTLED: u32 = 3;

/// The history of one face.
#[derive(Debug, Default)]
pub(crate) struct FaceHistory {
    pub(crate) smoother: Smoother,
    /// The quality of the classified crops, smoothed as the probabilities are.
    pub(crate) quality: TimeMean,
    /// How far the face has been on the other side of the threshold, above while it is uncertain, below while it is named, times
    /// seconds without a break.
    evidence: f64,
    pub(crate) last: Option<LastClassification>,
}

/// A face when it was last classified.
#[derive(Debug)]
pub(crate) struct LastClassification {
    time: Duration,
    /// The number of frames since then.
    pub(crate) frames: u32,
    crop: Vec<f32>,
    /// The probability that the expression can be seen; see [`Scores::visibility`](emotion_models::Scores::visibility).
    pub(crate) visibility: f32,
    pub(crate) emotion: EmotionResult,
    /// The number of classifications since the labels last changed.
    count: u32,
    /// The number of unsure classifications in a row up to this one.
    unsure: u32,
}

/// The result of a classification.
#[derive(Debug)]
pub(crate) struct Classified {
    pub(crate) emotion: EmotionResult,
    pub(crate) visibility: f32,
    /// Whether the emotion is certain and this frame alone agrees with it.
    pub(crate) is_sure: bool,
}

impl FaceHistory {
    /// Whether the face, whose crop is `crop` at `time`, has to be classified again.
    pub(crate) fn is_due(&self, interval: ClassifyInterval, time: Duration, crop: &[f32]) -> bool {
        self.last.as_ref().is_none_or(|last| {
            let elapsed = time.saturating_sub(last.time);
            interval.is_over(last.frames + 1, elapsed, last.unsure) || has_changed(&last.crop, crop)
        })
    }

    /// The label that is shown so far.
    pub(crate) fn label(&self) -> Option<&str> {
        self.last.as_ref().map(|last| last.emotion.label.as_str())
    }

    /// Whether the face is to be named by a label of this `confidence`. A face changes between being named and being uncertain when
    /// it has been on the other side of the `threshold` clearly or for long, so that one near the threshold does not come and go.
    pub(crate) fn is_named(&mut self, now: Duration, confidence: f64, threshold: f64) -> bool {
        let is_above = confidence >= threshold;
        let Some(last) = &self.last else {
            return is_above;
        };
        let was_named = last.emotion.label != UNCERTAIN;
        if is_above == was_named {
            self.evidence = 0.0;
            return is_above;
        }
        let elapsed = now.saturating_sub(last.time).as_secs_f64();
        self.evidence += (confidence - threshold).abs() * elapsed;
        let needed = if was_named { DOUBT } else { NAMING_EVIDENCE };
        if self.evidence < needed && confidence >= UNTENABLE * threshold {
            return was_named;
        }
        self.evidence = 0.0;
        is_above
    }

    /// The emotion on a frame on which the face is not classified; none if it never was.
    pub(crate) fn keep(&mut self) -> Option<&mut LastClassification> {
        let last = self.last.as_mut()?;
        last.frames = last.frames.saturating_add(1);
        last.emotion.raw = None;
        Some(last)
    }

    /// Stores a classification in the buffer of the one before.
    pub(crate) fn set_last(&mut self, time: Duration, crop: &[f32], classified: Classified) {
        let last = self.last.take();
        let (count, unsure) = match &last {
            // Another picture or another label is another question.
            Some(last)
                if last.emotion.label == classified.emotion.label
                    && !has_changed(&last.crop, crop) =>
            {
                (last.count, last.unsure)
            }
            Some(last) => (last.count, 0),
            None => (0, 0),
        };
        let count = count.saturating_add(1);
        let is_sure = classified.is_sure && count >= SETTLED;
        let mut buffer = last.map(|last| last.crop).unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(crop);
        self.last = Some(LastClassification {
            time,
            frames: 0,
            crop: buffer,
            visibility: classified.visibility,
            emotion: classified.emotion,
            count,
            unsure: if is_sure { 0 } else { unsure.saturating_add(1) },
        });
    }

    /// Prepares for the results of another model: the face is classified on its next frame, and named at once if it is above the
    /// threshold. With the same labels, smoothing goes on.
    pub(crate) fn change_model(&mut self, same_labels: bool) {
        if !same_labels {
            self.smoother = Smoother::default();
        }
        // The threshold decides anew.
        self.evidence = f64::INFINITY;
        if let Some(last) = &mut self.last {
            last.crop.clear();
            last.count = 0;
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
mod tests;
