//! What the outputs of a classifier stand for.

use std::fmt;

/// A group of outputs of a classifier. All heads of a network share its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// A logit for each label. Every classifier has this head.
    Labels,
    /// A logit for each label, trained on the votes of people alone; a teacher answers with both.
    People,
    /// One logit of the probability that the mouth or the eyes are covered.
    Cover,
}

impl Head {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Labels, Self::People, Self::Cover];

    /// The name of its last convolution, and its name in metadata.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Labels => "head",
            Self::People => "people",
            Self::Cover => "cover",
        }
    }

    /// The head of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|head| head.name() == name)
    }

    /// Number of its outputs in a network with this many labels.
    pub const fn outputs(self, labels: usize) -> usize {
        match self {
            Self::Labels | Self::People => labels,
            Self::Cover => 1,
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
