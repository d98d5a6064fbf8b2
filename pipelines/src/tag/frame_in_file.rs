//! The frames of a file on their way through the analysis.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// A frame in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameInFile {
    /// From 0.
    pub(super) number: u64,
    /// When a player shows it; `None` if that is not known.
    pub(super) time: Option<gst::ClockTime>,
}

/// The frames that are in the analysis, in order, with their time stamps there.
#[derive(Debug, Default)]
pub(super) struct FramesInAnalysis(Mutex<VecDeque<(Option<gst::ClockTime>, FrameInFile)>>);

impl FramesInAnalysis {
    pub(super) fn add(&self, pts: Option<gst::ClockTime>, frame: FrameInFile) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back((pts, frame));
    }

    /// Removes and returns the frame with this time stamp, and those before it.
    pub(super) fn take(&self, pts: Option<gst::ClockTime>) -> Option<FrameInFile> {
        let mut frames = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = None;
        while frames.front().is_some_and(|(known, _)| *known <= pts) {
            found = frames.pop_front().map(|(_, frame)| frame);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(number: u64) -> FrameInFile {
        let time = Some(gst::ClockTime::from_seconds(number));
        FrameInFile { number, time }
    }

    #[test]
    fn a_frame_is_found_by_its_time_stamp_and_those_before_it_are_forgotten() {
        let ms = |ms| Some(gst::ClockTime::from_mseconds(ms));
        let frames = FramesInAnalysis::default();
        for (number, pts) in [(0, 0), (1, 40), (2, 80), (3, 120)] {
            frames.add(ms(pts), frame(number));
        }
        assert_eq!(frames.take(ms(0)), Some(frame(0)));
        assert_eq!(frames.take(ms(81)), Some(frame(2)));
        assert_eq!(frames.take(ms(80)), None);
        assert_eq!(frames.take(ms(120)), Some(frame(3)));
        frames.add(None, frame(4));
        assert_eq!(frames.take(None), Some(frame(4)));
    }
}
