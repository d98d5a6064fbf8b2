//! From the faces of a frame to their emotions over time.

use std::time::Duration;

use emotion_models::inference::Error;
use emotion_models::preprocess::GreyRows;
use emotion_models::weights::{Metadata, WeightsId};
use emotion_models::{Classifier, Emotion};

use crate::baseline::{Baselines, FaceKey};
use crate::batch::BatchClassifier;
use crate::classification::{Context, FrameClassification};
use crate::emotion::EmotionResult;
use crate::history::FaceHistory;
use crate::labels::{LabelGroups, Renaming};
use crate::matcher::{FaceMatcher, FacePosition, MatchedFace};
use crate::options::Options;

/// Classifies the faces of a stream and keeps their histories.
///
/// Use one for each stream. The [crate's example](crate) shows how.
pub struct FaceAnalyzer {
    classifier: BatchClassifier,
    renaming: Renaming,
    groups: LabelGroups,
    faces: FaceMatcher<FaceHistory>,
    baselines: Baselines,
}

/// The results of one frame.
#[derive(Debug, Default)]
pub struct FrameResults {
    /// The faces with an emotion, in the order in which they were given.
    pub faces: Vec<FaceResult>,
    /// The faces whose label is another than on the frame before.
    pub changes: Vec<LabelChange>,
    /// The number of faces that the network has classified; the others keep an earlier emotion.
    pub classified: usize,
}

/// The emotion of a face on a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceResult {
    /// Index among the faces of the frame.
    pub index: usize,
    /// The id of the face in the stream; see [`MatchedFace::id`](crate::MatchedFace::id).
    pub id: i32,
    /// The emotion.
    pub emotion: EmotionResult,
}

/// A change of the label of a face.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelChange {
    /// The id of the face in the stream; see [`MatchedFace::id`](crate::MatchedFace::id).
    pub id: i32,
    /// The label before; `None` if the face is new.
    pub old: Option<String>,
    /// The label now; it may be [`UNCERTAIN`](crate::UNCERTAIN).
    pub new: String,
    /// The probability of the new label, 0 to 1; see [`EmotionResult::confidence`].
    pub confidence: f64,
}

impl FaceAnalyzer {
    /// An analyzer that has not seen any face yet and shows labels under their own names.
    pub fn new(classifier: Classifier) -> Self {
        let renaming = Renaming::default();
        Self {
            groups: LabelGroups::new(&classifier.metadata().labels, &renaming),
            classifier: BatchClassifier::new(classifier),
            renaming,
            faces: FaceMatcher::default(),
            baselines: Baselines::default(),
        }
    }

    /// The metadata of the weights.
    pub fn metadata(&self) -> &Metadata {
        self.classifier.metadata()
    }

    /// Which weights these are.
    pub fn weights_id(&self) -> &WeightsId {
        self.classifier.weights_id()
    }

    /// The threshold that acts with these options: theirs, else that of the weights, else 0.
    pub fn threshold(&self, options: &Options) -> f64 {
        let of_weights = || self.metadata().threshold.map_or(0.0, shortest_f64);
        options.threshold.unwrap_or_else(of_weights)
    }

    /// The instructions and the precision that the network runs with, such as `avx512 f32`.
    pub fn arithmetic(&self) -> String {
        self.classifier.arithmetic()
    }

    /// Replaces the classifier. Every face is classified again on its next frame; where the labels are the same, smoothing
    /// goes on. Baselines are forgotten: they are answers of the network before.
    pub fn set_classifier(&mut self, classifier: Classifier) {
        let same_labels = classifier.metadata().labels == self.metadata().labels;
        self.classifier = BatchClassifier::new(classifier);
        self.baselines.forget_faces();
        self.change_labels(same_labels);
    }

    /// Shows labels under other names from now on. Returns the old names in `renaming` that the model does not have, if
    /// `renaming` is another than before; they have no effect.
    pub fn set_renaming(&mut self, renaming: &Renaming) -> Vec<String> {
        if self.renaming == *renaming {
            return Vec::new();
        }
        self.renaming = renaming.clone();
        self.change_labels(false);
        let unknown = renaming.unknown(&self.metadata().labels);
        unknown.map(str::to_owned).collect()
    }

    fn change_labels(&mut self, same_labels: bool) {
        self.groups = LabelGroups::new(&self.classifier.metadata().labels, &self.renaming);
        for history in self.faces.histories_mut() {
            history.change_model(same_labels);
        }
    }

    /// Forgets all faces with their baselines, as after a jump in the stream.
    pub fn forget_faces(&mut self) {
        self.faces = FaceMatcher::default();
        self.baselines.forget_faces();
    }

    /// Learns from the next second what the face with this [id](FaceResult::id), or each face for `None`, looks like at rest:
    /// that becomes neutral from then on, and what the network answers about it is subtracted from later answers. An earlier
    /// baseline of the face is replaced. Frames without a time teach nothing.
    ///
    /// Returns whether that is possible: the weights need a label `neutral`, and a face with the id has to be there.
    pub fn learn_baseline(&mut self, id: Option<i32>) -> bool {
        let has_neutral = self.metadata().label_id(Emotion::Neutral.name()).is_some();
        let is_there = id.is_none_or(|id| self.faces.ids().any(|known| known == id));
        if has_neutral && is_there {
            self.baselines.request(id);
        }
        has_neutral && is_there
    }

    /// The emotions that the `faces` of the frame at `time` keep where there is no time to classify them. A face that was never
    /// classified has none.
    pub fn keep_emotions(
        &mut self,
        faces: &[FacePosition],
        time: Option<Duration>,
    ) -> FrameResults {
        let mut results = FrameResults::default();
        let Some(now) = time.filter(|&now| !self.faces.is_ahead_of(now)) else {
            return results;
        };
        for (index, face) in self.faces.match_faces(now, faces).into_iter().enumerate() {
            let face = &mut self.faces[face];
            let id = face.id();
            if let Some(last) = face.history.keep() {
                let emotion = last.emotion.clone();
                results.faces.push(FaceResult { index, id, emotion });
            }
        }
        results
    }

    /// The emotions of the `faces` on `image`, the frame at `time`.
    ///
    /// Call it once for each frame. Without a `time`, the frame is taken by itself: nothing is smoothed or remembered.
    /// If times go back, all faces are forgotten. A rectangle without a pixel in the image, or more than twice as large
    /// as it, gets no emotion.
    ///
    /// # Errors
    /// If the network cannot run.
    pub fn analyze(
        &mut self,
        image: &impl GreyRows,
        faces: &[FacePosition],
        time: Option<Duration>,
        options: &Options,
    ) -> Result<FrameResults, Error> {
        let threshold = self.threshold(options);
        let crops = self.classifier.crop(image, faces, options);
        let cropped: Vec<FacePosition> = crops.iter().map(|crop| faces[crop.face]).collect();

        let mut unrelated = FaceMatcher::default();
        let known = match time {
            Some(_) => &mut self.faces,
            None => &mut unrelated,
        };
        let now = time.unwrap_or_default();
        if known.is_ahead_of(now) {
            known.clear();
            self.baselines.forget_faces();
        }
        let matched = known.match_faces(now, &cropped);
        if time.is_some() && !matched.is_empty() {
            self.baselines.begin_frame(now, options.begins_at_rest);
        }
        let key = |i: usize, face: &MatchedFace<FaceHistory>| FaceKey {
            is_tracked: cropped[i].object_id.is_some(),
            id: face.id(),
        };
        let due: Vec<usize> = (0..crops.len())
            .filter(|&i| {
                let face = &known[matched[i]];
                self.baselines.is_learning(key(i, face))
                    || (face.history).is_due(options.interval, now, self.classifier.values(i))
            })
            .collect();
        let answers = self.classifier.classify(&due, options.mirror)?;
        let mut answers = due.iter().copied().zip(answers).peekable();

        let context = Context {
            metadata: self.classifier.metadata(),
            weights_id: self.classifier.weights_id(),
            groups: &self.groups,
            options,
            threshold,
        };
        let mut results = FrameResults {
            classified: due.len(),
            ..FrameResults::default()
        };
        for (i, crop) in crops.iter().enumerate() {
            let face = &mut known[matched[i]];
            let (id, key) = (face.id(), key(i, face));
            let history = &mut face.history;
            let old = history.label().map(str::to_owned);
            if let Some((_, answer)) = answers.next_if(|(answered, _)| *answered == i) {
                let classification = FrameClassification {
                    probabilities: answer.probabilities,
                    quality: f64::from(crop.quality.with_visibility(answer.visibility).overall()),
                    visibility: answer.visibility,
                    time,
                };
                let baselines = &mut self.baselines;
                let classified = classification.into_emotion(key, history, baselines, &context);
                history.set_last(now, self.classifier.values(i), classified);
            } else if let Some(last) = history.keep() {
                let quality = crop.quality.with_visibility(last.visibility).overall();
                last.emotion.quality = Some(f64::from(quality));
            }
            let Some(last) = &history.last else { continue };
            let emotion = last.emotion.clone();
            if old.as_ref() != Some(&emotion.label) {
                results.changes.push(LabelChange {
                    id,
                    old,
                    new: emotion.label.clone(),
                    confidence: emotion.confidence,
                });
            }
            results.faces.push(FaceResult {
                index: crop.face,
                id,
                emotion,
            });
        }
        Ok(results)
    }
}

/// The number that `value` is written as: 0.45 for the f32 that is nearest to 0.45.
fn shortest_f64(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| value.into())
}

#[cfg(test)]
mod tests;
