//! An emotion as the classes of a classification.

use emotion_analysis::{EmotionResult, UNCERTAIN};
use emotion_models::Emotion;

/// The shown label with its confidence, and the other labels with their probabilities.
pub(super) fn to_classes(emotion: &EmotionResult) -> Vec<(&str, f32)> {
    let others = emotion.labels.iter().zip(&emotion.probabilities);
    let others = others
        .filter(|(label, _)| **label != emotion.label)
        .map(|(label, probability)| (&**label, *probability as f32));
    std::iter::once((&*emotion.label, emotion.confidence as f32))
        .chain(others)
        .collect()
}

/// The emotion that these classes tell, if one of them is an emotion of FER-2013, or the first is [`UNCERTAIN`].
///
/// The first class is shown, as GStreamer's overlay does it.
pub(super) fn from_classes(classes: &[(&str, f64)]) -> Option<EmotionResult> {
    let &(label, confidence) = classes.first()?;
    let is_uncertain = label == UNCERTAIN;
    let are_emotions = classes
        .iter()
        .any(|(label, _)| Emotion::from_name(label).is_some());
    if !is_uncertain && !are_emotions {
        return None;
    }
    let mut shares = classes[usize::from(is_uncertain)..].to_vec();
    let order = |label: &str| Emotion::from_name(label).map_or(usize::MAX, Emotion::label_id);
    // Stable: labels that FER-2013 does not know stay behind, in their order.
    shares.sort_by_key(|(label, _)| order(label));
    let best = if is_uncertain {
        shares.iter().max_by(|a, b| a.1.total_cmp(&b.1))
    } else {
        shares.iter().find(|(other, _)| *other == label)
    };
    let best = best.map_or("", |(label, _)| *label);
    Some(EmotionResult {
        label: label.to_owned(),
        label_id: (shares.iter().position(|(label, _)| *label == best)).unwrap_or_default(),
        confidence,
        valence: Emotion::mean_valence(shares.iter().copied()),
        labels: shares
            .iter()
            .map(|(label, _)| (*label).to_owned())
            .collect(),
        probabilities: shares.iter().map(|(_, share)| *share).collect(),
        ..EmotionResult::default()
    })
}
