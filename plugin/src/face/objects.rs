//! Writes the faces of regions as objects of GStreamer's analytics metadata too.

use std::collections::{BTreeSet, HashMap, HashSet};

use emotion_analysis::EmotionResult;
use emotion_detect::DetectedFace;
use emotion_detect::track::TrackedFace;
use gst::Structure;
use gst_video::VideoRegionOfInterestMeta;

use super::object_link::{ObjectLink, links};
use super::read::regions;
use super::stored::store;
use super::types::{Face, MAX_FACES, ROI_TYPE};
use crate::analytics::{self, AnalyticsObject, NewObject, ObjectTrack};
use crate::foreign;

/// Adds an object for each of `faces` that has got a region; `ids` are the regions' ids. Returns params for the custom meta,
/// which link the two.
pub(super) fn add_objects(
    buffer: &mut gst::BufferRef,
    faces: &[(DetectedFace, Option<&TrackedFace>)],
    ids: &[Option<i32>],
) -> Vec<(i32, Structure)> {
    let rects: HashMap<i32, _> = buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .map(|roi| (roi.id(), roi.rect()))
        .collect();
    let pts = buffer.pts().unwrap_or(gst::ClockTime::ZERO);
    let ago = |time| pts.saturating_sub(gst::ClockTime::try_from(time).unwrap_or(pts));
    let (ids, objects): (Vec<i32>, Vec<NewObject<'_>>) = faces
        .iter()
        .zip(ids)
        .filter_map(|((face, track), id)| {
            let id = (*id)?;
            let (x, y, width, height) = *rects.get(&id)?;
            let object = NewObject {
                object_type: ROI_TYPE,
                rect: (x.cast_signed(), y.cast_signed(), width, height),
                confidence: face.confidence,
                track: track.map(|track| ObjectTrack {
                    id: track_id(track.id),
                    first_seen: Some(ago(track.age)),
                    last_seen: Some(ago(track.lost)),
                    is_lost: !track.lost.is_zero(),
                }),
            };
            Some((id, object))
        })
        .take(MAX_FACES)
        .unzip();
    let objects = analytics::add_objects(buffer, &objects);
    let links = ids.into_iter().zip(objects);
    links
        .filter_map(|(id, object)| {
            let link = ObjectLink {
                object: object?,
                classes: None,
            };
            Some((id, link.to_structure()))
        })
        .collect()
}

/// Writes the emotions of regions as classifications of their objects. A region without an object gets one.
pub(super) fn set_emotions(buffer: &mut gst::BufferRef, emotions: &[(i32, &EmotionResult)]) {
    let mut links = links(buffer);
    let unlinked: HashSet<i32> = emotions
        .iter()
        .map(|(id, _)| *id)
        .filter(|id| !links.contains_key(id))
        .collect();
    if !unlinked.is_empty() {
        link(buffer, &unlinked, &mut links);
    }
    let mut params = Vec::with_capacity(emotions.len());
    for (id, emotion) in emotions {
        let Some(link) = links.get(id) else { continue };
        let classes = analytics::set_emotion(buffer, link.object, link.classes, emotion);
        let link = ObjectLink { classes, ..*link };
        params.push((*id, link.to_structure()));
    }
    store(buffer, params);
}

/// Relates the track of a region to its object, if it has one.
pub(super) fn set_track(buffer: &mut gst::BufferRef, roi_id: i32, object_id: i32) {
    if let Some(link) = links(buffer).get(&roi_id) {
        let track = track_without_times(buffer, object_id);
        analytics::set_track(buffer, link.object, track);
    }
}

/// Links the regions with these ids: to the object of the same type and box, or to a new one.
fn link(buffer: &mut gst::BufferRef, ids: &HashSet<i32>, links: &mut HashMap<i32, ObjectLink>) {
    let types: BTreeSet<&str> = buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .filter(|roi| ids.contains(&roi.id()))
        .filter_map(|roi| foreign::roi_type(&roi))
        .collect();
    let linked: HashSet<u32> = links.values().map(|link| link.object).collect();
    let mut objects = analytics::objects(buffer);
    objects.retain(|object| !linked.contains(&object.id));
    let (mut without, mut added) = (Vec::new(), Vec::new());
    for object_type in types {
        for face in regions(buffer, object_type) {
            if !ids.contains(&face.roi_id) || links.contains_key(&face.roi_id) {
                continue;
            }
            let same = |object: &AnalyticsObject| is_same(object, &face, object_type);
            if let Some(place) = objects.iter().position(same) {
                let object = objects.swap_remove(place).id;
                let link = ObjectLink {
                    object,
                    classes: None,
                };
                links.insert(face.roi_id, link);
                continue;
            }
            without.push(face.roi_id);
            added.push(NewObject {
                object_type,
                rect: (face.x, face.y, face.width, face.height),
                // A detector that says nothing about confidence is sure.
                confidence: face.detection.map_or(1.0, |detection| detection.confidence),
                track: face.object_id.map(|id| track_without_times(buffer, id)),
            });
        }
    }
    if added.is_empty() {
        return;
    }
    let added = analytics::add_objects(buffer, &added);
    for (id, object) in without.into_iter().zip(added) {
        if let Some(object) = object {
            let link = ObjectLink {
                object,
                classes: None,
            };
            links.insert(id, link);
        }
    }
}

fn is_same(object: &AnalyticsObject, face: &Face, roi_type: &str) -> bool {
    object.object_type == roi_type
        && (object.x, object.y) == (face.x, face.y)
        && (object.width, object.height) == (face.width, face.height)
}

fn track_without_times(buffer: &gst::BufferRef, object_id: i32) -> ObjectTrack {
    ObjectTrack {
        id: track_id(object_id),
        first_seen: buffer.pts(),
        last_seen: buffer.pts(),
        is_lost: false,
    }
}

fn track_id(object_id: i32) -> u64 {
    u64::from(object_id.cast_unsigned())
}
