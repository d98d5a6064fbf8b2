//! The caps that a camera is asked for.
//!
//! Left alone, `v4l2src` takes the largest raw mode of a camera, which USB carries at 2 to 10 pictures a second. It reads the
//! first structure of the caps that its peer accepts as a preference. So the sink pad's answer begins with the sizes and
//! rates that suit faces; and because some versions look at the size alone and prefer modes that are at least as large,
//! however slow they are, the very first is the size of the camera's best mode.

use gst::prelude::*;

/// The largest size that is preferred: faces in front of a camera are large enough in it.
const LARGEST: (i32, i32) = (1280, 720);
/// The rates that are preferred, in pictures a second.
const RATES: (i32, i32) = (15, 60);
/// A mode with the rate of one of these, in pictures a second, comes before all that are slower. The first is that of
/// cameras which say 30000/1001.
const STEPS: [f64; 3] = [29.0, 24.0, 15.0];

/// `caps` with the sizes and rates first that suit faces, and before these the size of the best of the camera's `modes`, if it
/// has a list of them.
///
/// Only for who asks what the element accepts without saying what it has: a scaler that has a picture already and asks for it
/// would otherwise reduce it.
pub(super) fn with_preferences(caps: &gst::Caps, modes: &gst::Caps) -> gst::Caps {
    let widths = gst::IntRange::new(1, LARGEST.0).to_send_value();
    let heights = gst::IntRange::new(1, LARGEST.1).to_send_value();
    let preferred = preferring(caps, widths, heights).unwrap_or_else(|| caps.clone());
    let best = best_mode(modes).and_then(|(width, height)| {
        preferring(&preferred, width.to_send_value(), height.to_send_value())
    });
    best.unwrap_or(preferred)
}

/// `caps` after a copy of its first structure with these widths and heights and the preferred rates.
fn preferring(
    caps: &gst::Caps,
    widths: gst::glib::SendValue,
    heights: gst::glib::SendValue,
) -> Option<gst::Caps> {
    let rate = |rate| gst::Fraction::new(rate, 1);
    let mut sizes = gst::Caps::builder("video/x-raw")
        .field(
            "framerate",
            gst::FractionRange::new(rate(RATES.0), rate(RATES.1)),
        )
        .build();
    let structure = sizes.get_mut()?.structure_mut(0)?;
    structure.set_value("width", widths);
    structure.set_value("height", heights);
    let first = gst::Caps::builder_full()
        .structure_with_features(caps.structure(0)?.to_owned(), caps.features(0)?.to_owned())
        .build();
    sizes
        .get_mut()?
        .set_features(0, Some(caps.features(0)?.to_owned()));
    let mut preferred = first.intersect(&sizes);
    if preferred.is_empty() {
        return None;
    }
    preferred.get_mut()?.append(caps.clone());
    Some(preferred)
}

/// Width and height of the best raw mode: of the fastest kind, the largest up to 1280×720. None if no mode of a list is fast
/// enough, or there is no list but ranges.
fn best_mode(modes: &gst::Caps) -> Option<(i32, i32)> {
    if modes.is_any() {
        return None;
    }
    let rank = |structure: &gst::StructureRef| {
        let (width, height): (i32, i32) =
            (structure.get("width").ok()?, structure.get("height").ok()?);
        let is_preferred =
            structure.name() == "video/x-raw" && width <= LARGEST.0 && height <= LARGEST.1;
        let rate = fastest(structure.value("framerate").ok()?)?;
        let step = STEPS
            .iter()
            .position(|step| rate >= *step)
            .filter(|_| is_preferred)?;
        Some((step, std::cmp::Reverse(width * height), width, height))
    };
    let (_, _, width, height) = modes.iter().filter_map(rank).min()?;
    Some((width, height))
}

/// The greatest of the rates in a value, in pictures a second.
fn fastest(rates: &gst::glib::Value) -> Option<f64> {
    let seconds = |rate: gst::Fraction| f64::from(rate.numer()) / f64::from(rate.denom());
    if let Ok(rate) = rates.get::<gst::Fraction>() {
        return Some(seconds(rate));
    }
    if let Ok(range) = rates.get::<gst::FractionRange>() {
        return Some(seconds(range.max()));
    }
    let list = rates.get::<gst::List>().ok()?;
    list.iter()
        .filter_map(|rate| fastest(rate))
        .max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pads;

    fn modes(text: &str) -> gst::Caps {
        gst::init().unwrap();
        text.parse().unwrap()
    }

    #[test]
    fn the_largest_of_the_fastest_modes_is_the_best() {
        let rows = [
            ("video/x-raw,width=1920,height=1080,framerate=30/1", None),
            ("video/x-raw,width=640,height=480,framerate=10/1", None),
            (
                "video/x-raw,width=640,height=480,framerate={10/1,15/1}",
                Some((640, 480)),
            ),
            (
                "video/x-raw,width=640,height=480,framerate=30000/1001;video/x-raw,width=800,height=600,framerate=25/1",
                Some((640, 480)),
            ),
            (
                "video/x-raw,width=640,height=480,framerate=[1/1,60/1];video/x-raw,width=1280,height=720,framerate=30/1",
                Some((1280, 720)),
            ),
            ("image/jpeg,width=1280,height=720,framerate=30/1", None),
            (
                "video/x-raw,width=[1,1280],height=[1,720],framerate=30/1",
                None,
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(best_mode(&modes(text)), expected, "{text}");
        }
        assert_eq!(best_mode(&gst::Caps::new_any()), None);
    }

    #[test]
    fn everything_is_accepted_behind_the_preferences() {
        gst::init().unwrap();
        let readable = pads::readable_caps();
        let caps = with_preferences(&readable, &gst::Caps::new_any());
        let first = caps.structure(0).unwrap();
        let widths = first.get::<gst::IntRange<i32>>("width").unwrap();
        assert_eq!(widths.max(), 1280);
        assert!(readable.is_subset(&caps));

        let best = modes("video/x-raw,format=YUY2,width=640,height=480,framerate=30/1");
        let caps = with_preferences(&readable, &best);
        assert_eq!(caps.structure(0).unwrap().get::<i32>("width"), Ok(640));
        assert!(readable.is_subset(&caps));
    }
}
