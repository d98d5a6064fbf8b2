//! Caps with and without the feature that says “this picture carries an overlay to be drawn by whoever shows it”.

use gst_video::CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION as OVERLAY;

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
pub(super) fn without_overlay(caps: &gst::CapsRef) -> gst::Caps {
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

/// The caps that the sink pad takes when downstream takes `downstream`: what downstream draws on top of a picture, this
/// element may add to one that has nothing on it yet.
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
