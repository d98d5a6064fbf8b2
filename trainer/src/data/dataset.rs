//! Faces in three parts, wherever they come from.

use std::path::{Path, PathBuf};

use emotion_models::Emotion;

use super::{Faces, Split, fer2013, folder, votes};

/// The faces of FER-2013 or of a folder of pictures.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    /// What parameters are fitted to.
    pub training: Faces,
    /// What chooses checkpoints and the temperature.
    pub public: Faces,
    /// What is only reported.
    pub private: Faces,
    /// The split of each row of the CSV, in the order of the file.
    rows: Vec<Split>,
}

/// Why there are no faces to work with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The CSV is broken.
    #[error(transparent)]
    Csv(#[from] fer2013::Error),
    /// The folder is not as expected.
    #[error(transparent)]
    Folder(#[from] folder::Error),
    /// The votes do not belong to the faces.
    #[error(transparent)]
    Votes(#[from] votes::Error),
    /// A split is not there.
    #[error(
        "{} has no {split} faces: expected rows with Usage {split} in a CSV, pictures in {} of a folder",
        path.display(),
        folder::place(*split)
    )]
    Empty {
        /// The CSV or the folder.
        path: PathBuf,
        /// The split.
        split: Split,
    },
    /// The network cannot learn an emotion.
    #[error(
        "{} has no Training face of these emotions: {}; the network tells seven apart and needs \
         examples of each",
        path.display(),
        missing.join(", ")
    )]
    Emotions {
        /// The CSV or the folder.
        path: PathBuf,
        /// The emotions without faces.
        missing: Vec<&'static str>,
    },
}

impl Dataset {
    /// Reads `fer2013.csv`, or a folder of pictures. Where that takes long, a bar on the terminal
    /// says how far it is.
    ///
    /// # Errors
    ///
    /// When something in it is not as expected. A split may be empty.
    pub fn load(path: &Path) -> Result<Self, Error> {
        if path.is_dir() {
            Ok(folder::load(path)?)
        } else {
            Ok(fer2013::load(path)?)
        }
    }

    /// The faces to train on, with votes if there is a file of them, and to validate on.
    ///
    /// # Errors
    ///
    /// As [`Dataset::load`]; when one of both parts is empty, an emotion has no face to learn from, or
    /// the votes do not belong to the faces.
    pub fn load_for_training(path: &Path, votes: Option<&Path>) -> Result<(Faces, Faces), Error> {
        let mut dataset = Self::load(path)?;
        if let Some(votes) = votes {
            let votes = votes::load(votes, &dataset)?;
            dataset.training.set_votes(votes);
        }
        for split in [Split::Training, Split::Public] {
            if dataset.split(split).is_empty() {
                let path = path.to_owned();
                return Err(Error::Empty { path, split });
            }
        }
        let labels = dataset.training.labels();
        let missing: Vec<_> = Emotion::ALL
            .into_iter()
            .filter(|emotion| !labels.contains(emotion))
            .map(Emotion::name)
            .collect();
        if !missing.is_empty() {
            let path = path.to_owned();
            return Err(Error::Emotions { path, missing });
        }
        Ok((dataset.training, dataset.public))
    }

    /// The faces of one split.
    pub fn split(&self, split: Split) -> &Faces {
        match split {
            Split::Training => &self.training,
            Split::Public => &self.public,
            Split::Private => &self.private,
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

    /// Appends a face that is a row of a file.
    pub(super) fn push_row(&mut self, split: Split, pixels: &[u8], label: Emotion) {
        self.rows.push(split);
        self.push(split, pixels, label);
    }

    /// The split of each row of the CSV; none if the faces come from a folder.
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
