//! The portrait in every format, and an element between two test pads.

use std::sync::Once;

use emotion_tests::picture;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoConverter, VideoFormat, VideoFrame, VideoInfo, VideoOverlayCompositionMeta};
use gstemotion::face::{Face, faces};

/// The feature of caps with an overlay to draw.
pub(crate) const OVERLAY: &str = "meta:GstVideoOverlayComposition";

/// The labels of FER-2013.
pub(crate) const LABELS: [&str; 7] = [
    "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral",
];

pub(crate) fn init() {
    static INIT: Once = Once::new();
    INIT.call_once(|| {
        gst::init().unwrap();
        gstemotion::plugin_register_static().unwrap();
    });
}

pub(crate) fn info(format: VideoFormat, width: u32, height: u32) -> VideoInfo {
    init();
    VideoInfo::builder(format, width, height)
        .fps(gst::Fraction::new(25, 1))
        .build()
        .unwrap()
}

/// The portrait of tests/media, 512×512, in the given format; its face is about at 180–290 × 70–190.
pub(crate) fn portrait(format: VideoFormat) -> (VideoInfo, gst::Buffer) {
    let picture = picture::rgb(&picture::portrait());
    let (width, height) = (picture.width as u32, picture.height as u32);
    let source = info(VideoFormat::Rgb, width, height);
    let target = info(format, width, height);
    let pixels = picture.pixels.into_flattened();
    let buffer = convert(gst::Buffer::from_slice(pixels), &source, &target);
    (target, buffer)
}

/// The picture in another format and size.
pub(crate) fn convert(buffer: gst::Buffer, from: &VideoInfo, to: &VideoInfo) -> gst::Buffer {
    let converter = VideoConverter::new(from, to, None).unwrap();
    let source = VideoFrame::from_buffer_readable(buffer, from).unwrap();
    let buffer = gst::Buffer::with_size(to.size()).unwrap();
    let mut target = VideoFrame::from_buffer_writable(buffer, to).unwrap();
    converter.frame(&source, &mut target);
    target.into_buffer()
}

/// A grey frame with the portrait enlarged to its full height at the left.
pub(crate) fn wide_portrait(width: u32, height: u32) -> (VideoInfo, gst::Buffer) {
    let (from, buffer) = portrait(VideoFormat::Gray8);
    let square = info(VideoFormat::Gray8, height, height);
    let mut pixels = Vec::with_capacity((width * height) as usize);
    for row in bytes(&convert(buffer, &from, &square)).chunks_exact(square.stride()[0] as usize) {
        pixels.extend_from_slice(&row[..height as usize]);
        pixels.resize(pixels.len() + (width - height) as usize, 0);
    }
    (
        info(VideoFormat::Gray8, width, height),
        gst::Buffer::from_slice(pixels),
    )
}

/// A frame of zeros.
pub(crate) fn blank(format: VideoFormat, width: u32, height: u32) -> (VideoInfo, gst::Buffer) {
    let info = info(format, width, height);
    let buffer = gst::Buffer::from_slice(vec![0; info.size()]);
    (info, buffer)
}

/// The buffer with a time stamp of `ms` milliseconds.
pub(crate) fn at(mut buffer: gst::Buffer, ms: u64) -> gst::Buffer {
    buffer.make_mut().set_pts(gst::ClockTime::from_mseconds(ms));
    buffer
}

/// The QoS event of a sink that got the frame at 0 `ms` milliseconds late.
pub(crate) fn late_by(ms: i64) -> gst::Event {
    let jitter = ms * 1_000_000;
    gst::event::Qos::new(gst::QOSType::Underflow, 2.0, jitter, gst::ClockTime::ZERO)
}

/// An element (or a line of elements) between two test pads, playing, ready for frames of `info`.
pub(crate) fn harness(line: &str, info: &VideoInfo) -> Harness {
    init();
    let mut harness = if line.contains('!') {
        Harness::new_parse(line)
    } else {
        let element = gst::parse::launch(line).unwrap();
        Harness::with_element(&element, Some("sink"), Some("src"))
    };
    harness.set_src_caps(info.to_caps().unwrap());
    harness
}

/// The element before a sink that draws overlays itself.
pub(crate) fn harness_with_drawing_sink(line: &str, info: &VideoInfo) -> Harness {
    let mut harness = harness(line, info);
    harness.add_propose_allocation_meta(VideoOverlayCompositionMeta::meta_api(), None);
    let mut caps = info.to_caps().unwrap();
    let features = gst::CapsFeatures::new(["memory:SystemMemory", OVERLAY]);
    caps.make_mut().set_features(0, Some(features));
    harness.set_sink_caps(caps);
    harness.set_src_caps(info.to_caps().unwrap());
    harness
}

pub(crate) fn stat(element: &gst::Element, name: &str) -> u64 {
    element
        .property::<gst::Structure>("stats")
        .get(name)
        .unwrap()
}

/// The error that `element` posts when it is started.
pub(crate) fn error_at_start(element: &gst::Element) -> String {
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    assert!(element.set_state(gst::State::Paused).is_err());
    let error = next_error(&bus);
    element.set_state(gst::State::Null).unwrap();
    error
}

pub(crate) fn next_error(bus: &gst::Bus) -> String {
    let message = bus
        .pop_filtered(&[gst::MessageType::Error])
        .expect("an error message");
    let gst::MessageView::Error(error) = message.view() else {
        unreachable!()
    };
    error.error().to_string()
}

pub(crate) fn next_warning(bus: &gst::Bus) -> String {
    let message = bus
        .pop_filtered(&[gst::MessageType::Warning])
        .expect("a warning");
    let gst::MessageView::Warning(warning) = message.view() else {
        unreachable!()
    };
    warning.error().to_string()
}

pub(crate) fn bytes(buffer: &gst::Buffer) -> Vec<u8> {
    buffer.map_readable().unwrap().to_vec()
}

/// Whether the face is the one of the portrait.
pub(crate) fn is_the_astronaut(face: &Face) -> bool {
    let centre = (
        face.x + face.width as i32 / 2,
        face.y + face.height as i32 / 2,
    );
    (210..260).contains(&centre.0)
        && (100..160).contains(&centre.1)
        && (80..160).contains(&face.width)
}

/// Fails where `line` stops frames too small for a face, or finds one in them.
pub(crate) fn assert_small_frames_pass(line: &str) {
    for (width, height) in [(1, 1), (23, 400), (24, 24), (30, 30)] {
        let (info, buffer) = blank(VideoFormat::I420, width, height);
        let mut h = harness(line, &info);
        assert_eq!(faces(&h.push_and_pull(buffer).unwrap()), []);
    }
}

/// Numbers that depend on the seed alone.
pub(crate) fn random(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below.max(1)
    }
}
