//! Loads a data set from either source and checks it for training.

use std::path::{Path, PathBuf};

use emotion_models::Emotion;

use super::dataset::Dataset;
use super::faces::{Faces, Split};
use super::{fer2013, ferplus, folder};

/// Why a data set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The CSV is broken.
    #[error(transparent)]
    Csv(#[from] fer2013::Error),
    /// The folder is not laid out as expected.
    #[error(transparent)]
    Folder(#[from] folder::Error),
    /// The votes do not belong to the faces.
    #[error(transparent)]
    Votes(#[from] ferplus::Error),
    /// A split is missing.
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
    /// An emotion has no face to learn from.
    #[error(
        "{} has no Training face of these emotions: {}; training needs examples of \
         all seven",
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
    /// Reads `fer2013.csv`, or a folder of images with a progress bar on the terminal.
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

    /// The same with the votes in a file, if one is given.
    ///
    /// # Errors
    ///
    /// As [`Dataset::load`], and when the votes do not belong to the faces.
    pub fn load_with_votes(path: &Path, votes: Option<&Path>) -> Result<Self, Error> {
        let mut dataset = Self::load(path)?;
        if let Some(votes) = votes {
            let [training, public, private] = ferplus::load(votes, &dataset)?;
            dataset.training.set_votes(training);
            dataset.public.set_votes(public);
            dataset.private.set_votes(private);
        }
        Ok(dataset)
    }

    /// The faces to train on and those to validate on, with their votes if a file of votes is given. Training faces that most
    /// people found unusable are left out.
    ///
    /// # Errors
    ///
    /// As [`Dataset::load`]; when either part is empty, an emotion has no training face, or the votes do not belong to
    /// the faces.
    pub fn load_for_training(path: &Path, votes: Option<&Path>) -> Result<(Faces, Faces), Error> {
        let mut dataset = Self::load_with_votes(path, votes)?;
        let removed = dataset.training.remove_unusable();
        if removed > 0 {
            eprintln!(
                "left out {removed} Training faces in which most people see no face or no known emotion"
            );
        }
        let path = path.to_owned();
        for split in [Split::Training, Split::Public] {
            if dataset.split(split).is_empty() {
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
            return Err(Error::Emotions { path, missing });
        }
        Ok((dataset.training, dataset.public))
    }
}
