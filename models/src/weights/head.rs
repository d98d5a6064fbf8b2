//! What the outputs of a network stand for.

use std::fmt;

use crate::graph::face_net;

/// A group of outputs of a network. All heads of a network share its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// A logit for each label; of a detector, score and box of each grid cell. Every network has this head.
    Labels,
    /// A logit for each label, trained on the votes of people alone; a teacher answers with both.
    People,
    /// One logit of the probability that the mouth or the eyes are covered.
    Cover,
    /// One logit of the probability that the face is turned by more than about 60° in the plane of the picture.
    Turned,
    /// The [landmarks](crate::preprocess::Landmarks) of the face of each grid cell of a detector.
    Landmarks,
}

impl Head {
    /// The name of its last convolution, and its name in metadata.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Labels => "head",
            Self::People => "people",
            Self::Cover => "cover",
            Self::Turned => "turned",
            Self::Landmarks => "landmarks",
        }
    }

    /// Number of its outputs in a classifier with this many labels; the landmarks have theirs in each grid cell.
    pub const fn outputs(self, labels: usize) -> usize {
        match self {
            Self::Labels | Self::People => labels,
            Self::Cover | Self::Turned => 1,
            Self::Landmarks => face_net::LANDMARK_VALUES,
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
