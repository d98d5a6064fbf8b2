//! Reads faces from the metadata of a buffer.

use gst::StructureRef;
use gst_video::VideoRegionOfInterestMeta;

#[cfg(not(feature = "v1_24"))]
use super::face_types::FaceTypes;
use super::stored::StoredFaces;
use super::structures::{
    DETECTION, EMOTION, LANDMARKS, OBJECT_ID, emotion_from_structure, landmarks_from_structure,
};
use super::types::{CANDIDATE_TYPE, Detection, Face, MAX_FACES, ROI_TYPE};
use crate::foreign;

/// The faces on `buffer`, in the order in which they were added.
pub fn faces(buffer: &gst::BufferRef) -> Vec<Face> {
    regions(buffer, ROI_TYPE)
}

/// The faces on `buffer`: without the cargo feature `v1_24` its regions alone, whatever the types.
#[cfg(not(feature = "v1_24"))]
pub fn faces_or_objects(buffer: &gst::BufferRef, _types: &FaceTypes) -> Vec<Face> {
    faces(buffer)
}

/// What the tracker has found on `buffer` and not often enough for it to count as a face.
pub fn candidates(buffer: &gst::BufferRef) -> Vec<Face> {
    regions(buffer, CANDIDATE_TYPE)
}

/// The [`MAX_FACES`] largest of `faces`, in their order. Nobody reads more labels, and the time for them would stop a stream.
pub fn largest(mut faces: Vec<Face>) -> Vec<Face> {
    if faces.len() > MAX_FACES {
        let area = |face: &Face| u64::from(face.width) * u64::from(face.height);
        let mut areas: Vec<u64> = faces.iter().map(area).collect();
        areas.select_nth_unstable_by(MAX_FACES - 1, |a, b| b.cmp(a));
        let least = areas[MAX_FACES - 1];
        let mut of_least = areas[..MAX_FACES]
            .iter()
            .filter(|area| **area == least)
            .count();
        faces.retain(|face| {
            let is_kept = area(face) > least || (area(face) == least && of_least > 0);
            of_least -= usize::from(is_kept && area(face) == least);
            is_kept
        });
    }
    faces
}

/// The regions of interest on `buffer` whose type is `roi_type`, in the order in which they were added.
pub fn regions(buffer: &gst::BufferRef, roi_type: &str) -> Vec<Face> {
    let stored = StoredFaces::of(buffer);
    let stored = stored.by_id();
    buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .filter(|roi| foreign::roi_type(roi) == Some(roi_type))
        .map(|roi| {
            // The fields of the meta are unsigned. An element that moves a region over the left or upper border
            // without clamping it leaves the two's complement of a small negative number there.
            let (x, y, width, height) = roi.rect();
            let stored = stored.get(&roi.id()).copied();
            Face {
                roi_id: roi.id(),
                x: x.cast_signed(),
                y: y.cast_signed(),
                width,
                height,
                detection: read(&roi, stored, DETECTION, Detection::from_structure),
                object_id: read(&roi, stored, OBJECT_ID, |s| s.get("id").ok()),
                landmarks: read(&roi, stored, LANDMARKS, landmarks_from_structure),
                emotion: read(&roi, stored, EMOTION, emotion_from_structure),
            }
        })
        .collect()
}

fn read<T>(
    roi: &VideoRegionOfInterestMeta,
    stored: Option<&StructureRef>,
    name: &str,
    parse: impl Fn(&StructureRef) -> Option<T>,
) -> Option<T> {
    roi.param(name)
        .and_then(&parse)
        .or_else(|| stored?.get::<&StructureRef>(name).ok().and_then(parse))
}
