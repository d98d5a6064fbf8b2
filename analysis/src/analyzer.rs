//! From the faces of a frame to their emotions over time.

use std::time::Duration;

use emotion_models::Classifier;
use emotion_models::inference::Error;
use emotion_models::preprocess::GreyRows;
use emotion_models::weights::Metadata;

use crate::batch::BatchClassifier;
use crate::classification::FrameClassification;
use crate::emotion::EmotionResult;
use crate::history::FaceHistory;
use crate::labels::{LabelGroups, Renaming};
use crate::matcher::{FaceMatcher, FacePosition};
use crate::options::Options;

/// Classifies the faces of a stream and keeps their histories.
///
/// Use one for each stream. The [crate's example](crate) shows how.
pub struct FaceAnalyzer {
    classifier: BatchClassifier,
    renaming: Renaming,
    groups: LabelGroups,
    faces: FaceMatcher<FaceHistory>,
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
    /// The label now.
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
        }
    }

    /// The metadata of the weights.
    pub fn metadata(&self) -> &Metadata {
        self.classifier.metadata()
    }

    /// The instructions and the precision that the network runs with, such as `avx512 f32`.
    pub fn arithmetic(&self) -> String {
        self.classifier.arithmetic()
    }

    /// Replaces the classifier. Every face is classified again on its next frame; where the labels are the same, smoothing
    /// goes on.
    pub fn set_classifier(&mut self, classifier: Classifier) {
        let same_labels = classifier.metadata().labels == self.metadata().labels;
        self.classifier = BatchClassifier::new(classifier);
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

    /// Forgets all faces, as after a jump in the stream.
    pub fn forget_faces(&mut self) {
        self.faces = FaceMatcher::default();
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
        let crops = self
            .classifier
            .crop(image, faces, options.margin, options.light);
        let cropped: Vec<FacePosition> = crops.iter().map(|crop| faces[crop.face]).collect();

        let mut unrelated = FaceMatcher::default();
        let known = match time {
            Some(_) => &mut self.faces,
            None => &mut unrelated,
        };
        let now = time.unwrap_or_default();
        if known.is_ahead_of(now) {
            known.clear();
        }
        let matched = known.match_faces(now, &cropped);
        let due: Vec<usize> = (0..crops.len())
            .filter(|&i| {
                let history = &known[matched[i]].history;
                history.is_due(options.interval, now, self.classifier.values(i))
            })
            .collect();
        let answers = self.classifier.classify(&due, options.mirror)?;
        let mut answers = due.iter().copied().zip(answers).peekable();

        let mut results = FrameResults {
            classified: due.len(),
            ..FrameResults::default()
        };
        for (i, crop) in crops.iter().enumerate() {
            let face = &mut known[matched[i]];
            let id = face.id();
            let history = &mut face.history;
            let old = history.label().map(str::to_owned);
            let quality = f64::from(crop.quality.overall());
            if let Some((_, probabilities)) = answers.next_if(|(answered, _)| *answered == i) {
                let classification = FrameClassification {
                    probabilities,
                    quality,
                    time,
                };
                let metadata = self.classifier.metadata();
                let emotion = classification.into_emotion(history, metadata, &self.groups, options);
                history.set_last(now, self.classifier.values(i), emotion);
            } else if let Some(last) = &mut history.last {
                last.frames += 1;
                last.emotion.raw = None;
                last.emotion.quality = Some(quality);
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
