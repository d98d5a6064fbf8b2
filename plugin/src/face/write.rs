//! Writes faces to the metadata of a buffer.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use emotion_analysis::EmotionResult;
use emotion_detect::DetectedFace;
use emotion_detect::track::TrackedFace;
use emotion_models::preprocess::Region;
use gst::buffer::BufferMetaForeachAction;
use gst::{Structure, StructureRef};
use gst_video::VideoRegionOfInterestMeta;

use super::picture_change::store_following;
use super::region_ids::FreeIds;
use super::structures::{
    DETECTION, OBJECT_ID, emotion_to_structure, landmarks_to_structure, set_limits,
};
use super::types::{CANDIDATE_TYPE, ROI_TYPE};
use crate::foreign;

/// Adds a region of interest with its `detection` for each of `detected`, clamped to the frame of
/// `frame_width` × `frame_height` pixels.
///
/// Returns the new ids in the order of `detected`. A rectangle without a pixel in the frame is left out and has `None`.
pub fn add_detected(
    buffer: &mut gst::BufferRef,
    frame_width: u32,
    frame_height: u32,
    detected: &[DetectedFace],
) -> Vec<Option<i32>> {
    let faces: Vec<_> = detected.iter().map(|face| (*face, None)).collect();
    add(buffer, ROI_TYPE, frame_width, frame_height, &faces)
}

/// Adds a region of interest of the type [`CANDIDATE_TYPE`] for each of `candidates`, as [`add_detected`] does.
pub fn add_candidates(
    buffer: &mut gst::BufferRef,
    frame_width: u32,
    frame_height: u32,
    candidates: &[DetectedFace],
) {
    let candidates: Vec<_> = candidates.iter().map(|face| (*face, None)).collect();
    add(
        buffer,
        CANDIDATE_TYPE,
        frame_width,
        frame_height,
        &candidates,
    );
}

/// Adds a region of interest with its `detection` and `object_id` for each of `tracked`, as [`add_detected`] does.
pub fn add_tracked(
    buffer: &mut gst::BufferRef,
    frame_width: u32,
    frame_height: u32,
    tracked: &[TrackedFace],
) -> Vec<Option<i32>> {
    let faces: Vec<_> = tracked
        .iter()
        .map(|face| (face.to_detected(), Some(face)))
        .collect();
    add(buffer, ROI_TYPE, frame_width, frame_height, &faces)
}

fn add(
    buffer: &mut gst::BufferRef,
    roi_type: &str,
    frame_width: u32,
    frame_height: u32,
    faces: &[(DetectedFace, Option<&TrackedFace>)],
) -> Vec<Option<i32>> {
    let frame = Region::new(0.0, 0.0, frame_width as f32, frame_height as f32);
    let mut ids = FreeIds::of(buffer);
    let mut params = Vec::with_capacity(faces.len());
    let time = |time| gst::ClockTime::try_from(time).unwrap_or(gst::ClockTime::MAX);
    let added: Vec<_> = faces
        .iter()
        .map(|(face, track)| {
            let face = face.within([frame_width as usize, frame_height as usize])?;
            let (x, y) = (face.x.cast_unsigned(), face.y.cast_unsigned());
            let (width, height) = (face.width, face.height);
            let mut param = Structure::builder(DETECTION)
                .field("label_id", 0)
                .field("confidence", face.confidence)
                .field("label", "face")
                .field_if_some("age", track.map(|track| time(track.age)))
                .field_if_some("lost", track.map(|track| time(track.lost)))
                .build();
            set_limits(
                &mut param,
                (x, y, width, height),
                (frame_width, frame_height),
            );
            let object_id =
                track.map(|track| Structure::builder(OBJECT_ID).field("id", track.id).build());
            let landmarks = (face.landmarks)
                .map(|landmarks| landmarks_to_structure(&landmarks.to_fractions(&frame)));

            let id = ids.take();
            let mut roi = VideoRegionOfInterestMeta::add(buffer, roi_type, (x, y, width, height));
            roi.set_id(id);
            for param in [Some(param), object_id, landmarks].into_iter().flatten() {
                roi.add_param(param.clone());
                params.push((id, param));
            }
            Some(id)
        })
        .collect();
    #[cfg(feature = "v1_24")]
    if roi_type == ROI_TYPE {
        params.extend(super::objects::add_objects(buffer, faces, &added));
    }
    store_following(buffer, params);
    added
}

/// Gives every region of type `roi_type` an id of its own in the frame.
///
/// Elements without ids, such as GStreamer's OpenCV `facedetect`, leave 0 on every region. Regions with an id other than
/// 0 keep it, unless an earlier region has the same.
pub fn assign_ids(buffer: &mut gst::BufferRef, roi_type: &str) {
    let mut free = FreeIds::of(buffer);
    let mut seen = BTreeSet::from([0]);
    for mut roi in buffer.iter_meta_mut::<VideoRegionOfInterestMeta>() {
        if !seen.insert(roi.id()) && foreign::roi_type(&roi) == Some(roi_type) {
            let id = free.take();
            roi.set_id(id);
            seen.insert(id);
        }
    }
}

/// Writes the emotion of the region with the id `roi_id`, in place of an earlier one.
///
/// Returns whether `buffer` has that region. For several faces, [`set_emotions`] is cheaper.
pub fn set_emotion(buffer: &mut gst::BufferRef, roi_id: i32, emotion: &EmotionResult) -> bool {
    set_emotions(buffer, [(roi_id, emotion)]) == 1
}

/// Writes the emotions of the regions with the given ids, in place of earlier ones, and returns how many of these
/// regions `buffer` has; ids without a region are ignored.
pub fn set_emotions<'a>(
    buffer: &mut gst::BufferRef,
    emotions: impl IntoIterator<Item = (i32, &'a EmotionResult)>,
) -> usize {
    let emotions: Vec<_> = emotions.into_iter().collect();
    let params = emotions.iter();
    let params = params.map(|(id, emotion)| (*id, emotion_to_structure(emotion)));
    let count = set_params(buffer, params.collect());
    #[cfg(feature = "v1_24")]
    super::objects::set_emotions(buffer, &emotions);
    count
}

/// Writes the track of the region with the id `roi_id`, in place of an earlier one.
///
/// Returns whether `buffer` has that region.
pub fn set_object_id(buffer: &mut gst::BufferRef, roi_id: i32, object_id: i32) -> bool {
    let param = Structure::builder(OBJECT_ID).field("id", object_id).build();
    let is_set = set_params(buffer, vec![(roi_id, param)]) == 1;
    #[cfg(feature = "v1_24")]
    super::objects::set_track(buffer, roi_id, object_id);
    is_set
}

/// Sets each param on the region with its id and in the custom meta, and returns how many of the regions exist.
fn set_params(buffer: &mut gst::BufferRef, params: Vec<(i32, Structure)>) -> usize {
    let mut params: HashMap<i32, Structure> = params.into_iter().collect();
    remove_params(buffer, &params);
    let mut set = Vec::with_capacity(params.len());
    for mut roi in buffer.iter_meta_mut::<VideoRegionOfInterestMeta>() {
        let id = roi.id();
        if let Some(param) = params.remove(&id) {
            roi.add_param(param.clone());
            set.push((id, param));
        }
    }
    let count = set.len();
    store_following(buffer, set);
    count
}

/// Removes the params that `params` replace.
///
/// GStreamer can only add params, and readers take the first of a name, so all regions are made anew, in their order. Only
/// regions without a type stay where they are.
fn remove_params(buffer: &mut gst::BufferRef, params: &HashMap<i32, Structure>) {
    let is_outdated = |roi: &VideoRegionOfInterestMeta, old: &StructureRef| {
        params
            .get(&roi.id())
            .is_some_and(|new| new.name() == old.name())
    };
    let regions = || buffer.iter_meta::<VideoRegionOfInterestMeta>();
    if !regions().any(|roi| roi.params().any(|param| is_outdated(&roi, param))) {
        return;
    }

    let kept: Vec<StoredRegion> = regions()
        .filter_map(|roi| {
            Some(StoredRegion {
                roi_type: foreign::roi_type(&roi)?,
                rect: roi.rect(),
                id: roi.id(),
                parent_id: roi.parent_id(),
                params: roi
                    .params()
                    .filter(|param| !is_outdated(&roi, param))
                    .map(ToOwned::to_owned)
                    .collect(),
            })
        })
        .collect();
    buffer.foreach_meta_mut(|mut meta| {
        let region = meta.downcast_ref::<VideoRegionOfInterestMeta>();
        let is_kept = region.is_none_or(|roi| foreign::roi_type(roi).is_none());
        ControlFlow::Continue(if is_kept {
            BufferMetaForeachAction::Keep
        } else {
            BufferMetaForeachAction::Remove
        })
    });
    for region in kept {
        let mut roi = VideoRegionOfInterestMeta::add(buffer, region.roi_type, region.rect);
        roi.set_id(region.id);
        roi.set_parent_id(region.parent_id);
        region
            .params
            .into_iter()
            .for_each(|param| roi.add_param(param));
    }
}

struct StoredRegion {
    roi_type: &'static str,
    rect: (u32, u32, u32, u32),
    id: i32,
    parent_id: i32,
    params: Vec<Structure>,
}
