//! The weights that are compiled in.

use std::path::Path;

use super::checked::Weights;
use super::error::Error;

/// A file of weights and, where they were quantised, that of the integers.
struct BuiltIn {
    name: &'static str,
    floats: &'static [u8],
    integers: Option<&'static [u8]>,
}

/// Those of the classifiers; the first are the default.
const CLASSIFIERS: [BuiltIn; 2] = [
    BuiltIn {
        name: "residual_xception",
        floats: include_bytes!("../../weights/residual_xception.safetensors"),
        integers: Some(include_bytes!(
            "../../weights/residual_xception_int8.safetensors"
        )),
    },
    BuiltIn {
        name: "mini_xception",
        floats: include_bytes!("../../weights/mini_xception.safetensors"),
        integers: None,
    },
];

/// Those of the face detector.
const DETECTOR: BuiltIn = BuiltIn {
    name: "face_net",
    floats: include_bytes!("../../weights/face_net.safetensors"),
    integers: Some(include_bytes!("../../weights/face_net_int8.safetensors")),
};

impl BuiltIn {
    fn weights(&self) -> Result<Weights, Error> {
        let floats = Weights::from_bytes(self.name, self.floats)?;
        Ok(match self.integers {
            None => floats,
            Some(bytes) => floats.with_integers(Weights::from_bytes(self.name, bytes)?),
        })
    }
}

impl Weights {
    /// The default weights, those of `residual_xception`.
    ///
    /// # Errors
    ///
    /// Never in practice: a test loads them.
    pub fn embedded() -> Result<Self, Error> {
        CLASSIFIERS[0].weights()
    }

    /// The weights of the face detector.
    ///
    /// # Errors
    ///
    /// Never in practice: a test loads them.
    pub fn detector() -> Result<Self, Error> {
        DETECTOR.weights()
    }

    /// The classifier's weights of this name.
    ///
    /// # Errors
    ///
    /// If there are none of this name.
    pub fn built_in(name: &str) -> Result<Self, Error> {
        match CLASSIFIERS.iter().find(|known| known.name == name) {
            Some(found) => found.weights(),
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
        match all.find(|known| path.as_os_str() == known.name) {
            Some(found) => found.weights(),
            None => Err(Error::NotFound {
                file: path.display().to_string(),
                known: format!(
                    "{} and {}",
                    Self::built_in_names().join(", "),
                    DETECTOR.name
                ),
            }),
        }
    }

    /// The names of the classifiers' weights, the default first.
    pub fn built_in_names() -> [&'static str; CLASSIFIERS.len()] {
        CLASSIFIERS.map(|known| known.name)
    }
}
