//! The custom meta that holds the structures of all faces of a frame a second time.

use std::sync::Once;

use gst::meta::CustomMeta;
use gst::{Structure, StructureRef};

pub(super) const META_NAME: &str = "GstEmotionFaceMeta";

/// Makes the custom meta known to GStreamer, once; every function of this module that needs it calls this.
pub(super) fn register_meta() {
    static REGISTER: Once = Once::new();
    REGISTER.call_once(|| {
        if !CustomMeta::is_registered(META_NAME) {
            CustomMeta::register_simple(META_NAME);
        }
    });
}

/// The list in the custom meta of a buffer.
pub(super) struct StoredFaces<'a>(Option<gst::MetaRef<'a, CustomMeta>>);

impl<'a> StoredFaces<'a> {
    pub(super) fn of(buffer: &'a gst::BufferRef) -> Self {
        register_meta();
        Self(CustomMeta::from_buffer(buffer, META_NAME).ok())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (i32, &StructureRef)> {
        self.0
            .iter()
            .filter_map(|meta| meta.structure().get::<gst::ArrayRef<'_>>("faces").ok())
            .flat_map(|faces| faces.as_slice())
            .filter_map(|value| {
                let face = value.get::<&StructureRef>().ok()?;
                Some((face.get("roi_id").ok()?, face))
            })
    }

    pub(super) fn find(&self, roi_id: i32) -> Option<&StructureRef> {
        self.iter()
            .find(|(id, _)| *id == roi_id)
            .map(|(_, face)| face)
    }
}

/// Puts the params into the custom meta, each under its region's id.
pub(super) fn store(buffer: &mut gst::BufferRef, params: Vec<(i32, Structure)>) {
    if params.is_empty() {
        return;
    }
    let mut faces: Vec<(i32, Structure)> = StoredFaces::of(buffer)
        .iter()
        .map(|(id, face)| (id, face.to_owned()))
        .collect();
    for (roi_id, param) in params {
        let name = param.name().to_owned();
        match faces.iter_mut().find(|(id, _)| *id == roi_id) {
            Some((_, face)) => face.set(name, param),
            None => {
                let face = Structure::builder("face")
                    .field("roi_id", roi_id)
                    .field(name, param);
                faces.push((roi_id, face.build()));
            }
        }
    }
    let faces = gst::Array::new(faces.into_iter().map(|(_, face)| face));

    let meta = match CustomMeta::from_mut_buffer(buffer, META_NAME) {
        Ok(meta) => Ok(meta),
        Err(_) => CustomMeta::add(buffer, META_NAME),
    };
    meta.expect("registered by StoredFaces::of")
        .mut_structure()
        .set("faces", faces);
}
