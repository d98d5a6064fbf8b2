//! Element messages about emotions.

use emotion_analysis::LabelChange;
use gst::glib;

use crate::face::{EmotionResult, UNCERTAIN};
use crate::frame_time::FrameTime;

/// Which messages are posted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionClassifyNotify")]
#[repr(i32)]
pub(super) enum EmotionMessages {
    #[default]
    #[enum_value(name = "No messages", nick = "none")]
    None,
    #[enum_value(
        name = "emotion-changed when the label of a face changes",
        nick = "change"
    )]
    Change,
    #[enum_value(
        name = "emotion-changed, and emotions with all faces of each frame",
        nick = "frame"
    )]
    Frame,
}

/// `emotion-changed, id, old-emotion, new-emotion, uncertain, confidence, stream-time, running-time`; without `old-emotion` if
/// the face is new, and without times if the frame has none.
pub(super) fn emotion_changed(change: &LabelChange, time: FrameTime) -> gst::Structure {
    gst::Structure::builder("emotion-changed")
        .field("id", change.id)
        .field_if_some("old-emotion", change.old.as_ref())
        .field("new-emotion", &change.new)
        .field("uncertain", change.new == UNCERTAIN)
        .field("confidence", change.confidence)
        .field_if_some("stream-time", time.stream)
        .field_if_some("running-time", time.running)
        .build()
}

/// `emotions, count, stream-time, running-time, faces=<face(id, emotion, uncertain, confidence), …>`
pub(super) fn emotions<'a>(
    faces: impl IntoIterator<Item = (i32, &'a EmotionResult)>,
    time: FrameTime,
) -> gst::Structure {
    let faces = faces.into_iter().map(|(id, emotion)| {
        gst::Structure::builder("face")
            .field("id", id)
            .field("emotion", &emotion.label)
            .field("uncertain", emotion.is_uncertain())
            .field("confidence", emotion.confidence)
            .build()
    });
    let faces: Vec<gst::Structure> = faces.collect();
    gst::Structure::builder("emotions")
        .field("count", u32::try_from(faces.len()).unwrap_or(u32::MAX))
        .field_if_some("stream-time", time.stream)
        .field_if_some("running-time", time.running)
        .field("faces", gst::Array::new(faces))
        .build()
}
