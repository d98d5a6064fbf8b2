//! The element messages of `facedetect`.
//!
//! | message | fields | when |
//! |---|---|---|
//! | `face-appeared` | `id`, `x`, `y`, `width`, `height` (ints), `stream-time` | a face counts from now on, or came back |
//! | `face-lost` | the same, where it was last | it is no longer there |
//! | `faces-changed` | `count` (uint), `stream-time` | another number of faces is there |
//! | `faces` | `count`, `stream-time`, `faces` (array of structures with `id` and the box) | with `post-messages=frame`, each frame |

use emotion_detect::track::{TrackEvent, TrackedFace};
use emotion_models::preprocess::Region;
use gst::Structure;

use super::settings::PostMessages;

/// Makes the messages of each frame.
#[derive(Debug, Default)]
pub(super) struct FaceMessages {
    /// Of the last frame.
    face_count: usize,
}

impl FaceMessages {
    /// The messages about a frame.
    pub(super) fn of_frame(
        &mut self,
        post: PostMessages,
        events: &[TrackEvent],
        faces: &[TrackedFace],
        stream_time: Option<gst::ClockTime>,
    ) -> Vec<Structure> {
        let has_changed = std::mem::replace(&mut self.face_count, faces.len()) != faces.len();
        if post == PostMessages::None {
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
                    TrackEvent::Appeared { id, region } => face("face-appeared", *id, region),
                    TrackEvent::Ended { id, region } => face("face-lost", *id, region),
                })
            })
            .collect();
        if has_changed {
            messages.push(time(
                Structure::builder("faces-changed").field("count", count),
            ));
        }
        if post == PostMessages::Frame {
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

fn face(name: &str, id: i32, region: &Region) -> gst::structure::Builder {
    Structure::builder(name)
        .field("id", id)
        .field("x", region.x.round() as i32)
        .field("y", region.y.round() as i32)
        .field("width", region.width.round() as i32)
        .field("height", region.height.round() as i32)
}
