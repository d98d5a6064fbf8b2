//! The custom meta that holds the structures of all faces of a frame a second time.

use std::collections::HashMap;
use std::sync::Once;

use gst::meta::CustomMeta;
use gst::{Structure, StructureRef};

pub(super) const META_NAME: &str = "GstEmotionFaceMeta";
/// The field that marks a frame: the aspect of the picture that the detector has seen, or of what became of it.
pub(super) const ASPECT: &str = "detected-aspect";

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

    /// The structure of the meta, if there is one.
    pub(super) fn structure(&self) -> Option<&StructureRef> {
        self.0.as_ref().map(|meta| meta.structure())
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

    /// The faces by the ids of their regions; the first one of an id.
    pub(super) fn by_id(&self) -> HashMap<i32, &StructureRef> {
        let mut faces = HashMap::new();
        for (id, face) in self.iter() {
            faces.entry(id).or_insert(face);
        }
        faces
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
    let mut places = HashMap::new();
    for (place, (id, _)) in faces.iter().enumerate() {
        places.entry(*id).or_insert(place);
    }
    for (roi_id, param) in params {
        let place = *places.entry(roi_id).or_insert_with(|| {
            let face = Structure::builder("face").field("roi_id", roi_id);
            faces.push((roi_id, face.build()));
            faces.len() - 1
        });
        let name = param.name().to_owned();
        faces[place].1.set(name, param);
    }
    replace(buffer, faces.into_iter().map(|(_, face)| face));
}

/// Replaces the faces in the custom meta.
pub(super) fn replace(buffer: &mut gst::BufferRef, faces: impl IntoIterator<Item = Structure>) {
    let faces = gst::Array::new(faces);
    structure_mut(buffer, |structure| structure.set("faces", faces));
}

/// Changes the structure of the custom meta, which is added where it is missing. Who has added regions or the meta calls
/// [`follow`](super::picture_change::follow) then.
pub(super) fn structure_mut(buffer: &mut gst::BufferRef, change: impl FnOnce(&mut StructureRef)) {
    register_meta();
    let mut meta = match CustomMeta::from_mut_buffer(buffer, META_NAME) {
        Ok(meta) => Ok(meta),
        Err(_) => CustomMeta::add(buffer, META_NAME),
    }
    .expect("it is registered");
    change(meta.mut_structure());
}
