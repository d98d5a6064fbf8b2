//! Errors as Python's exceptions.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use emotion_models::{image_file, inference, weights};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// Runs `work` without Python's lock. A panic, which is a bug, becomes an exception that programs can catch.
pub(crate) fn without_lock<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> PyResult<T> + Send,
) -> PyResult<T> {
    let guarded = || catch_unwind(AssertUnwindSafe(work));
    py.detach(guarded).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(PyRuntimeError::new_err(format!(
            "a bug in emotion_faces, please report it: {}",
            text.unwrap_or("no message")
        )))
    })
}

/// The exception for a value that makes no sense.
pub(crate) fn value_error(message: impl Into<String>) -> PyErr {
    PyValueError::new_err(message.into())
}

/// The exception for a picture that cannot be decoded; `path` if it is a file.
pub(crate) fn picture_error(path: Option<&Path>, error: image_file::Error) -> PyErr {
    let name = path.map_or_else(|| "the picture".into(), |path| path.display().to_string());
    match error {
        image_file::Error::Open(error) => file_error(&name, &error),
        error => value_error(format!("{name} {error}")),
    }
}

/// The exception for weights that cannot be loaded.
pub(crate) fn weights_error(error: &weights::Error) -> PyErr {
    match error {
        weights::Error::Read { file, source } => file_error(file, source),
        weights::Error::NotFound { .. } => {
            io::Error::new(io::ErrorKind::NotFound, error.to_string()).into()
        }
        error => value_error(error.to_string()),
    }
}

/// The exception for a detector that cannot be loaded or run.
pub(crate) fn detector_error(error: &emotion_detect::Error) -> PyErr {
    match error {
        emotion_detect::Error::Weights(error) => weights_error(error),
        emotion_detect::Error::Inference(error) => inference_error(error),
        #[allow(
            unreachable_patterns,
            reason = "OpenCV's errors, where its cascades are built"
        )]
        error => PyRuntimeError::new_err(error.to_string()),
    }
}

/// The exception for a network that cannot be made or run.
pub(crate) fn inference_error(error: &inference::Error) -> PyErr {
    match error {
        inference::Error::Weights(error) => weights_error(error),
        error => value_error(error.to_string()),
    }
}

fn file_error(name: &str, error: &io::Error) -> PyErr {
    // Python chooses the exception by the kind: FileNotFoundError, PermissionError, IsADirectoryError.
    match error.kind() {
        io::ErrorKind::InvalidInput => value_error(format!("{name}: {error}")),
        kind => io::Error::new(kind, format!("{name} cannot be read: {error}")).into(),
    }
}
