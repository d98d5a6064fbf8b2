//! Reads faces from the objects of GStreamer's analytics metadata, where a frame has no regions of interest.
//!
//! Regions decide wherever there are some: they have ids, which emotions and records refer to. Objects are not read either
//! where the custom meta says that `facedetect` has seen the frame, and so found nobody, or that regions were lost.

use gst::Structure;
use gst_video::VideoRegionOfInterestMeta;

use super::face_types::FaceTypes;
use super::mark::{is_marked, lost_regions};
use super::object_link::ObjectLink;
use super::picture_change::store_following;
use super::read::{largest, regions};
use super::region_ids::FreeIds;
use super::structures::{DETECTION, OBJECT_ID, emotion_to_structure};
use super::types::{Detection, Face, ROI_TYPE};
use crate::analytics::{self, AnalyticsObject, ObjectTrack};
use crate::foreign;

/// The faces on `buffer`: its regions or, where it has none, the objects whose type is one of `types`. Those have the ids that
/// [`add_regions_of_objects`] would give their regions.
pub fn faces_or_objects(buffer: &gst::BufferRef, types: &FaceTypes) -> Vec<Face> {
    let faces = regions(buffer, ROI_TYPE);
    if !faces.is_empty() {
        return faces;
    }
    let objects = face_objects(buffer, types, ROI_TYPE);
    objects.into_iter().map(|object| object.face).collect()
}

/// Adds a region of the type `roi_type` for each object on `buffer` whose type is one of `types`, unless there are such regions.
/// Later elements and other readers of regions then find the face, and its emotion has a place.
pub fn add_regions_of_objects(buffer: &mut gst::BufferRef, types: &FaceTypes, roi_type: &str) {
    let objects = face_objects(buffer, types, roi_type);
    let mut params = Vec::with_capacity(objects.len());
    for FaceObject { face, link } in objects {
        let id = face.roi_id;
        let (x, y) = (face.x.cast_unsigned(), face.y.cast_unsigned());
        let rect = (x, y, face.width, face.height);
        let mut roi = VideoRegionOfInterestMeta::add(buffer, roi_type, rect);
        roi.set_id(id);
        let detection = face.detection.map(|detection| {
            Structure::builder(DETECTION)
                .field("label_id", 0)
                .field("confidence", detection.confidence)
                .field("label", roi_type)
                .field_if_some("age", detection.age)
                .field_if_some("lost", detection.lost)
                .build()
        });
        let track =
            (face.object_id).map(|id| Structure::builder(OBJECT_ID).field("id", id).build());
        let emotion = face.emotion.as_ref().map(emotion_to_structure);
        for param in [detection, track, emotion].into_iter().flatten() {
            roi.add_param(param.clone());
            params.push((id, param));
        }
        params.push((id, link.to_structure()));
    }
    store_following(buffer, params);
}

struct FaceObject {
    face: Face,
    link: ObjectLink,
}

/// The objects of `types`, if those may be read. Only the largest, which are classified and drawn, have tracks and emotions.
fn face_objects(buffer: &gst::BufferRef, types: &FaceTypes, roi_type: &str) -> Vec<FaceObject> {
    let has_region = buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .any(|roi| foreign::roi_type(&roi) == Some(roi_type));
    if has_region || is_marked(buffer) || lost_regions(buffer) > 0 {
        return Vec::new();
    }
    let mut ids = FreeIds::of(buffer);
    let mut faces: Vec<FaceObject> = analytics::objects(buffer)
        .into_iter()
        .filter(|object| types.contains(object.object_type))
        .filter_map(|object| face_object(&object, &mut ids))
        .collect();

    let detailed = largest(faces.iter().map(|object| object.face.clone()).collect());
    // Both lists have the same order.
    let mut detailed = detailed.iter().map(|face| face.roi_id).peekable();
    let detailed: Vec<&mut FaceObject> = faces
        .iter_mut()
        .filter(|object| detailed.next_if_eq(&object.face.roi_id).is_some())
        .collect();
    let objects: Vec<u32> = detailed.iter().map(|object| object.link.object).collect();
    let details = analytics::details(buffer, &objects);
    for (FaceObject { face, link }, details) in detailed.into_iter().zip(details) {
        if let Some(track) = details.track {
            add_track(face, track, buffer.pts());
        }
        if let Some((classes, emotion)) = details.emotion {
            face.emotion = Some(emotion);
            link.classes = Some(classes);
        }
    }
    faces
}

/// The object as a face, without what lies left of the frame or above it: regions have unsigned edges.
fn face_object(object: &AnalyticsObject, ids: &mut FreeIds) -> Option<FaceObject> {
    let inside = |start: i32, length: u32| {
        let length = length.saturating_sub(start.min(0).unsigned_abs());
        (length > 0).then_some((start.max(0), length))
    };
    let (x, width) = inside(object.x, object.width)?;
    let (y, height) = inside(object.y, object.height)?;
    let face = Face {
        roi_id: ids.take(),
        x,
        y,
        width,
        height,
        detection: object.confidence.map(|confidence| Detection {
            confidence,
            ..Detection::default()
        }),
        object_id: None,
        landmarks: None,
        emotion: None,
    };
    let link = ObjectLink {
        object: object.id,
        classes: None,
    };
    Some(FaceObject { face, link })
}

fn add_track(face: &mut Face, track: ObjectTrack, pts: Option<gst::ClockTime>) {
    // Ids of regions' tracks are signed numbers of 32 bits.
    face.object_id = Some((track.id & 0x7fff_ffff) as i32);
    let since = |time: Option<gst::ClockTime>| pts?.checked_sub(time?);
    if let Some(detection) = &mut face.detection {
        detection.age = since(track.first_seen);
        detection.lost = if track.is_lost {
            since(track.last_seen)
        } else {
            Some(gst::ClockTime::ZERO)
        };
    }
}
