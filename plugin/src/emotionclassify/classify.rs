//! Classifies the faces of a frame, or lets them keep their emotions.

use std::time::Duration;

use emotion_analysis::FrameResults;
use gst::subclass::prelude::*;

use super::frame::{AnalyzeFrame, position};
use super::imp::EmotionClassify;
use super::settings::Settings;
use crate::face::Face;
use crate::frame_time::FrameTime;

impl EmotionClassify {
    /// The emotions that the `faces` keep on a frame that is late.
    pub(super) fn keep_emotions(&self, faces: &[Face], time: FrameTime) -> FrameResults {
        let Some(grid) = self.analyzer.grid() else {
            return FrameResults::default();
        };
        let positions: Vec<_> = faces.iter().map(|face| position(face, &grid)).collect();
        let mut analyzer = self.face_analyzer.lock().unwrap();
        let analyzer = analyzer.as_mut();
        let time = time.running.map(Duration::from);
        analyzer.map_or_else(FrameResults::default, |analyzer| {
            analyzer.keep_emotions(&positions, time)
        })
    }

    /// Classifies the `faces` on `buffer`.
    pub(super) fn analyze(
        &self,
        buffer: &gst::BufferRef,
        faces: &[Face],
        time: FrameTime,
        settings: &Settings,
    ) -> Result<FrameResults, gst::FlowError> {
        let mut guard = self.face_analyzer.lock().unwrap();
        let analyzer = guard.as_mut().ok_or(gst::FlowError::Flushing)?;
        let unknown = analyzer.set_renaming(&settings.renaming);
        if !unknown.is_empty() {
            let (unknown, known) = (unknown.join(", "), analyzer.metadata().labels.join(", "));
            self.warn_later(format!(
                "labels: the weights know no {unknown}, only {known}"
            ));
        }
        let reader = AnalyzeFrame {
            analyzer,
            faces,
            time: time.running.map(Duration::from),
            settings,
        };
        let results = self.analyzer.with_luma(buffer, reader);
        // Listeners to errors may read properties.
        drop(guard);
        match results {
            Ok(Ok(results)) => return Ok(results),
            Ok(Err(error)) => {
                gst::element_imp_error!(self, gst::LibraryError::Failed, ("{error}"));
            }
            Err(error) => gst::element_imp_error!(self, gst::StreamError::Format, ("{error}")),
        }
        Err(gst::FlowError::Error)
    }
}
