//! The metadata of faces on a buffer: one writer, one reader.
//!
//! Each face is a [`gst_video::VideoRegionOfInterestMeta`] of type [`ROI_TYPE`] with an id that is unique in the frame,
//! and these params, named as DL Streamer's so that other tools read them:
//!
//! | param | fields |
//! |---|---|
//! | `detection` | `label` "face", `label_id` 0, `confidence` (double), `x_min`, `x_max`, `y_min`, `y_max` (doubles, 0 to 1 of the frame), and of a track `age` and `lost` (uint64, nanoseconds) |
//! | `object_id` | `id` (int), the track |
//! | `landmarks` | `right_eye_x`, `right_eye_y`, `left_eye_x`, … of `nose`, `right_mouth` and `left_mouth` (doubles, 0 to 1 of the frame; right and left are the person's own) |
//! | `emotion` | `label`, `label_id` (int), `confidence` (double), `model_name`, `weights_id`, `labels` (array of strings), `probabilities` (array of doubles), and where known `threshold` (double, 0 to 1), `valence` (double, -1 to 1), `quality` (double, 0 to 1), `raw_label`, `raw_confidence` (double) |
//!
//! `label`, `confidence` and `probabilities` are to be shown: the emotion, smoothed in time where the classifier smooths.
//! `raw_label` and `raw_confidence` are the network's result of this frame alone; they are missing if it did not classify
//! the face on this frame. If no emotion is certain enough, `label` is [`UNCERTAIN`], which is not in `labels`;
//! `label_id` is then the index of the best guess, and `confidence` its probability, so that a reader who indexes `labels`
//! or `probabilities` with `label_id` needs no special case. [`EmotionResult::is_uncertain`] tells both cases apart.
//!
//! GStreamer drops the params of a region in a converting `videoconvert` and in `videoscale`, but keeps its id and
//! moves its rectangle. Therefore a frame-level custom meta without tags holds the same structures once more, and
//! survives both: `GstEmotionFaceMeta, faces=<face(roi_id, detection, object_id, landmarks, emotion), …>`. It is a list and not one
//! field per id, because field names are interned for the life of the process and foreign ids may count up without end.
//!
//! The custom meta also says that a detector has seen the frame (`detected-aspect`, width by height of the picture as it was
//! shown), also when nobody is there, and names faces that were found and do not count yet, whose regions have the type
//! [`CANDIDATE_TYPE`]. Up to GStreamer 1.26, elements that crop or flip the picture drop the regions and keep this meta: the
//! difference tells ([`Passage`]). From 1.28 on, regions and meta move along.
//!
//! The reader takes a param of the region first, then the custom meta, and the rectangle always from the region.
//! Structures with fields of other types are ignored.
//!
//! With the cargo feature `v1_24`, each face is an object of GStreamer's analytics metadata as well, with its track and its
//! emotion, and the custom meta keeps which object belongs to which region: `analytics(object, classes)`, indices (uint32) in
//! that metadata. The regions decide: objects are read only on frames that have none, see
//! [`faces_or_objects`].

mod face_types;
mod mark;
#[cfg(feature = "v1_24")]
mod object_faces;
#[cfg(feature = "v1_24")]
mod object_link;
#[cfg(feature = "v1_24")]
mod objects;
mod picture_change;
mod read;
mod region_ids;
mod stored;
mod structures;
mod types;
mod write;

pub use emotion_analysis::{EmotionResult, RawEmotion, UNCERTAIN};
pub use emotion_detect::DetectedFace;
pub use emotion_detect::track::TrackedFace;

pub use self::face_types::FaceTypes;
pub(crate) use self::mark::lost_regions_text;
pub use self::mark::{Passage, lost_regions, mark_detected};
#[cfg(feature = "v1_24")]
pub use self::object_faces::{add_regions_of_objects, faces_or_objects};
#[cfg(not(feature = "v1_24"))]
pub use self::read::faces_or_objects;
pub use self::read::{candidates, faces, largest, regions};
pub(crate) use self::region_ids::FreeIds;
pub use self::types::{CANDIDATE_TYPE, Detection, Face, MAX_FACES, ROI_TYPE};
pub use self::write::{
    add_candidates, add_detected, add_tracked, assign_ids, set_emotion, set_emotions, set_object_id,
};

#[cfg(all(test, feature = "v1_24"))]
mod objects_tests;
#[cfg(test)]
mod tests;
