//! From the network's answer about one face to the emotion to be shown.

use std::time::Duration;

use emotion_models::weights::WeightsId;
use emotion_models::{Emotion, Metadata, UNCERTAIN, naming_threshold};

use crate::baseline::{Baselines, FaceKey};
use crate::emotion::{EmotionResult, RawEmotion};
use crate::history::{Classified, FaceHistory};
use crate::labels::LabelGroups;
use crate::options::Options;
use crate::smoothing::{SmoothedEmotion, SmoothingMethod, SmoothingOptions, time_constant};

/// A label that is less probable than this much above the threshold is near being uncertain.
const NEAR: f64 = 0.1;

/// The network's answer about a face on one frame.
pub(crate) struct FrameClassification {
    /// One probability for each label of the model.
    pub(crate) probabilities: Vec<f64>,
    /// The probability that the expression can be seen; see [`Scores::visibility`](emotion_models::Scores::visibility).
    pub(crate) visibility: f32,
    /// How well the face can be judged, 0 to 1.
    pub(crate) quality: f64,
    /// The time of the frame; without one, the frame is taken by itself.
    pub(crate) time: Option<Duration>,
}

/// What decides about the emotion of every face of a frame.
pub(crate) struct Context<'a> {
    pub(crate) metadata: &'a Metadata,
    pub(crate) weights_id: &'a WeightsId,
    pub(crate) groups: &'a LabelGroups,
    pub(crate) options: &'a Options,
    /// [`Options::threshold`], or that of the weights.
    pub(crate) threshold: f64,
}

impl FrameClassification {
    /// The emotion to be shown after this classification, which is added to the `history` and the baseline of `face`.
    pub(crate) fn into_emotion(
        self,
        face: FaceKey,
        history: &mut FaceHistory,
        baselines: &mut Baselines,
        context: &Context<'_>,
    ) -> Classified {
        let Context {
            metadata,
            groups,
            options,
            ..
        } = *context;
        let quality = self.quality;
        let names = groups.names();
        let raw = SmoothedEmotion::unsmoothed(self.probabilities, groups);
        let raw_emotion = RawEmotion {
            label: names[raw.label_id].clone(),
            confidence: groups.sums(&raw.probabilities)[raw.label_id],
        };
        let neutral = metadata.label_id(Emotion::Neutral.name());
        let probabilities = match self.time.and(neutral) {
            Some(neutral) => baselines.adjust(face, &raw.probabilities, quality, neutral),
            None => raw.probabilities,
        };
        let alone = SmoothedEmotion::unsmoothed(probabilities, groups);
        let alone_id = alone.label_id;
        let (smoothed, judged_quality) = match self.time {
            Some(time) if options.smoothing != SmoothingMethod::None => {
                let smoothing = SmoothingOptions {
                    method: options.smoothing,
                    window: options.window,
                    groups,
                };
                let constant = time_constant(options.window);
                let smoothed =
                    (history.smoother).update(time, &alone.probabilities, quality, smoothing);
                (smoothed, history.quality.update(time, quality, constant))
            }
            _ => (alone, quality),
        };

        let threshold = naming_threshold(context.threshold, judged_quality);
        let by_label = metadata.labels.iter().map(String::as_str);
        let valence = Emotion::mean_valence(by_label.zip(smoothed.probabilities.iter().copied()));
        let probabilities = groups.sums(&smoothed.probabilities);
        let label_id = smoothed.label_id;
        let confidence = probabilities[label_id];
        let is_named = match self.time {
            Some(time) if options.smoothing != SmoothingMethod::None && context.threshold > 0.0 => {
                history.is_named(time, confidence, threshold)
            }
            _ => confidence >= threshold,
        };
        let label = match is_named {
            true => names[label_id].clone(),
            false => UNCERTAIN.into(),
        };
        Classified {
            is_sure: is_named && alone_id == label_id && confidence >= (threshold + NEAR).min(1.0),
            visibility: self.visibility,
            emotion: EmotionResult {
                label,
                label_id,
                confidence,
                model_name: context.weights_id.name.clone(),
                weights_id: context.weights_id.fingerprint.clone(),
                threshold: Some(context.threshold),
                labels: names.to_vec(),
                probabilities,
                valence,
                quality: Some(quality),
                raw: Some(raw_emotion),
            },
        }
    }
}
