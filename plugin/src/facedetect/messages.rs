//! What `facedetect` says on the bus.
//!
//! | message | fields | when |
//! |---|---|---|
//! | `face-appeared` | `id`, `x`, `y`, `width`, `height` (ints), `stream-time` | a face counts from now on, or came back |
//! | `face-lost` | the same, where it was last | it is no longer there |
//! | `faces-changed` | `count` (uint), `stream-time` | another number of faces is there |
//! | `faces` | `count`, `stream-time`, `faces` (array of structures with `id` and the box) | with `notify=frame`, each frame |

use emotion_detect::track::{Event, TrackedFace};
use emotion_models::preprocess::Region;
use gst::Structure;
use gst::prelude::*;

use super::Notify;

/// Keeps what was said last.
#[derive(Debug, Default)]
pub(super) struct Messages {
    count: usize,
}

impl Messages {
    /// What there is to say about a frame.
    pub(super) fn of_frame(
        &mut self,
        notify: Notify,
        events: &[Event],
        faces: &[TrackedFace],
        stream_time: Option<gst::ClockTime>,
    ) -> Vec<Structure> {
        let has_changed = std::mem::replace(&mut self.count, faces.len()) != faces.len();
        if notify == Notify::None {
            return Vec::new();
        }
        let time = |builder: gst::structure::Builder| {
            builder.field_if_some("stream-time", stream_time).build()
        };
        let count = u32::try_from(faces.len()).unwrap_or(u32::MAX);
        let mut messages: Vec<Structure> = events
            .iter()
            .map(|event| {
                time(match event {
                    Event::Appeared { id, region } => face("face-appeared", *id, region),
                    Event::Lost { id, region } => face("face-lost", *id, region),
                })
            })
            .collect();
        if has_changed {
            messages.push(time(
                Structure::builder("faces-changed").field("count", count),
            ));
        }
        if notify == Notify::Frame {
            let all = faces
                .iter()
                .map(|tracked| face("face", tracked.id, &tracked.region).build());
            messages.push(time(
                Structure::builder("faces")
                    .field("count", count)
                    .field("faces", gst::Array::new(all)),
            ));
        }
        messages
    }
}

/// Posts them for `element`.
pub(super) fn post(element: &super::FaceDetect, messages: Vec<Structure>) {
    for structure in messages {
        let message = gst::message::Element::builder(structure).src(element);
        // Without a bus nobody listens.
        let _ = element.post_message(message.build());
    }
}

fn face(name: &str, id: i32, region: &Region) -> gst::structure::Builder {
    Structure::builder(name)
        .field("id", id)
        .field("x", region.x.round() as i32)
        .field("y", region.y.round() as i32)
        .field("width", region.width.round() as i32)
        .field("height", region.height.round() as i32)
}
