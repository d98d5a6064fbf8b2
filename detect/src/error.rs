//! What can go wrong.

/// Why there is no detector or no answer from it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The weights are unusable, or of another network.
    #[error(transparent)]
    Weights(Box<emotion_models::weights::Error>),
    /// The network cannot be run.
    #[error(transparent)]
    Inference(#[from] emotion_models::inference::Error),
    /// No cascade was named, and none stands where OpenCV installs them. The message ends where each program says how a
    /// file is named to it.
    #[cfg(feature = "cascade")]
    #[error(
        "no {} in {}; install OpenCV's data files (Debian, Ubuntu: opencv-data)",
        crate::cascade::DEFAULT_FILE,
        places.join(", ")
    )]
    NotInstalled {
        /// The folders that were looked at.
        places: Vec<String>,
    },
    /// The cascade's file is missing or may not be read.
    #[cfg(feature = "cascade")]
    #[error("cannot read the cascade {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: std::path::PathBuf,
        /// Why it cannot be read.
        source: std::io::Error,
    },
    /// The file is no cascade.
    #[cfg(feature = "cascade")]
    #[error(
        "{} is not a cascade: {reason}; expected an XML file such as OpenCV's {}",
        path.display(),
        crate::cascade::DEFAULT_FILE
    )]
    NotACascade {
        /// The file.
        path: std::path::PathBuf,
        /// What OpenCV says about it.
        reason: String,
    },
    /// OpenCV failed.
    #[cfg(feature = "cascade")]
    #[error("OpenCV failed to detect faces: {0}")]
    OpenCv(#[from] opencv::Error),
}

impl From<emotion_models::weights::Error> for Error {
    fn from(error: emotion_models::weights::Error) -> Self {
        // Large, and on the way of every picture's result.
        Self::Weights(Box::new(error))
    }
}
