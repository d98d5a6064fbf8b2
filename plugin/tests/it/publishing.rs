//! An `emotionpublish` that sends to a broker, and frames with a face for it.

use crate::common::*;
use emotion_tests::PATIENCE;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::VideoFormat;
use gstemotion::face::{DetectedFace, add_detected};

/// A frame with one face.
fn frame(ms: u64) -> gst::Buffer {
    let (info, mut buffer) = blank(VideoFormat::Gray8, 64, 32);
    let face = DetectedFace {
        x: 8,
        y: 4,
        width: 8,
        height: 8,
        confidence: 0.75,
        landmarks: None,
    };
    add_detected(buffer.make_mut(), info.width(), info.height(), &[face]);
    at(buffer, ms)
}

/// An `emotionpublish` between test pads.
pub(crate) struct Publishing {
    harness: Harness,
    bus: gst::Bus,
}

impl Publishing {
    /// One with these properties.
    pub(crate) fn new(properties: &str) -> Self {
        init();
        let line = format!("emotionpublish {properties}");
        let element = gst::parse::launch(&line).unwrap();
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
        harness.set_src_caps(info(VideoFormat::Gray8, 64, 32).to_caps().unwrap());
        Self { harness, bus }
    }

    /// Pushes frames; each one passes at once, whatever the broker does.
    pub(crate) fn frames(&mut self, times_ms: impl IntoIterator<Item = u64>) {
        for ms in times_ms {
            let buffer = frame(ms);
            let out = self.harness.push_and_pull(buffer.clone()).unwrap();
            assert_eq!(out.as_ptr(), buffer.as_ptr());
        }
    }

    pub(crate) fn next_warning(&self) -> String {
        let message = self
            .bus
            .timed_pop_filtered(
                gst::ClockTime::from_seconds(PATIENCE.as_secs()),
                &[gst::MessageType::Warning],
            )
            .expect("a warning");
        let gst::MessageView::Warning(warning) = message.view() else {
            unreachable!()
        };
        warning.error().to_string()
    }

    pub(crate) fn has_no_more_warnings(&self) -> bool {
        self.bus
            .pop_filtered(&[gst::MessageType::Warning])
            .is_none()
    }

    pub(crate) fn stop(&self) {
        let element = self.harness.element().unwrap();
        element.set_state(gst::State::Null).unwrap();
    }

    pub(crate) fn count(&self, name: &str) -> u64 {
        stat(&self.harness.element().unwrap(), name)
    }
}
