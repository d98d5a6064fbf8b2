//! Whether a detector has seen a frame, and whether the picture is still the one that it saw.

use std::collections::HashSet;

use super::picture_change::follow;
use super::region_ids::region_ids;
use super::stored::{ASPECT, StoredFaces, structure_mut};

/// A picture whose sides relate by this much otherwise has got borders, or was stretched.
const ASPECT_TOLERANCE: f64 = 0.05;

/// Marks the frame: the detector of this plugin has searched it, or followed its faces to it. `aspect` is width by height of
/// the picture as it is shown. Faces are added beside that; a frame without one is marked too.
pub fn mark_detected(buffer: &mut gst::BufferRef, aspect: f64) {
    structure_mut(buffer, |structure| structure.set(ASPECT, aspect));
    follow(buffer);
}

/// Whether the detector of this plugin has seen the frame.
#[cfg(feature = "v1_24")]
pub(super) fn is_marked(buffer: &gst::BufferRef) -> bool {
    let stored = StoredFaces::of(buffer);
    (stored.structure()).is_some_and(|structure| structure.has_field(ASPECT))
}

/// What became of a frame on its way from the detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// The regions on it are the faces that the detector found.
    Intact,
    /// No detector of this plugin has seen the frame, or an element has made another picture of it and dropped all metadata.
    Unmarked,
    /// The custom meta names this many faces whose regions are gone: an element has cropped, flipped or otherwise changed the
    /// picture.
    LostRegions(usize),
    /// The picture has other proportions: an element has added borders, or stretched it.
    OtherAspect,
}

impl Passage {
    /// The passage of `buffer`, whose picture is shown with this `aspect`.
    pub fn of(buffer: &gst::BufferRef, aspect: f64) -> Self {
        let lost = lost_regions(buffer);
        if lost > 0 {
            return Self::LostRegions(lost);
        }
        let stored = StoredFaces::of(buffer);
        let mark = stored
            .structure()
            .and_then(|stored| stored.get::<f64>(ASPECT).ok());
        match mark {
            None => Self::Unmarked,
            Some(detected) if (detected / aspect - 1.0).abs() > ASPECT_TOLERANCE => {
                Self::OtherAspect
            }
            Some(_) => Self::Intact,
        }
    }
}

/// A warning about lost regions, the consequence of which for the faces is `consequence`.
pub(crate) fn lost_regions_text(count: usize, consequence: &str) -> String {
    format!(
        "faces have lost their regions ({count} on this frame) and {consequence}: an element behind facedetect crops, flips or otherwise changes \
         the picture; put facedetect behind it"
    )
}

/// The number of faces that the custom meta names and whose regions are gone.
///
/// Up to GStreamer 1.26, elements that crop, flip or add borders drop the regions and hand the custom meta on as if they
/// had copied the picture.
pub fn lost_regions(buffer: &gst::BufferRef) -> usize {
    let stored = StoredFaces::of(buffer);
    if stored.iter().next().is_none() {
        return 0;
    }
    let regions: HashSet<i32> = region_ids(buffer).collect();
    stored
        .iter()
        .filter(|(id, _)| !regions.contains(id))
        .count()
}
