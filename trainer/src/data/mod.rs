//! Faces with labels, and the batches made of them.

pub mod augment;
pub mod batch;
pub mod fer2013;

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
}
