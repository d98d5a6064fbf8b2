//! Faces with labels, votes and splits.

use std::collections::HashSet;
use std::fmt;

use emotion_models::Emotion;

use super::votes::Votes;

/// Width and height of a face in pixels.
pub const FACE_SIZE: usize = 48;

/// Number of emotions.
pub(crate) const CLASSES: usize = Emotion::ALL.len();

/// The three parts of the data, named as in FER-2013.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Split {
    /// `Training`: parameters are fitted to these rows.
    Training,
    /// `PublicTest`: these rows choose the checkpoint and the temperature.
    #[value(alias = "val", alias = "validation")]
    Public,
    /// `PrivateTest`: results on these rows are only reported.
    #[value(alias = "test")]
    Private,
}

impl Split {
    /// All splits, in the order of the published file.
    pub const ALL: [Split; 3] = [Split::Training, Split::Public, Split::Private];

    /// The value of the column `Usage` in rows of this split.
    pub fn usage(self) -> &'static str {
        match self {
            Split::Training => "Training",
            Split::Public => "PublicTest",
            Split::Private => "PrivateTest",
        }
    }

    /// The split of rows with this `Usage`.
    pub(super) fn from_usage(usage: &[u8]) -> Option<Self> {
        let matches = |split: &Self| split.usage().as_bytes() == usage;
        Self::ALL.into_iter().find(matches)
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.usage())
    }
}

/// Grey faces of [`FACE_SIZE`]² pixels and their emotions. Faces without a label follow those that have one.
#[derive(Debug, Clone, Default)]
pub struct Faces {
    pixels: Vec<u8>,
    labels: Vec<Emotion>,
    /// For each labelled face, or empty.
    votes: Vec<Option<Votes>>,
}

impl Faces {
    /// Appends one face.
    ///
    /// # Panics
    ///
    /// When `pixels` does not hold [`FACE_SIZE`]² values, or a face without a label stands before.
    pub fn push(&mut self, pixels: &[u8], label: Emotion) {
        assert_eq!(self.len(), self.labels.len(), "labelled faces come first");
        self.push_unlabelled(pixels);
        self.labels.push(label);
    }

    /// Appends a face without a label.
    ///
    /// # Panics
    ///
    /// When `pixels` does not hold [`FACE_SIZE`]² values.
    pub fn push_unlabelled(&mut self, pixels: &[u8]) {
        assert_eq!(pixels.len(), FACE_SIZE * FACE_SIZE, "pixels of a face");
        self.pixels.extend_from_slice(pixels);
    }

    /// Number of faces.
    pub fn len(&self) -> usize {
        self.pixels.len() / (FACE_SIZE * FACE_SIZE)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// The pixels of a face, row by row.
    pub fn pixels(&self, index: usize) -> &[u8] {
        let length = FACE_SIZE * FACE_SIZE;
        &self.pixels[index * length..][..length]
    }

    /// The emotions of the labelled faces.
    pub fn labels(&self) -> &[Emotion] {
        &self.labels
    }

    /// The emotion of a face, if it is labelled.
    pub fn label(&self, index: usize) -> Option<Emotion> {
        self.labels.get(index).copied()
    }

    /// Sets the votes of all labelled faces.
    ///
    /// # Panics
    ///
    /// When there are fewer or more votes than labels.
    pub fn set_votes(&mut self, votes: Vec<Option<Votes>>) {
        assert_eq!(votes.len(), self.labels.len(), "votes for each face");
        self.votes = votes;
    }

    /// The same faces with other pixels; `change` gets the number and the pixels of each.
    pub fn changed(&self, mut change: impl FnMut(usize, &[u8]) -> Vec<u8>) -> Self {
        let pixels = self.iter_pixels().enumerate();
        Self {
            pixels: pixels
                .flat_map(|(row, pixels)| change(row, pixels))
                .collect(),
            labels: self.labels.clone(),
            votes: self.votes.clone(),
        }
    }

    /// Leaves out the faces that most people found [unusable](Votes::is_unusable), and returns their number.
    pub fn remove_unusable(&mut self) -> usize {
        let mut kept = Self::default();
        let mut votes = Vec::with_capacity(self.votes.len());
        for (row, pixels) in self.iter_pixels().enumerate() {
            if self.votes(row).is_some_and(Votes::is_unusable) {
                continue;
            }
            match self.label(row) {
                Some(label) => {
                    kept.push(pixels, label);
                    votes.extend(self.votes.get(row));
                }
                None => kept.push_unlabelled(pixels),
            }
        }
        kept.votes = votes;
        let removed = self.len() - kept.len();
        *self = kept;
        removed
    }

    /// The votes for a face, if there are any.
    pub fn votes(&self, index: usize) -> Option<&Votes> {
        self.votes.get(index)?.as_ref()
    }

    /// Whether any face has votes.
    pub fn has_votes(&self) -> bool {
        self.votes.iter().any(Option::is_some)
    }

    /// For each face whether one of `others` has the same pixels. FER-2013 repeats some Training faces in the other
    /// splits, so the accuracy is also reported without them.
    pub fn copies_of(&self, others: &Faces) -> Vec<bool> {
        let others: HashSet<&[u8]> = others.iter_pixels().collect();
        self.iter_pixels()
            .map(|pixels| others.contains(pixels))
            .collect()
    }

    pub(super) fn iter_pixels(&self) -> impl Iterator<Item = &[u8]> {
        self.pixels.chunks_exact(FACE_SIZE * FACE_SIZE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random_faces;

    #[test]
    fn a_copy_is_a_face_with_the_same_pixels_whatever_its_label() {
        let training = random_faces(5, 1);
        let mut public = random_faces(3, 2);
        public.push(training.pixels(2), Emotion::Neutral);
        let mut almost = training.pixels(3).to_vec();
        almost[0] ^= 1;
        public.push(&almost, Emotion::Happy);
        let expected = [false, false, false, true, false];
        assert_eq!(public.copies_of(&training), expected);
    }

    #[test]
    fn nothing_is_a_copy_of_an_empty_split() {
        let faces = random_faces(2, 1);
        assert_eq!(faces.copies_of(&Faces::default()), [false, false]);
    }
}
