//! All faces of a frame in one run of the network.

use emotion_models::inference::Error;
use emotion_models::preprocess::{GreyRows, Preprocessor, Quality, Region};
use emotion_models::weights::{Metadata, WeightsId};
use emotion_models::{Classifier, Scores};

use crate::matcher::FacePosition;
use crate::options::Options;

/// Rectangles wider or higher than this many times the picture are no faces.
const MAX_RELATIVE_SIZE: f32 = 2.0;

/// A classifier with the buffers for its input.
pub(crate) struct BatchClassifier {
    classifier: Classifier,
    preprocessor: Preprocessor,
    /// The crops of all faces of the frame, one after the other.
    crops: Vec<f32>,
    /// The crops that are classified.
    input: Vec<f32>,
}

/// The network's answer about a crop.
#[derive(Debug, Clone)]
pub(crate) struct CropScores {
    /// One probability for each label of the model.
    pub(crate) probabilities: Vec<f64>,
    /// The probability that the expression can be seen; see [`Scores::visibility`].
    pub(crate) visibility: f32,
}

/// A face whose crop was taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FaceCrop {
    /// Its index among the faces of the frame.
    pub(crate) face: usize,
    pub(crate) quality: Quality,
}

impl BatchClassifier {
    pub(crate) fn new(classifier: Classifier) -> Self {
        Self {
            preprocessor: Preprocessor::new(classifier.metadata().input_size),
            classifier,
            crops: Vec::new(),
            input: Vec::new(),
        }
    }

    pub(crate) fn metadata(&self) -> &Metadata {
        self.classifier.metadata()
    }

    pub(crate) fn weights_id(&self) -> &WeightsId {
        self.classifier.weights_id()
    }

    /// The instructions and the precision that the network runs with, such as `avx512 f32`.
    pub(crate) fn arithmetic(&self) -> String {
        let classifier = &self.classifier;
        format!("{} {}", classifier.instructions(), classifier.precision())
    }

    /// Takes the crops of `faces` out of `image`. The crop of a face is the square about its rectangle, widened by the margin,
    /// turned upright by its landmarks, its light corrected. Rectangles that cannot be a face in this image (empty, outside, or
    /// far larger than it) are left out.
    pub(crate) fn crop(
        &mut self,
        image: &impl GreyRows,
        faces: &[FacePosition],
        options: &Options,
    ) -> Vec<FaceCrop> {
        self.preprocessor.set_light(options.light);
        let size = self.preprocessor.size();
        let mut crops = Vec::with_capacity(faces.len());
        self.crops.clear();
        for (face, position) in faces.iter().enumerate() {
            let FacePosition {
                region, landmarks, ..
            } = position;
            if !can_be_face(image, region) {
                continue;
            }
            let Region {
                x,
                y,
                width,
                height,
            } = *region;
            let region = Region::face(x, y, width, height, options.margin);
            let start = self.crops.len();
            self.crops.resize(start + size * size, 0.0);
            let values = &mut self.crops[start..];
            let upright = landmarks.as_ref().filter(|_| options.align);
            let preprocessor = &mut self.preprocessor;
            let cropped = preprocessor.run_aligned(image, region, upright, values);
            if cropped.is_err() {
                self.crops.truncate(start);
                continue;
            }
            let quality = Quality::of(values, size, image, region);
            let quality = quality.with_landmarks(landmarks.as_ref());
            crops.push(FaceCrop { face, quality });
        }
        crops
    }

    /// The values of a crop, by its index in what [`crop`](Self::crop) returned.
    pub(crate) fn values(&self, crop: usize) -> &[f32] {
        let len = self.preprocessor.size().pow(2);
        &self.crops[crop * len..][..len]
    }

    /// The answer about each of the crops with these indices; with `mirror`, the mean over the crop and its mirror image.
    pub(crate) fn classify(
        &mut self,
        crops: &[usize],
        mirror: bool,
    ) -> Result<Vec<CropScores>, Error> {
        let size = self.preprocessor.size();
        let len = size * size;
        self.input.clear();
        for &crop in crops {
            self.input
                .extend_from_slice(&self.crops[crop * len..][..len]);
        }
        if mirror {
            let faces = self.input.len();
            self.input.extend_from_within(..);
            let rows = self.input[faces..].chunks_exact_mut(size);
            rows.for_each(<[f32]>::reverse);
        }
        let scores = self.classifier.classify(&self.input)?;
        let crop_scores = |scores: &Scores| CropScores {
            probabilities: (scores.probabilities().iter().copied().map(f64::from)).collect(),
            visibility: scores.visibility(),
        };
        let (plain, mirrored) = scores.split_at(crops.len());
        let mut results: Vec<CropScores> = plain.iter().map(crop_scores).collect();
        for (result, mirrored) in results.iter_mut().zip(mirrored.iter().map(crop_scores)) {
            for (plain, mirrored) in (result.probabilities.iter_mut()).zip(mirrored.probabilities) {
                *plain = f64::midpoint(*plain, mirrored);
            }
            result.visibility = f32::midpoint(result.visibility, mirrored.visibility);
        }
        Ok(results)
    }
}

/// Whether `region` has pixels in `image` and is not far larger than it.
fn can_be_face(image: &impl GreyRows, region: &Region) -> bool {
    let overlaps =
        |start: f32, len: f32, limit: usize| len > 0.0 && start < limit as f32 && start + len > 0.0;
    let largest = MAX_RELATIVE_SIZE * image.width().max(image.height()) as f32;
    overlaps(region.x, region.width, image.width())
        && overlaps(region.y, region.height, image.height())
        && region.width.max(region.height) <= largest
}
