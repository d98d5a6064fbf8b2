//! Ids of new regions.

use std::collections::BTreeSet;

use gst_video::VideoRegionOfInterestMeta;

use super::stored::StoredFaces;

/// Ids from 1 that neither a region nor the custom meta uses: the meta may still hold faces whose region an element
/// has dropped, and a new region must not inherit their emotions.
pub(crate) struct FreeIds {
    used: BTreeSet<i32>,
    next: i32,
}

impl FreeIds {
    pub(crate) fn of(buffer: &gst::BufferRef) -> Self {
        let regions = buffer
            .iter_meta::<VideoRegionOfInterestMeta>()
            .map(|roi| roi.id());
        let stored = StoredFaces::of(buffer);
        Self {
            used: regions.chain(stored.iter().map(|(id, _)| id)).collect(),
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
