//! Caps negotiation: whether downstream draws the overlay.
//!
//! Caps with the feature `meta:GstVideoOverlayComposition` say that buffers carry an overlay for a sink to draw.

use gst::prelude::*;
use gst_video::{
    CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION as OVERLAY, VideoOverlayCompositionMeta,
};

/// Whether downstream of `srcpad` draws overlays on buffers with these caps, which must have the overlay feature.
///
/// Transforms answer the allocation query only after they have received caps, so `srcpad` sends them. Caps alone do not
/// tell: some elements let all caps pass but draw no overlay (fakesink, appsink, filesink).
pub(super) fn downstream_draws(srcpad: &gst::Pad, caps: &gst::Caps) -> bool {
    if srcpad.peer_query_caps(Some(caps)).is_empty()
        || !srcpad.push_event(gst::event::Caps::new(caps))
    {
        return false;
    }
    let mut query = gst::query::Allocation::new(Some(caps), false);
    srcpad.peer_query(&mut query)
        && query
            .find_allocation_meta::<VideoOverlayCompositionMeta>()
            .is_some()
}

/// Answers a caps query of `pad` with what the peer of `other`, the element's pad on the other side, allows.
pub(super) fn answer(query: &mut gst::query::Caps, pad: &gst::Pad, other: &gst::Pad) {
    use gst::CapsIntersectMode::First;

    type Conversion = fn(gst::Caps) -> gst::Caps;

    let (to_other, from_other): (Conversion, Conversion) = match pad.direction() {
        gst::PadDirection::Sink => (src_caps, sink_caps),
        _ => (sink_caps, src_caps),
    };
    let filter = query.filter_owned().map(to_other);
    let caps = from_other(other.peer_query_caps(filter.as_ref()));
    let caps = caps.intersect_with_mode(&pad.pad_template_caps(), First);
    let caps = match query.filter() {
        Some(filter) => filter.intersect_with_mode(&caps, First),
        None => caps,
    };
    query.set_result(&caps);
}

/// Whether buffers with these caps may carry overlays.
pub(super) fn has_overlay(caps: &gst::CapsRef) -> bool {
    caps.features(0)
        .is_some_and(|features| features.contains(OVERLAY))
}

/// The caps of the same pictures with an overlay on them.
pub(super) fn with_overlay(caps: &gst::CapsRef) -> gst::Caps {
    mapped(caps, |features| {
        if !features.contains(OVERLAY) {
            features.add(OVERLAY);
        }
    })
}

/// The caps of the same pictures without an overlay on them.
fn without_overlay(caps: &gst::CapsRef) -> gst::Caps {
    mapped(caps, |features| features.remove(OVERLAY))
}

fn mapped(caps: &gst::CapsRef, change: impl Fn(&mut gst::CapsFeaturesRef)) -> gst::Caps {
    let mut mapped = caps.to_owned();
    for i in 0..mapped.size() {
        let features = mapped.make_mut().features_mut(i);
        if let Some(features) = features.filter(|features| !features.is_any()) {
            change(features);
        }
    }
    mapped
}

/// The caps that the sink pad accepts when downstream accepts `downstream`: where downstream draws an overlay, this element
/// may add it to pictures that come without one.
pub(super) fn sink_caps(downstream: gst::Caps) -> gst::Caps {
    let bare = without_overlay(&downstream);
    merged(downstream, bare)
}

/// The caps that the source pad may have when upstream has `upstream`.
pub(super) fn src_caps(upstream: gst::Caps) -> gst::Caps {
    let overlaid = with_overlay(&upstream);
    merged(overlaid, upstream)
}

fn merged(mut first: gst::Caps, second: gst::Caps) -> gst::Caps {
    first.merge(second);
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    fn caps(text: &str) -> gst::Caps {
        gst::init().unwrap();
        gst::Caps::from_str(text).unwrap()
    }

    const BARE: &str = "video/x-raw, format=NV12";
    const OVERLAID: &str =
        "video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition), format=NV12";

    #[test]
    fn what_downstream_draws_may_arrive_with_and_without_overlay() {
        let accepted = sink_caps(caps(OVERLAID));
        assert!(caps(BARE).is_subset(&accepted));
        assert!(caps(OVERLAID).is_subset(&accepted));
    }

    #[test]
    fn an_overlay_is_refused_when_downstream_draws_none() {
        let accepted = sink_caps(caps(BARE));
        assert!(caps(BARE).is_subset(&accepted));
        assert!(!caps(OVERLAID).can_intersect(&accepted));
    }

    #[test]
    fn an_overlay_may_be_added_but_not_taken_away() {
        assert!(caps(OVERLAID).is_subset(&src_caps(caps(BARE))));
        assert!(!caps(BARE).can_intersect(&src_caps(caps(OVERLAID))));
    }

    #[test]
    fn caps_with_any_features_stay_as_they_are() {
        let any = caps("video/x-raw(ANY), format=NV12");
        assert_eq!(with_overlay(&any), any);
        assert_eq!(without_overlay(&any), any);
    }
}
