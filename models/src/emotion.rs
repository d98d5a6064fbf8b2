use std::fmt;

/// The seven emotions of FER-2013, in its order: the discriminant is the label id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Emotion {
    /// Label 0.
    Angry,
    /// Label 1.
    Disgust,
    /// Label 2.
    Fear,
    /// Label 3.
    Happy,
    /// Label 4.
    Sad,
    /// Label 5.
    Surprise,
    /// Label 6.
    Neutral,
}

impl Emotion {
    /// All emotions, by label id.
    pub const ALL: [Self; 7] = [
        Self::Angry,
        Self::Disgust,
        Self::Fear,
        Self::Happy,
        Self::Sad,
        Self::Surprise,
        Self::Neutral,
    ];

    /// The name under which the emotion stands in weights, metadata and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Angry => "angry",
            Self::Disgust => "disgust",
            Self::Fear => "fear",
            Self::Happy => "happy",
            Self::Sad => "sad",
            Self::Surprise => "surprise",
            Self::Neutral => "neutral",
        }
    }

    /// The index in FER-2013's order, 0 to 6.
    pub const fn label_id(self) -> usize {
        self as usize
    }

    /// The emotion with this index in FER-2013's order.
    pub fn from_label_id(label_id: usize) -> Option<Self> {
        Self::ALL.get(label_id).copied()
    }

    /// The names of all emotions, by label id.
    pub fn names() -> Vec<String> {
        Self::ALL.map(|emotion| emotion.name().to_owned()).to_vec()
    }
}

impl fmt::Display for Emotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_ids_are_positions_in_fer_2013_order() {
        for (label_id, emotion) in Emotion::ALL.into_iter().enumerate() {
            assert_eq!(emotion.label_id(), label_id);
            assert_eq!(Emotion::from_label_id(label_id), Some(emotion));
        }
        assert_eq!(Emotion::from_label_id(7), None);
    }
}
