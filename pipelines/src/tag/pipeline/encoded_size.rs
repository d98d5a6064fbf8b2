//! The size of an annotated video: that of the first frame, made even.
//!
//! A container has one size for a track, and H.264 with 4:2:0 stores even sizes only. A frame of another size is scaled
//! into the first one's, with borders where its aspect ratio differs.

use anyhow::Context as _;
use gst::prelude::*;
use gst_video::VideoInfo;

/// The elements that keep the size.
pub(super) const WORDS: &str =
    "videoconvert ! videoscale name=scaler add-borders=true ! capsfilter name=encoded-size";
pub(super) const SCALER: &str = "scaler";
pub(super) const FILTER: &str = "encoded-size";

/// Has `filter` keep the size of the first frames that reach `scaler`.
pub(super) fn keep(scaler: &gst::Element, filter: &gst::Element) -> anyhow::Result<()> {
    let entry = scaler
        .static_pad("sink")
        .context("videoscale has no sink pad")?;
    let filter = filter.downgrade();
    entry.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let event = info.event();
        let Some(gst::EventView::Caps(caps)) = event.map(|event| event.view()) else {
            return gst::PadProbeReturn::Ok;
        };
        if let (Some(filter), Some(caps)) = (filter.upgrade(), kept(caps.caps())) {
            filter.set_property("caps", caps);
        }
        gst::PadProbeReturn::Remove
    });
    Ok(())
}

fn kept(caps: &gst::CapsRef) -> Option<gst::Caps> {
    let info = VideoInfo::from_caps(caps).ok()?;
    let even = |size: u32| size.next_multiple_of(2).cast_signed();
    let caps = gst::Caps::builder("video/x-raw")
        .field("width", even(info.width()))
        .field("height", even(info.height()))
        .field("pixel-aspect-ratio", info.par());
    Some(caps.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_size_becomes_the_next_even_one() {
        gst::init().unwrap();
        let caps: gst::Caps =
            "video/x-raw,format=I420,width=241,height=180,framerate=25/1,pixel-aspect-ratio=16/15"
                .parse()
                .unwrap();
        let kept = kept(&caps).unwrap().to_string();
        for part in ["width=(int)242", "height=(int)180", "16/15"] {
            assert!(kept.contains(part), "{kept}");
        }
    }
}
