//! Reads faces from the metadata of a buffer.

use gst::StructureRef;
use gst_video::VideoRegionOfInterestMeta;

use super::stored::StoredFaces;
use super::structures::{DETECTION, EMOTION, OBJECT_ID, emotion_from_structure};
use super::types::{Detection, Face, ROI_TYPE};

/// The faces on `buffer`, in the order in which they were added.
pub fn faces(buffer: &gst::BufferRef) -> Vec<Face> {
    regions(buffer, ROI_TYPE)
}

/// The regions of interest on `buffer` whose type is `roi_type`, in the order in which they were added.
pub fn regions(buffer: &gst::BufferRef, roi_type: &str) -> Vec<Face> {
    let stored = StoredFaces::of(buffer);
    buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .filter(|roi| roi.roi_type() == roi_type)
        .map(|roi| {
            // The fields of the meta are unsigned. An element that moves a region over the left or upper border
            // without clamping it leaves the two's complement of a small negative number there.
            let (x, y, width, height) = roi.rect();
            let stored = stored.find(roi.id());
            Face {
                roi_id: roi.id(),
                x: x.cast_signed(),
                y: y.cast_signed(),
                width,
                height,
                detection: read(&roi, stored, DETECTION, Detection::from_structure),
                object_id: read(&roi, stored, OBJECT_ID, |s| s.get("id").ok()),
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
