//! Reads objects and what is related to them.

use gst::glib::translate::IntoGlib;
use gst_analytics::prelude::*;
use gst_analytics::{
    AnalyticsClassificationMtd, AnalyticsODMtd, AnalyticsRelationMeta, AnalyticsTrackingMtd,
};

use super::object::{AnalyticsObject, ObjectDetails};
use super::{emotion_classes, raw};
use crate::foreign;

/// The objects on `buffer`, in the order in which they were added; those without type or area are left out.
pub(crate) fn objects(buffer: &gst::BufferRef) -> Vec<AnalyticsObject> {
    let Some(meta) = buffer.meta::<AnalyticsRelationMeta>() else {
        return Vec::new();
    };
    meta.iter::<AnalyticsODMtd>()
        .filter_map(|object| {
            let object_type = foreign::quark_text(object.obj_type()?.into_glib())?;
            let location = object.location().ok()?;
            let side = |side| u32::try_from(side).ok().filter(|side| *side > 0);
            let confidence = f64::from(location.loc_conf_lvl);
            Some(AnalyticsObject {
                id: object.id(),
                object_type,
                x: location.x,
                y: location.y,
                width: side(location.w)?,
                height: side(location.h)?,
                confidence: confidence.is_finite().then_some(confidence),
            })
        })
        .collect()
}

/// What is related to each of the objects with these indices, in whichever direction.
///
/// The time grows with the number of objects times that of their details.
pub(crate) fn details(buffer: &gst::BufferRef, objects: &[u32]) -> Vec<ObjectDetails> {
    let Some(meta) = buffer.meta::<AnalyticsRelationMeta>() else {
        return vec![ObjectDetails::default(); objects.len()];
    };
    let tracks: Vec<u32> = meta
        .iter::<AnalyticsTrackingMtd>()
        .map(|track| track.id())
        .collect();
    let emotions: Vec<_> = meta
        .iter::<AnalyticsClassificationMtd>()
        .filter_map(|classes| {
            let classes = (classes.id(), raw::classes(&meta, classes.id())?);
            Some((classes.0, emotion_classes::from_classes(&classes.1)?))
        })
        .collect();
    let are_related = |a, b| !meta.relation(a, b).is_empty() || !meta.relation(b, a).is_empty();
    objects
        .iter()
        .map(|&object| ObjectDetails {
            track: tracks
                .iter()
                .find(|track| are_related(object, **track))
                .and_then(|track| raw::track(&meta, *track)),
            emotion: emotions
                .iter()
                .find(|(classes, _)| are_related(object, *classes))
                .cloned(),
        })
        .collect()
}
