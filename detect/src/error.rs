//! Errors of the detectors.

/// Name of OpenCV's frontal face cascade, which is loaded if no other is named.
#[cfg(feature = "cascade")]
pub(crate) const DEFAULT_CASCADE: &str = "haarcascade_frontalface_default.xml";

/// Why a detector cannot be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The weights are unusable, or those of another network.
    #[error(transparent)]
    Weights(Box<emotion_models::weights::Error>),
    /// The network cannot run.
    #[error(transparent)]
    Inference(#[from] emotion_models::inference::Error),
    /// No cascade was named, and none is where OpenCV installs them. A program may append how a file is named to it.
    #[cfg(feature = "cascade")]
    #[error(
        "no {} in {}; install OpenCV's data files (Debian, Ubuntu: opencv-data)",
        DEFAULT_CASCADE,
        places.join(", ")
    )]
    NotInstalled {
        /// The folders without a cascade.
        places: Vec<String>,
    },
    /// The file of the cascade is missing or not readable.
    #[cfg(feature = "cascade")]
    #[error("cannot read the cascade {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: std::path::PathBuf,
        /// Why it cannot be read.
        source: std::io::Error,
    },
    /// The file is not a cascade.
    #[cfg(feature = "cascade")]
    #[error(
        "{} is not a cascade: {reason}; expected an XML file such as OpenCV's {}",
        path.display(),
        DEFAULT_CASCADE
    )]
    NotACascade {
        /// The file.
        path: std::path::PathBuf,
        /// OpenCV's error message.
        reason: String,
    },
    /// OpenCV failed.
    #[cfg(feature = "cascade")]
    #[error("OpenCV failed to detect faces: {0}")]
    OpenCv(#[from] opencv::Error),
}

impl From<emotion_models::weights::Error> for Error {
    fn from(error: emotion_models::weights::Error) -> Self {
        // The error is large, and every result of a detection would carry its size.
        Self::Weights(Box::new(error))
    }
}
