//! Which object of GStreamer's analytics metadata is the face of a region.

use std::collections::HashMap;

use gst::{Structure, StructureRef};

use super::stored::StoredFaces;

/// The param of the custom meta that holds the link. Its fields are indices in the analytics metadata of the buffer.
const ANALYTICS: &str = "analytics";
const OBJECT: &str = "object";
const CLASSES: &str = "classes";

/// The object of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ObjectLink {
    pub(super) object: u32,
    /// The classification with the region's emotion.
    pub(super) classes: Option<u32>,
}

impl ObjectLink {
    fn from_structure(structure: &StructureRef) -> Option<Self> {
        Some(Self {
            object: structure.get(OBJECT).ok()?,
            classes: structure.get(CLASSES).ok(),
        })
    }

    pub(super) fn to_structure(self) -> Structure {
        Structure::builder(ANALYTICS)
            .field(OBJECT, self.object)
            .field_if_some(CLASSES, self.classes)
            .build()
    }
}

/// The objects of regions by the regions' ids.
pub(super) fn links(buffer: &gst::BufferRef) -> HashMap<i32, ObjectLink> {
    let stored = StoredFaces::of(buffer);
    let faces = stored.by_id().into_iter();
    faces
        .filter_map(|(id, face)| {
            let link: &StructureRef = face.get(ANALYTICS).ok()?;
            Some((id, ObjectLink::from_structure(link)?))
        })
        .collect()
}
