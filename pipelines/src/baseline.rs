//! Moments at which faces are at rest, from which `emotionclassify` learns what is neutral for each of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;
use gstemotion::frame_time::FrameTime;

/// All faces, as the signal has it.
const ALL_FACES: i32 = -1;

/// Tells each `emotionclassify` in `pipeline` that all faces are at rest now. Returns whether any of them learns from that.
pub fn learn(pipeline: &gst::Pipeline) -> bool {
    let learns = |element: &gst::Element| element.emit_by_name("learn-baseline", &[&ALL_FACES]);
    classifiers(pipeline).iter().filter(|e| learns(e)).count() > 0
}

/// Does the same before the first frame whose stream time is not before `time`. The result becomes true when that has come.
pub(crate) fn learn_at(pipeline: &gst::Pipeline, time: gst::ClockTime) -> Arc<AtomicBool> {
    let has_come = Arc::new(AtomicBool::new(false));
    for element in classifiers(pipeline) {
        let Some(pad) = element.static_pad("sink") else {
            continue;
        };
        let (has_come, element) = (has_come.clone(), element.downgrade());
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let segment = pad.sticky_event::<gst::event::Segment>(0);
            let segment = segment.as_ref().map(|event| event.segment());
            let pts = info.buffer().and_then(|buffer| buffer.pts());
            if FrameTime::new(segment, pts)
                .stream
                .is_none_or(|now| now < time)
            {
                return gst::PadProbeReturn::Ok;
            }
            if let Some(element) = element.upgrade() {
                let learns: bool = element.emit_by_name("learn-baseline", &[&ALL_FACES]);
                has_come.store(learns, Ordering::SeqCst);
            }
            gst::PadProbeReturn::Remove
        });
    }
    has_come
}

fn classifiers(pipeline: &gst::Pipeline) -> Vec<gst::Element> {
    let all = pipeline.iterate_all_by_element_factory_name("emotionclassify");
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launch_line::LaunchLine;

    #[test]
    fn each_classifier_that_is_started_learns_and_a_pipeline_without_one_does_not() {
        crate::init().unwrap();
        for (words, learns) in [
            ("appsrc ! emotionclassify ! fakesink async=false", true),
            ("appsrc ! emotionfacedetect ! fakesink async=false", false),
        ] {
            let pipeline = LaunchLine::default().words(words).launch().unwrap();
            assert!(!learn(&pipeline), "it is not started");
            pipeline.set_state(gst::State::Paused).unwrap();
            assert_eq!(learn(&pipeline), learns, "{words}");
            pipeline.set_state(gst::State::Null).unwrap();
        }
    }
}
