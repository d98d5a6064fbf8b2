//! Ids of regions.

use std::collections::BTreeSet;

use gst_video::VideoRegionOfInterestMeta;

use super::stored::StoredFaces;

/// The ids of all regions on a buffer.
pub(super) fn region_ids(buffer: &gst::BufferRef) -> impl Iterator<Item = i32> {
    let regions = buffer.iter_meta::<VideoRegionOfInterestMeta>();
    regions.map(|roi| roi.id())
}

/// Ids from 1 that neither a region nor the custom meta uses: the meta may still hold faces whose region an element
/// has dropped, and a new region must not inherit their emotions.
pub(crate) struct FreeIds {
    used: BTreeSet<i32>,
    next: i32,
}

impl FreeIds {
    pub(crate) fn of(buffer: &gst::BufferRef) -> Self {
        let stored = StoredFaces::of(buffer);
        Self {
            used: region_ids(buffer)
                .chain(stored.iter().map(|(id, _)| id))
                .collect(),
            next: 1,
        }
    }

    pub(crate) fn take(&mut self) -> i32 {
        while self.used.contains(&self.next) {
            self.next += 1;
        }
        self.next += 1;
        self.next - 1
    }
}
