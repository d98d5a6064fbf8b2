//! The chain of elements that turns a decoded frame upright and analyses it.

use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use gst::prelude::*;
use gst_video::VideoOrientationMethod;

use super::config::{Config, EMOTIONCLASSIFY, FACEDETECT, SourceSettings, make_element};
use super::element_chain::ElementChain;
use super::mask::PictureMask;
use super::orientation::Orientation;
use super::zones::make_zone_counter;

/// What has to be done to the frames of a stream before they are analysed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct FrameLayout {
    orientation: Orientation,
    is_interlaced: bool,
}

impl FrameLayout {
    /// For a frame with `caps` of a stream that asks to be turned by `tag`. The settings of `source` take precedence.
    pub(super) fn new(
        source: &SourceSettings,
        tag: Option<VideoOrientationMethod>,
        caps: &gst::Caps,
    ) -> Self {
        let orientation = match (source.quarter_turns, tag) {
            (Some(quarter_turns), _) => Orientation::turned(quarter_turns),
            (None, Some(tag)) => Orientation::from_method(tag),
            (None, None) => Orientation::default(),
        };
        let mode = caps
            .structure(0)
            .and_then(|caps| caps.get::<&str>("interlace-mode").ok());
        Self {
            orientation: match source.mirror {
                true => orientation.mirrored(),
                false => orientation,
            },
            is_interlaced: source.deinterlace
                && matches!(mode, Some("interleaved" | "mixed" | "fields")),
        }
    }
}

/// Starts the chain for frames of `source` that have this layout.
pub(super) fn start(
    config: &Config,
    source: &SourceSettings,
    layout: FrameLayout,
) -> anyhow::Result<ElementChain> {
    // Passes formats through that the next element accepts.
    let mut elements = vec![gst::ElementFactory::make("videoconvert").build()?];
    if !source.masks.is_empty() {
        let caps = gst::Caps::builder("video/x-raw")
            .field("format", "I420")
            .build();
        elements.push(
            gst::ElementFactory::make("capsfilter")
                .property("caps", caps)
                .build()?,
        );
    }
    if layout.is_interlaced {
        // Only the newest frames come here, so that no method fits that needs the frames around one.
        elements.push(
            gst::ElementFactory::make("deinterlace")
                .property_from_str("method", "linear")
                .property_from_str("fields", "top")
                .build()
                .context("deinterlace comes with gstreamer1.0-plugins-good")?,
        );
    }
    if let Some(direction) = layout.orientation.direction() {
        let flip = gst::ElementFactory::make("videoflip")
            .build()
            .context("videoflip comes with gstreamer1.0-plugins-good")?;
        // While it is built, another property with the same meaning would take precedence.
        flip.set_property_from_str("video-direction", direction);
        elements.push(flip);
    }
    if !source.masks.is_empty() {
        let upright = elements
            .last()
            .and_then(|element| element.static_pad("src"));
        mask(&upright.context("an element has no pad src")?, source);
    }
    elements.push(make_element(FACEDETECT, &[&config.detect, &source.detect])?);
    elements.push(make_element(
        EMOTIONCLASSIFY,
        &[&config.classify, &source.classify],
    )?);
    if !source.zones.is_empty() {
        let times = source.zone_times.or(config.zones);
        elements.push(make_zone_counter(&source.zones, times)?);
    }
    ElementChain::new(&elements).with_context(|| source.name.clone())
}

/// Blackens the masks of `source` in the frames that pass `pad`.
fn mask(pad: &gst::Pad, source: &SourceSettings) {
    let mask = Mutex::new(PictureMask::new(&source.masks));
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let (Some(buffer), Some(caps)) = (info.buffer_mut(), pad.current_caps()) else {
            return gst::PadProbeReturn::Drop;
        };
        let mut mask = mask.lock().unwrap_or_else(PoisonError::into_inner);
        match mask.apply(buffer.make_mut(), &caps) {
            Ok(()) => gst::PadProbeReturn::Ok,
            // What cannot be masked is not shown.
            Err(_) => gst::PadProbeReturn::Drop,
        }
    });
}
