//! Small weights whose answers are known.

use emotion_models::weights::{Architecture, Head, Normalization, WeightTensor};
use emotion_models::{Emotion, Metadata, Weights};

/// What weights say about every face.
#[derive(Debug, Clone)]
pub struct ConstantAnswer {
    /// The name of the weights.
    pub name: &'static str,
    /// The probability of each of FER-2013's labels.
    pub probabilities: [f32; 7],
    /// The threshold in their metadata.
    pub threshold: Option<f32>,
    /// The probability that mouth and eyes are covered, from a head of its own.
    pub cover: Option<f32>,
}

impl Default for ConstantAnswer {
    /// Happy with 60 %, neutral with 30 %, neither threshold nor cover.
    fn default() -> Self {
        Self {
            name: "constant",
            probabilities: [0.02, 0.02, 0.02, 0.6, 0.02, 0.02, 0.3],
            threshold: None,
            cover: None,
        }
    }
}

impl ConstantAnswer {
    /// Weights of mini_XCEPTION with this answer: all are zero but the biases of the heads.
    ///
    /// # Panics
    ///
    /// When the parameters of mini_XCEPTION have other names than here.
    pub fn weights(&self) -> Weights {
        let cover = self.cover.map(|_| Head::Cover);
        let metadata = Metadata {
            name: self.name.to_owned(),
            architecture: Architecture::MiniXception,
            labels: Emotion::names(),
            heads: [Head::Labels].into_iter().chain(cover).collect(),
            input_size: 48,
            normalization: Normalization::SymmetricUnit,
            temperature: 1.0,
            threshold: self.threshold,
            training: "none".to_owned(),
        };
        let parameters = metadata.graph().expect("a usual size").parameters();
        let tensors = parameters.into_iter().map(|parameter| {
            let values = match (&*parameter.name, self.cover) {
                ("head.bias", _) => self.probabilities.map(f32::ln).to_vec(),
                ("cover.bias", Some(cover)) => vec![(cover / (1.0 - cover)).ln()],
                (name, _) if name.ends_with("running_var") => vec![1.0; parameter.len()],
                _ => vec![0.0; parameter.len()],
            };
            let shape = parameter.shape;
            (parameter.name, WeightTensor { shape, values })
        });
        Weights::new("constant", metadata, tensors.collect()).expect("all of the network's")
    }
}
