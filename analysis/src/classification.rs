//! From the network's answer about one face to the emotion to be shown.

use std::time::Duration;

use emotion_models::{Emotion, Metadata};

use crate::emotion::{EmotionResult, RawEmotion, UNCERTAIN};
use crate::history::FaceHistory;
use crate::labels::LabelGroups;
use crate::options::Options;
use crate::smoothing::{SmoothedEmotion, SmoothingMethod, SmoothingOptions};

/// How far above the threshold a smoothed label that was uncertain is named again, so that it does not come and go.
const THRESHOLD_HYSTERESIS: f64 = 0.05;

/// The network's answer about a face on one frame.
pub(crate) struct FrameClassification {
    /// One probability for each label of the model.
    pub(crate) probabilities: Vec<f64>,
    /// How well the face can be judged, 0 to 1.
    pub(crate) quality: f64,
    /// The time of the frame; without one, the frame is taken by itself.
    pub(crate) time: Option<Duration>,
}

impl FrameClassification {
    /// The emotion to be shown after this classification, which is added to the face's `history`.
    pub(crate) fn into_emotion(
        self,
        history: &mut FaceHistory,
        metadata: &Metadata,
        groups: &LabelGroups,
        options: &Options,
    ) -> EmotionResult {
        let Self {
            probabilities,
            quality,
            time,
        } = self;
        let names = groups.names();
        let raw = SmoothedEmotion::unsmoothed(probabilities, groups);
        let raw_emotion = RawEmotion {
            label: names[raw.label_id].clone(),
            confidence: groups.sums(&raw.probabilities)[raw.label_id],
        };
        let probabilities = match time {
            Some(time) if options.personalise => {
                let neutral = Emotion::Neutral.name();
                let neutral = metadata.labels.iter().position(|label| label == neutral);
                let baseline = &mut history.baseline;
                baseline.adjust(time, &raw.probabilities, quality, neutral)
            }
            _ => raw.probabilities,
        };
        let mut threshold = options.threshold;
        let smoothed = match time {
            Some(time) if options.smoothing != SmoothingMethod::None => {
                if history.label() == Some(UNCERTAIN) {
                    threshold += THRESHOLD_HYSTERESIS.min((1.0 - threshold) / 2.0);
                }
                let smoothing = SmoothingOptions {
                    method: options.smoothing,
                    window: options.window,
                    groups,
                };
                let smoother = &mut history.smoother;
                smoother.update(time, &probabilities, quality, smoothing)
            }
            _ => SmoothedEmotion::unsmoothed(probabilities, groups),
        };

        let by_label = metadata.labels.iter().map(String::as_str);
        let valence = Emotion::mean_valence(by_label.zip(smoothed.probabilities.iter().copied()));
        let probabilities = groups.sums(&smoothed.probabilities);
        let label_id = smoothed.label_id;
        let confidence = probabilities[label_id];
        let label = if confidence < threshold {
            UNCERTAIN.into()
        } else {
            names[label_id].clone()
        };
        EmotionResult {
            label,
            label_id,
            confidence,
            model_name: metadata.name.clone(),
            labels: names.to_vec(),
            probabilities,
            valence,
            quality: Some(quality),
            raw: Some(raw_emotion),
        }
    }
}
