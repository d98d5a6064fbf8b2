//! The frames of a video.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use emotion_analysis::VideoAnalyzer;
use pyo3::prelude::*;

use crate::errors::{detector_error, value_error, without_lock};
use crate::face::NativeFace;
use crate::options::Analysis;
use crate::picture::Picture;

/// Follows the faces of one video. Frames wait for each other.
#[pyclass(frozen, module = "emotion_faces._native")]
pub(crate) struct Tracker {
    analysis: Arc<Analysis>,
    video: Mutex<VideoAnalyzer>,
}

impl Tracker {
    pub(crate) fn new(analysis: Arc<Analysis>) -> PyResult<Self> {
        let detector = analysis.detector()?.ok_or_else(|| {
            value_error("faces are followed by a detector: leave out detector=None")
        })?;
        Ok(Self {
            video: Mutex::new(VideoAnalyzer::new(analysis.classifier(), detector)),
            analysis,
        })
    }
}

#[pymethods]
impl Tracker {
    /// The faces on the frame that is shown at `time`, in seconds.
    fn frame(&self, py: Python<'_>, picture: Picture, time: f64) -> PyResult<Vec<NativeFace>> {
        let time = Duration::try_from_secs_f64(time).map_err(|_| {
            value_error(format!(
                "times: expected the seconds since the start, 0 or more, found {time}"
            ))
        })?;
        without_lock(py, || {
            let grey = picture.grey()?;
            let image = grey.view()?;
            let Analysis {
                detection, options, ..
            } = &*self.analysis;
            let mut video = self.video.lock().unwrap_or_else(PoisonError::into_inner);
            let faces = video.frame(&image, time, detection, options);
            let faces = faces.map_err(|error| detector_error(&error))?;
            Ok(faces.into_iter().map(NativeFace::from).collect())
        })
    }
}
