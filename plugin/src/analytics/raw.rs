//! What the bindings cannot do: read times that are none and classes without a name, and change an entry and go on.

use gst::glib;
use gst::glib::translate::from_glib;
use gst_analytics::{AnalyticsRelationMeta, ffi};

use super::object::ObjectTrack;
use crate::foreign;

/// The track with the index `id`, which must be that of a tracking entry of `meta`.
pub(super) fn track(meta: &AnalyticsRelationMeta, id: u32) -> Option<ObjectTrack> {
    let (mut track_id, mut first_seen, mut last_seen) = (0, u64::MAX, u64::MAX);
    let mut is_lost = glib::ffi::GFALSE;
    // SAFETY: the entry belongs to `meta`, which is borrowed meanwhile, and the function only reads it.
    let found = unsafe {
        let entry = ffi::GstAnalyticsTrackingMtd {
            id,
            meta: meta.as_mut_ptr(),
        };
        ffi::gst_analytics_tracking_mtd_get_info(
            &raw const entry,
            &raw mut track_id,
            &raw mut first_seen,
            &raw mut last_seen,
            &raw mut is_lost,
        )
    };
    let time =
        |nanoseconds| (nanoseconds != u64::MAX).then(|| gst::ClockTime::from_nseconds(nanoseconds));
    (found != glib::ffi::GFALSE).then(|| ObjectTrack {
        id: track_id,
        first_seen: time(first_seen),
        last_seen: time(last_seen),
        // SAFETY: any number is a truth value.
        is_lost: unsafe { from_glib(is_lost) },
    })
}

/// Writes what a new tracking entry of `meta` does not have yet; `id` must be its index.
pub(super) fn complete_track(meta: &mut AnalyticsRelationMeta, id: u32, track: ObjectTrack) {
    // SAFETY: the entry belongs to `meta`, which is borrowed for writing meanwhile.
    unsafe {
        let mut entry = ffi::GstAnalyticsTrackingMtd {
            id,
            meta: meta.as_mut_ptr(),
        };
        if let Some(last_seen) = track.last_seen {
            ffi::gst_analytics_tracking_mtd_update_last_seen(&raw mut entry, last_seen.nseconds());
        }
        if track.is_lost {
            ffi::gst_analytics_tracking_mtd_set_lost(&raw mut entry);
        }
    }
}

/// The classes of the classification with the index `id`, which must be that of a classification of `meta`; none if one of them
/// has no name or no finite level.
pub(super) fn classes(meta: &AnalyticsRelationMeta, id: u32) -> Option<Vec<(&'static str, f64)>> {
    // SAFETY: the entry belongs to `meta`, which is borrowed meanwhile, and the functions only read it. The index is below
    // the length.
    unsafe {
        let entry = ffi::GstAnalyticsClsMtd {
            id,
            meta: meta.as_mut_ptr(),
        };
        let count = ffi::gst_analytics_cls_mtd_get_length(&raw const entry);
        (0..count)
            .map(|index| {
                let quark = ffi::gst_analytics_cls_mtd_get_quark(&raw const entry, index);
                let level = ffi::gst_analytics_cls_mtd_get_level(&raw const entry, index);
                let name = foreign::quark_text(quark)?;
                level.is_finite().then_some((name, f64::from(level)))
            })
            .collect()
    }
}
