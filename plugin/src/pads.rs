//! The pads of the elements: their caps, what they offer upstream, and what they say about pictures that they cannot read.

use gst::prelude::*;
use gst_video::{VideoCapsBuilder, VideoCropMeta, VideoInterlaceMode};

use crate::luma;

/// The feature of caps whose buffers hold a field each.
const FIELDS: &str = "format:Interlaced";

/// Memory that the processor cannot read as it is, with what brings it into system memory.
const DOWNLOADS: [(&str, &str); 9] = [
    ("memory:DMABuf", "vapostproc ! video/x-raw"),
    ("memory:VAMemory", "vapostproc ! video/x-raw"),
    ("memory:VASurface", "vaapipostproc ! video/x-raw"),
    ("memory:GLMemory", "gldownload"),
    ("memory:D3D11Memory", "d3d11download"),
    ("memory:D3D12Memory", "d3d12download"),
    ("memory:CUDAMemory", "cudadownload"),
    ("memory:NVMM", "nvvideoconvert ! video/x-raw"),
    ("memory:VulkanImage", "vulkandownload"),
];

/// The templates of an always `sink` and an always `src` pad with these caps.
pub(crate) fn templates(sink: &gst::Caps, src: &gst::Caps) -> Vec<gst::PadTemplate> {
    [
        ("sink", gst::PadDirection::Sink, sink),
        ("src", gst::PadDirection::Src, src),
    ]
    .map(|(name, direction, caps)| {
        gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps)
            .expect("the name is not empty, and the caps are valid")
    })
    .into()
}

/// The caps of all pictures whose luma can be read, whole frames and single fields.
pub(crate) fn readable_caps() -> gst::Caps {
    let mut caps = VideoCapsBuilder::new().format_list(luma::FORMATS).build();
    let fields = VideoCapsBuilder::new()
        .features([FIELDS])
        .format_list(luma::FORMATS)
        .field("interlace-mode", VideoInterlaceMode::Alternate.to_str())
        .build();
    caps.merge(fields);
    caps
}

/// Takes `GstVideoCropMeta` out of what downstream offers to upstream: these elements read and draw on whole pictures.
pub(crate) fn withdraw_crop_meta(query: &mut gst::query::Allocation) {
    while let Some(index) = query.find_allocation_meta::<VideoCropMeta>() {
        query.remove_nth_allocation_meta(index);
    }
}

/// Has `element` post an error where caps arrive at its pad `sink` that it cannot read: upstream only says that the
/// negotiation failed.
pub(crate) fn explain_unreadable_caps(element: &impl IsA<gst::Element>) {
    let Some(pad) = element.static_pad("sink") else {
        return;
    };
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, |pad, info| {
        if let Some(gst::EventView::Caps(event)) = info.event().map(|event| event.view())
            && let Some(element) = pad.parent_element()
            && !pad.pad_template_caps().can_intersect(&event.caps_owned())
        {
            let reason = unreadable(event.caps());
            gst::element_error!(element, gst::StreamError::Format, ("{reason}"));
        }
        gst::PadProbeReturn::Ok
    });
}

/// Why the pictures with these caps cannot be read, and what to put in front.
fn unreadable(caps: &gst::CapsRef) -> String {
    let name = caps
        .structure(0)
        .map_or("no caps", |first| first.name().as_str());
    let features = caps.features(0);
    let memory = DOWNLOADS
        .iter()
        .find(|(memory, _)| features.is_some_and(|features| features.contains(*memory)));
    let format = caps
        .structure(0)
        .and_then(|first| first.get::<&str>("format").ok());
    let (found, remedy) = match (memory, name, format) {
        (Some((memory, remedy)), ..) => (format!("{name} in {memory}"), *remedy),
        (_, "video/x-bayer", _) => (name.to_owned(), "bayer2rgb"),
        (_, "image/jpeg", _) => (name.to_owned(), "jpegdec"),
        (_, "video/x-raw", Some(format)) => {
            (format!("{name} in the format {format}"), "videoconvert")
        }
        _ => (name.to_owned(), "decodebin"),
    };
    format!("expected raw video in system memory, found {found}; put {remedy} in front")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    #[test]
    fn each_kind_of_picture_that_cannot_be_read_is_told_its_converter() {
        gst::init().unwrap();
        for (caps, remedy) in [
            ("video/x-bayer, format=bggr", "bayer2rgb"),
            (
                "video/x-raw(memory:DMABuf), format=DMA_DRM",
                "vapostproc ! video/x-raw",
            ),
            ("video/x-raw(memory:GLMemory), format=RGBA", "gldownload"),
            (
                "video/x-raw(memory:NVMM), format=NV12",
                "nvvideoconvert ! video/x-raw",
            ),
            ("video/x-raw, format=RGB8P", "videoconvert"),
            ("image/jpeg", "jpegdec"),
            ("video/x-h264", "decodebin"),
        ] {
            let caps = gst::Caps::from_str(caps).unwrap();
            assert!(!readable_caps().can_intersect(&caps));
            let reason = unreadable(&caps);
            assert!(
                reason.ends_with(&format!("; put {remedy} in front")),
                "{reason}"
            );
        }
    }
}
