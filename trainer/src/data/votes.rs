//! The votes of several people on one face.

use emotion_models::Emotion;

/// Number of emotions.
const CLASSES: usize = Emotion::ALL.len();

/// The choices that people have: the seven emotions by label id, contempt, an unknown emotion, and no face.
pub(crate) const CHOICES: usize = CLASSES + 3;

/// What several people see in a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Votes([u8; CHOICES]);

impl Votes {
    /// The number of votes for each emotion, by label id, then for contempt, an unknown emotion and no face.
    pub const fn new(counts: [u8; CHOICES]) -> Self {
        Self(counts)
    }

    /// The votes for the seven emotions as shares that sum to 1; none if there are no such votes.
    pub fn shares(&self) -> Option<[f32; CLASSES]> {
        let emotions = &self.0[..CLASSES];
        let sum: f32 = emotions.iter().map(|&count| f32::from(count)).sum();
        (sum > 0.0).then(|| std::array::from_fn(|id| f32::from(emotions[id]) / sum))
    }

    /// The choice with more votes than every other one, if it is one of the seven emotions.
    pub fn majority(&self) -> Option<Emotion> {
        let most = *self.0.iter().max()?;
        let mut winners = (0..CHOICES).filter(|&choice| self.0[choice] == most);
        let winner = winners.next().filter(|_| winners.next().is_none())?;
        Emotion::from_label_id(winner)
    }

    /// Whether more than half of the people see no face or no known emotion.
    pub fn is_unusable(&self) -> bool {
        let sum = |counts: &[u8]| counts.iter().map(|&count| u32::from(count)).sum::<u32>();
        2 * sum(&self.0[CLASSES + 1..]) > sum(&self.0)
    }

    pub(crate) fn counts(&self) -> &[u8; CHOICES] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_count_the_seven_emotions_only() {
        let votes = Votes::new([5, 0, 0, 2, 0, 0, 1, 1, 1, 0]);
        let expected = [0.625, 0.0, 0.0, 0.25, 0.0, 0.0, 0.125];
        assert_eq!(votes.shares(), Some(expected));
        assert_eq!(Votes::new([0, 0, 0, 0, 0, 0, 0, 4, 3, 3]).shares(), None);
    }

    #[test]
    fn a_majority_is_a_single_winner_among_all_choices() {
        let majority = |counts| Votes::new(counts).majority();
        assert_eq!(
            majority([0, 0, 4, 3, 0, 0, 3, 0, 0, 0]),
            Some(Emotion::Fear)
        );
        assert_eq!(majority([4, 0, 0, 4, 0, 0, 2, 0, 0, 0]), None);
        assert_eq!(majority([0, 0, 0, 4, 0, 0, 1, 5, 0, 0]), None);
        assert_eq!(majority([0, 0, 0, 4, 0, 0, 2, 0, 4, 0]), None);
    }

    #[test]
    fn a_face_is_unusable_if_more_than_half_see_none_or_nothing_known() {
        assert!(Votes::new([0, 0, 0, 0, 0, 0, 4, 0, 3, 3]).is_unusable());
        assert!(!Votes::new([0, 0, 0, 0, 0, 0, 5, 0, 5, 0]).is_unusable());
        assert!(!Votes::new([0, 0, 0, 0, 0, 0, 4, 6, 0, 0]).is_unusable());
    }
}
