//! Faces in, calibrated probabilities out.

use std::path::Path;

use crate::Instructions;
use crate::inference::{Error, InferenceExecutor, Precision};
use crate::weights::{Head, Metadata, Task, Weights, WeightsId};

/// A network with its weights, ready to classify. A clone shares the weights.
#[derive(Debug, Clone)]
pub struct Classifier {
    executor: InferenceExecutor,
    metadata: Metadata,
    id: WeightsId,
}

impl Classifier {
    /// The default weights, which are compiled in.
    ///
    /// # Errors
    ///
    /// Never in practice: a test loads them.
    #[cfg(feature = "built-in-weights")]
    pub fn embedded() -> Result<Self, Error> {
        Self::new(&Weights::embedded()?)
    }

    /// The built-in weights of this name.
    ///
    /// # Errors
    ///
    /// If there are none of this name.
    #[cfg(feature = "built-in-weights")]
    pub fn built_in(name: &str) -> Result<Self, Error> {
        Self::new(&Weights::built_in(name)?)
    }

    /// Weights from a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or its weights do not fit their network.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::new(&Weights::load(path)?)
    }

    /// Weights from memory, on one thread in the [fastest precision](Weights::fastest_precision).
    ///
    /// # Errors
    ///
    /// If the network cannot be built.
    pub fn new(weights: &Weights) -> Result<Self, Error> {
        Self::with_precision(weights, weights.fastest_precision())
    }

    /// The same in this precision.
    ///
    /// # Errors
    ///
    /// As [`Classifier::new`], and if the machine has no instructions for the precision.
    pub fn with_precision(weights: &Weights, precision: Precision) -> Result<Self, Error> {
        Ok(Self {
            executor: InferenceExecutor::with_precision(
                weights.expect(Task::Classification)?,
                precision,
            )?,
            metadata: weights.metadata().clone(),
            id: WeightsId::of(weights),
        })
    }

    /// Shares the faces of a call between this many threads of rayon's pool, at least one.
    #[cfg(feature = "rayon")]
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.executor = self.executor.with_threads(threads);
        self
    }

    /// The instructions that it runs on.
    pub fn instructions(&self) -> Instructions {
        self.executor.instructions()
    }

    /// The precision of its products.
    pub fn precision(&self) -> Precision {
        self.executor.precision()
    }

    /// The description of the weights: labels, input size and more.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Which weights these are.
    pub fn weights_id(&self) -> &WeightsId {
        &self.id
    }

    /// The logits of the labels for each face. `faces` holds one or more faces from
    /// [`Preprocessor`](crate::preprocess::Preprocessor), one after another.
    ///
    /// # Errors
    ///
    /// If `faces` does not consist of whole faces.
    pub fn logits(&mut self, faces: &[f32]) -> Result<Vec<Vec<f32>>, Error> {
        let labels = self.metadata.labels.len();
        let mut rows = self.outputs(faces)?;
        rows.iter_mut().for_each(|row| row.truncate(labels));
        Ok(rows)
    }

    /// The outputs of all heads for each face, as [`Metadata::outputs`] divides them; `faces` as for
    /// [`logits`](Self::logits).
    ///
    /// # Errors
    ///
    /// If `faces` does not consist of whole faces.
    pub fn outputs(&mut self, faces: &[f32]) -> Result<Vec<Vec<f32>>, Error> {
        let face: usize = self.executor.input_shape().iter().product();
        let outputs = self.executor.classes();
        let mut values = vec![0.0; faces.len() / face * outputs];
        self.executor.run(faces, &mut values)?;
        Ok(values.chunks_exact(outputs).map(<[f32]>::to_vec).collect())
    }

    /// The probabilities of each face, `faces` as for [`logits`](Self::logits).
    ///
    /// # Errors
    ///
    /// If `faces` does not consist of whole faces, or the weights are so large that the answers are no numbers.
    pub fn classify(&mut self, faces: &[f32]) -> Result<Vec<Scores>, Error> {
        let outputs = self.outputs(faces)?;
        if !outputs.iter().flatten().all(|value| value.is_finite()) {
            return Err(Error::NotFinite);
        }
        let labels = self.metadata.labels.len();
        let [cover, turned] = [Head::Cover, Head::Turned]
            .map(|head| self.metadata.outputs(head).map(|outputs| outputs.start));
        let scores = |outputs: &Vec<f32>| Scores {
            cover: cover.map(|cover| sigmoid(outputs[cover])),
            turned: turned.map(|turned| sigmoid(outputs[turned])),
            ..Scores::from_logits(&outputs[..labels], self.metadata.temperature)
        };
        Ok(outputs.iter().map(scores).collect())
    }
}

/// 1 / (1 + e^(-logit))
fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// The answer about a face.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// By label id; they sum to 1.
    probabilities: Vec<f32>,
    cover: Option<f32>,
    turned: Option<f32>,
}

impl Scores {
    /// softmax(logits / temperature), of a network without heads for [`cover`](Self::cover) and [`turned`](Self::turned).
    pub fn from_logits(logits: &[f32], temperature: f32) -> Self {
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exps: Vec<f32> = logits
            .iter()
            .map(|logit| ((logit - largest) / temperature).exp())
            .collect();
        let sum: f32 = exps.iter().sum();
        Self {
            probabilities: exps.into_iter().map(|exp| exp / sum).collect(),
            cover: None,
            turned: None,
        }
    }

    /// One probability per label.
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }

    /// The probability that the mouth or the eyes are covered, 0 to 1, if the network has learnt it.
    pub fn cover(&self) -> Option<f32> {
        self.cover
    }

    /// The probability that the face is turned by more than about 60° in the plane of the picture, 0 to 1, if the network has
    /// learnt it.
    pub fn turned(&self) -> Option<f32> {
        self.turned
    }

    /// The probability that the expression can be seen: that the face is neither covered nor turned; 1 if the network tells
    /// neither.
    pub fn visibility(&self) -> f32 {
        [self.cover, self.turned]
            .into_iter()
            .flatten()
            .map(|hidden| 1.0 - hidden)
            .product()
    }

    /// The most probable label id and its probability; the first of several equal ones.
    pub fn best(&self) -> (usize, f32) {
        let mut best = (0, f32::NEG_INFINITY);
        for (label_id, &probability) in self.probabilities.iter().enumerate() {
            if probability > best.1 {
                best = (label_id, probability);
            }
        }
        best
    }
}

#[cfg(all(test, feature = "built-in-weights"))]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_weights_classify_faces() {
        let mut classifier = Classifier::embedded().unwrap();
        let size = classifier.metadata().input_size;
        assert_eq!(classifier.metadata().labels, crate::Emotion::names());
        let scores = classifier.classify(&vec![0.25; 2 * size * size]).unwrap();
        assert_eq!(scores.len(), 2);
        assert_eq!(scores[0], scores[1]);
        assert!((scores[0].probabilities().iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!(classifier.classify(&[]).unwrap().is_empty());
    }

    #[test]
    fn half_a_face_is_refused() {
        let mut classifier = Classifier::embedded().unwrap();
        assert!(matches!(
            classifier.classify(&[0.0; 100]),
            Err(Error::Faces { found: 100, .. })
        ));
    }

    #[test]
    fn a_higher_temperature_gives_lower_confidence_in_the_same_label() {
        let logits = [0.5, 3.0, -200.0];
        let (sharp, soft) = (
            Scores::from_logits(&logits, 1.0),
            Scores::from_logits(&logits, 2.0),
        );
        // softmax(0.5, 3) = 1 / (1 + e^-2.5)
        assert!((sharp.best().1 - 0.924_142).abs() < 1e-5);
        assert_eq!(sharp.best().0, soft.best().0);
        assert!(soft.best().1 < sharp.best().1);
    }
}
