//! The weights that are compiled in.

use std::path::Path;

use super::checked::Weights;
use super::error::Error;

/// Those of the classifiers; the first are the default.
const CLASSIFIERS: [(&str, &[u8]); 2] = [
    (
        "residual_xception",
        include_bytes!("../../weights/residual_xception.safetensors"),
    ),
    (
        "mini_xception",
        include_bytes!("../../weights/mini_xception.safetensors"),
    ),
];

/// Those of the face detector.
const DETECTOR: (&str, &[u8]) = (
    "face_net",
    include_bytes!("../../weights/face_net.safetensors"),
);

impl Weights {
    /// The default weights, those of `residual_xception`.
    ///
    /// # Errors
    ///
    /// Never in practice: a test loads them.
    pub fn embedded() -> Result<Self, Error> {
        let (name, bytes) = CLASSIFIERS[0];
        Self::from_bytes(name, bytes)
    }

    /// The weights of the face detector.
    ///
    /// # Errors
    ///
    /// Never in practice: a test loads them.
    pub fn detector() -> Result<Self, Error> {
        let (name, bytes) = DETECTOR;
        Self::from_bytes(name, bytes)
    }

    /// The classifier's weights of this name.
    ///
    /// # Errors
    ///
    /// If there are none of this name.
    pub fn built_in(name: &str) -> Result<Self, Error> {
        match CLASSIFIERS.iter().find(|(known, _)| *known == name) {
            Some((_, bytes)) => Self::from_bytes(name, bytes),
            None => Err(Error::NotBuiltIn {
                name: name.to_owned(),
                known: Self::built_in_names().join(" and "),
            }),
        }
    }

    /// The weights in the file at `path` or, where there is none, the built-in ones of that name: a classifier's or the
    /// detector's.
    ///
    /// # Errors
    ///
    /// If there is neither, or as [`load`](Self::load).
    pub fn load_or_built_in(path: &Path) -> Result<Self, Error> {
        if path.exists() {
            return Self::load(path);
        }
        let mut all = CLASSIFIERS.iter().chain([&DETECTOR]);
        match all.find(|(name, _)| path.as_os_str() == *name) {
            Some((name, bytes)) => Self::from_bytes(name, bytes),
            None => Err(Error::NotFound {
                file: path.display().to_string(),
                known: format!("{} and {}", Self::built_in_names().join(", "), DETECTOR.0),
            }),
        }
    }

    /// The names of the classifiers' weights, the default first.
    pub fn built_in_names() -> [&'static str; CLASSIFIERS.len()] {
        CLASSIFIERS.map(|(name, _)| name)
    }
}
