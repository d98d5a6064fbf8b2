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

    /// The emotion of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|emotion| emotion.name() == name)
    }

    /// How pleasant the emotion is, from -1 (unpleasant) to 1 (pleasant): the horizontal axis of the circumplex model of
    /// affect (Russell, "A circumplex model of affect", Journal of Personality and Social Psychology 39, 1980).
    ///
    /// The model gives each emotion an angle, whose cosine is the valence. The angles here are rounded to tenths of the
    /// cosine: a convention of this project about the places in Russell's circle, no measurement. Surprise, which is
    /// aroused but neither pleasant nor unpleasant by itself, and neutral count as 0.
    pub const fn valence(self) -> f64 {
        match self {
            Self::Angry => -0.5,
            Self::Disgust => -0.6,
            Self::Fear => -0.6,
            Self::Happy => 0.9,
            Self::Sad => -0.9,
            Self::Surprise | Self::Neutral => 0.0,
        }
    }

    /// The mean of the emotions' valences, weighted with their probabilities, from -1 to 1.
    ///
    /// None if one of the labels is no emotion of FER-2013: its valence is unknown.
    pub fn mean_valence<'a>(
        probabilities: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> Option<f64> {
        let (mut sum, mut weight) = (0.0, 0.0);
        for (label, probability) in probabilities {
            sum += Self::from_name(label)?.valence() * probability;
            weight += probability;
        }
        (weight > 0.0).then(|| (sum / weight).clamp(-1.0, 1.0))
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

    #[test]
    fn valence_is_weighed_by_probability_and_unknown_for_foreign_labels() {
        let half = [("happy", 0.5), ("sad", 0.5)];
        assert_eq!(Emotion::mean_valence(half), Some(0.0));
        assert_eq!(Emotion::mean_valence([("happy", 1.0)]), Some(0.9));
        assert_eq!(Emotion::mean_valence([("happy", 0.5), ("zest", 0.5)]), None);
        assert_eq!(Emotion::mean_valence([]), None);
    }
}
