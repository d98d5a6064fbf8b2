//! Numbers by the name of the emotion.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::face::EmotionResult;

/// Probabilities by the name of the emotion, in the order of the model's labels: a JSON object.
#[derive(Debug, Clone, PartialEq)]
pub struct Probabilities(pub Vec<(String, f64)>);

impl Probabilities {
    /// None if another classifier left out the names or the probabilities.
    pub(super) fn of(emotion: &EmotionResult) -> Option<Self> {
        let named: Vec<_> = emotion
            .labels
            .iter()
            .cloned()
            .zip(emotion.probabilities.iter().copied().map(rounded))
            .collect();
        (!named.is_empty()).then_some(Self(named))
    }
}

impl Serialize for Probabilities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.0
                .iter()
                .map(|(label, probability)| (label, probability)),
        )
    }
}

impl<'de> Deserialize<'de> for Probabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Probabilities;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object with a probability for each emotion")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Probabilities, A::Error> {
                let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(0));
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Probabilities(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// Six decimals. NaN and infinity, which JSON does not have, become 0.
pub(super) fn rounded(value: f64) -> f64 {
    let rounded = (value * 1e6).round() / 1e6;
    if rounded.is_finite() { rounded } else { 0.0 }
}
