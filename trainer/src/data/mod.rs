//! Faces with labels, and the batches made of them.

pub mod augment;
pub mod batch;
pub mod fer2013;

use std::collections::HashSet;
use std::fmt;

use emotion_models::Emotion;

/// Width and height of a FER-2013 face in pixels.
pub const FACE_SIZE: usize = 48;

/// The three parts of FER-2013.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Split {
    /// `Training`: the rows that parameters are fitted to.
    Training,
    /// `PublicTest`: the rows that choose checkpoints and the temperature.
    Public,
    /// `PrivateTest`: the rows that are only reported.
    Private,
}

impl Split {
    /// All of them, in the order of the published file.
    pub const ALL: [Split; 3] = [Split::Training, Split::Public, Split::Private];

    /// The value of the column `Usage` that marks rows of this split.
    pub fn usage(self) -> &'static str {
        match self {
            Split::Training => "Training",
            Split::Public => "PublicTest",
            Split::Private => "PrivateTest",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.usage())
    }
}

/// Grey faces of [`FACE_SIZE`]² pixels and their emotions.
#[derive(Debug, Clone, Default)]
pub struct Faces {
    pixels: Vec<u8>,
    labels: Vec<Emotion>,
}

impl Faces {
    /// Appends one face.
    ///
    /// # Panics
    ///
    /// When `pixels` does not hold [`FACE_SIZE`]² values.
    pub fn push(&mut self, pixels: &[u8], label: Emotion) {
        assert_eq!(pixels.len(), FACE_SIZE * FACE_SIZE, "pixels of a face");
        self.pixels.extend_from_slice(pixels);
        self.labels.push(label);
    }

    /// How many faces there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The pixels of a face, row by row.
    pub fn pixels(&self, index: usize) -> &[u8] {
        let length = FACE_SIZE * FACE_SIZE;
        &self.pixels[index * length..][..length]
    }

    /// The emotions of all faces.
    pub fn labels(&self) -> &[Emotion] {
        &self.labels
    }

    /// For each face whether one of `others` has the very same pixels. FER-2013 repeats some of its
    /// Training faces in the other splits: an honest accuracy is also told without them.
    pub fn copies_of(&self, others: &Faces) -> Vec<bool> {
        let others: HashSet<&[u8]> = others.iter_pixels().collect();
        let is_copy = |pixels| others.contains(pixels);
        self.iter_pixels().map(is_copy).collect()
    }

    fn iter_pixels(&self) -> impl Iterator<Item = &[u8]> {
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
