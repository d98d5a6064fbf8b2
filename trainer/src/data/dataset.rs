//! The three splits of a data set.

use std::mem::take;

use emotion_models::Emotion;

use super::faces::{Faces, Split};

/// The faces of FER-2013 or of a folder of images.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    /// Parameters are fitted to these.
    pub training: Faces,
    /// These choose checkpoints and the temperature.
    pub public: Faces,
    /// Results on these are only reported.
    pub private: Faces,
    /// The split of each row of the CSV, in the order of the file.
    rows: Vec<Split>,
    /// Whether the faces come from a folder without splits.
    is_undivided: bool,
}

impl Dataset {
    /// The faces of one split.
    pub fn split(&self, split: Split) -> &Faces {
        match split {
            Split::Training => &self.training,
            Split::Public => &self.public,
            Split::Private => &self.private,
        }
    }

    /// Whether the faces come from a folder without splits, so that their own hashes assigned them.
    pub fn is_undivided(&self) -> bool {
        self.is_undivided
    }

    pub(super) fn set_undivided(&mut self) {
        self.is_undivided = true;
    }

    /// Moves all faces into the PrivateTest split.
    pub fn merge(&mut self) {
        for faces in [take(&mut self.training), take(&mut self.public)] {
            for (row, &label) in faces.labels().iter().enumerate() {
                self.private.push(faces.pixels(row), label);
            }
        }
    }

    /// Appends a face to its split.
    pub(super) fn push(&mut self, split: Split, pixels: &[u8], label: Emotion) {
        let faces = match split {
            Split::Training => &mut self.training,
            Split::Public => &mut self.public,
            Split::Private => &mut self.private,
        };
        faces.push(pixels, label);
    }

    /// Appends a face that is a row of a CSV file.
    pub(super) fn push_row(&mut self, split: Split, pixels: &[u8], label: Emotion) {
        self.rows.push(split);
        self.push(split, pixels, label);
    }

    /// The split of each row of the CSV; empty if the faces come from a folder.
    pub(super) fn rows(&self) -> &[Split] {
        &self.rows
    }

    /// Split and pixels of each row of the CSV.
    pub(super) fn row_faces(&self) -> impl Iterator<Item = (Split, &[u8])> {
        let mut pixels = Split::ALL.map(|split| self.split(split).iter_pixels());
        let mut next = move |split: Split| pixels[split as usize].next();
        self.rows
            .iter()
            .filter_map(move |&split| Some((split, next(split)?)))
    }
}
