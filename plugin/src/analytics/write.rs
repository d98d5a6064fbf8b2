//! Writes objects and what is related to them.

use emotion_analysis::EmotionResult;
use gst::glib;
use gst::meta::Standalone;
use gst_analytics::prelude::*;
use gst_analytics::{
    AnalyticsRelationMeta, AnalyticsRelationMetaInitParams, AnalyticsTrackingMtd, RelTypes,
};

use super::object::ObjectTrack;
use super::{emotion_classes, raw};

/// The entries of a face: object, track and classification.
const ENTRIES_PER_OBJECT: usize = 3;

/// Bytes that the entries of a face with seven emotions take.
const BYTES_PER_OBJECT: usize = 320;

type RelationMeta<'a> = gst::MetaRefMut<'a, AnalyticsRelationMeta, Standalone>;

/// An object to be added.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewObject<'a> {
    /// What it is, such as `face`.
    pub(crate) object_type: &'a str,
    /// Left and upper edge, width and height, in pixels.
    pub(crate) rect: (i32, i32, u32, u32),
    /// Confidence, 0 to 1.
    pub(crate) confidence: f64,
    /// Its track, if it is tracked.
    pub(crate) track: Option<ObjectTrack>,
}

/// Adds the objects with their tracks, and returns their indices in the metadata.
///
/// Without objects, the empty metadata says that the picture was searched: elements that draw what the last one said stop
/// drawing it.
pub(crate) fn add_objects(
    buffer: &mut gst::BufferRef,
    objects: &[NewObject<'_>],
) -> Vec<Option<u32>> {
    // A larger matrix of relations is made anew with each few entries, so that the final size should be known.
    let entries = (ENTRIES_PER_OBJECT * objects.len()).max(5);
    let bytes = (BYTES_PER_OBJECT * objects.len()).max(1024);
    let params = AnalyticsRelationMetaInitParams::new(entries, bytes);
    let mut meta = AnalyticsRelationMeta::add_full(buffer, &params);
    objects
        .iter()
        .map(|object| {
            let (x, y, width, height) = object.rect;
            let side = |side| i32::try_from(side).unwrap_or(i32::MAX);
            let object_type = glib::Quark::from_str(object.object_type);
            let (width, height) = (side(width), side(height));
            let confidence = object.confidence as f32;
            let added = meta.add_od_mtd(object_type, x, y, width, height, confidence);
            let id = added.ok()?.id();
            if let Some(track) = object.track {
                add_track(&mut meta, id, track);
            }
            Some(id)
        })
        .collect()
}

/// Relates a track to the object, in place of an earlier one.
pub(crate) fn set_track(buffer: &mut gst::BufferRef, object: u32, track: ObjectTrack) {
    let outdated: Vec<u32> = buffer
        .meta::<AnalyticsRelationMeta>()
        .map(|meta| {
            let tracks = meta.iter::<AnalyticsTrackingMtd>();
            tracks.map(|track| track.id()).collect()
        })
        .unwrap_or_default();
    if let Some(mut meta) = buffer.meta_mut::<AnalyticsRelationMeta>() {
        for track in outdated {
            relate(&mut meta, RelTypes::NONE, object, track);
        }
        add_track(&mut meta, object, track);
    }
}

/// Relates the classification of an emotion to the object, in place of the one with the index `outdated`, and returns the new
/// index.
pub(crate) fn set_emotion(
    buffer: &mut gst::BufferRef,
    object: u32,
    outdated: Option<u32>,
    emotion: &EmotionResult,
) -> Option<u32> {
    let mut meta = buffer.meta_mut::<AnalyticsRelationMeta>()?;
    if let Some(outdated) = outdated.filter(|id| (*id as usize) < meta.len()) {
        relate(&mut meta, RelTypes::NONE, object, outdated);
    }
    let (labels, levels): (Vec<_>, Vec<_>) = emotion_classes::to_classes(emotion)
        .into_iter()
        .map(|(label, level)| (glib::Quark::from_str(label), level))
        .unzip();
    let classes = meta.add_cls_mtd(&levels, &labels).ok()?.id();
    relate(&mut meta, RelTypes::RELATE_TO, object, classes);
    Some(classes)
}

fn add_track(meta: &mut RelationMeta<'_>, object: u32, track: ObjectTrack) {
    // A track without times has begun with the stream.
    let first_seen = track.first_seen.unwrap_or(gst::ClockTime::ZERO);
    let Ok(added) = meta.add_tracking_mtd(track.id, first_seen) else {
        return;
    };
    let id = added.id();
    raw::complete_track(meta, id, track);
    relate(meta, RelTypes::RELATE_TO, object, id);
}

fn relate(meta: &mut RelationMeta<'_>, relation: RelTypes, object: u32, other: u32) {
    for (from, to) in [(object, other), (other, object)] {
        // It fails for indices that the metadata does not have.
        let _ = meta.set_relation(relation, from, to);
    }
}
