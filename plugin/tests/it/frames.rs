//! Frames of every kind: pixels that are not square, fields, combinations of caps, changes in a running line, gaps, and
//! pictures that cannot be read.

use crate::common::*;
use gst::prelude::*;
use gst_video::{
    VideoCropMeta, VideoFormat, VideoInfo, VideoInterlaceMode, VideoRegionOfInterestMeta,
};
use gstemotion::face::{Face, Passage, faces};
use gstemotion::luma::FORMATS;

const CHAIN: &str =
    "emotionfacedetect min-size=40 ! emotionclassify model=mini_xception ! emotionoverlay";

fn with_par(format: VideoFormat, size: (u32, u32), par: (i32, i32)) -> VideoInfo {
    init();
    VideoInfo::builder(format, size.0, size.1)
        .par(gst::Fraction::new(par.0, par.1))
        .fps(gst::Fraction::new(25, 1))
        .build()
        .unwrap()
}

/// The portrait with pixels of this shape and number: shown, all of them look the same.
fn anamorphic(size: (u32, u32), par: (i32, i32)) -> (VideoInfo, gst::Buffer) {
    let (from, buffer) = portrait(VideoFormat::Gray8);
    let stored = info(VideoFormat::Gray8, size.0, size.1);
    let buffer = convert(buffer, &from, &stored);
    (with_par(VideoFormat::Gray8, size, par), buffer)
}

/// The only face, in shares of the frame's size.
fn place(found: &[Face], info: &VideoInfo) -> [f64; 4] {
    let [face] = found else { panic!("{found:?}") };
    let (width, height) = (f64::from(info.width()), f64::from(info.height()));
    [
        f64::from(face.x) / width,
        f64::from(face.y) / height,
        f64::from(face.width) / width,
        f64::from(face.height) / height,
    ]
}

#[test]
fn the_shape_of_pixels_counts_and_boxes_stay_in_stored_pixels() {
    init();
    let line = "emotionfacedetect min-size=80 ! emotionclassify threshold=0";
    let mut results = Vec::new();
    for (size, par) in [
        ((512, 512), (1, 1)),
        ((256, 512), (2, 1)),
        ((360, 512), (64, 45)),
        ((512, 256), (1, 2)),
    ] {
        let (info, buffer) = anamorphic(size, par);
        let out = harness(line, &info).push_and_pull(at(buffer, 0)).unwrap();
        let found = faces(&out);
        let emotion = found[0].emotion.clone().unwrap();
        results.push((par, place(&found, &info), emotion.probabilities));
    }
    let (_, place, probabilities) = &results[0];
    for (par, other_place, other) in &results[1..] {
        for (a, b) in place.iter().zip(other_place) {
            assert!(
                (a - b).abs() < 0.03,
                "{par:?}: {other_place:?}, expected {place:?}"
            );
        }
        for (a, b) in probabilities.iter().zip(other) {
            assert!(
                (a - b).abs() < 0.2,
                "{par:?}: {other:?}, expected {probabilities:?}"
            );
        }
    }
}

#[test]
fn a_part_of_the_picture_in_pixels_is_one_of_stored_pixels() {
    init();
    let (info, buffer) = anamorphic((256, 512), (2, 1));
    for (region, count) in [("80,40,80,200", 1), ("160,0,90,512", 0)] {
        let line = format!("emotionfacedetect min-size=80 region={region}");
        let out = harness(&line, &info)
            .push_and_pull(at(buffer.clone(), 0))
            .unwrap();
        assert_eq!(faces(&out).len(), count, "{region}");
    }
}

#[test]
fn what_is_drawn_has_the_shape_that_it_has_on_square_pixels() {
    init();
    // How much of each row and column of the shown picture is drawn on.
    let drawn = |size: (u32, u32), par: (i32, i32)| {
        let info = with_par(VideoFormat::Gray8, size, par);
        let mut buffer = gst::Buffer::from_slice(vec![90; info.size()]);
        let (x, y) = (size.0 / 4, size.1 / 4);
        VideoRegionOfInterestMeta::add(buffer.make_mut(), "face", (x, y, 2 * x, 2 * y));
        let line = "emotionclassify threshold=0 ! emotionoverlay bars=all";
        let out = harness(line, &info).push_and_pull(at(buffer, 0)).unwrap();
        let stored = VideoInfo::builder(VideoFormat::Gray8, size.0, size.1)
            .build()
            .unwrap();
        let shown = VideoInfo::builder(VideoFormat::Gray8, 640, 480)
            .build()
            .unwrap();
        bytes(&convert(out, &stored, &shown))
    };
    let square = drawn((640, 480), (1, 1));
    for (size, par) in [
        ((320, 480), (2, 1)),
        ((640, 240), (1, 2)),
        ((480, 480), (4, 3)),
    ] {
        let other = drawn(size, par);
        let differing = square
            .iter()
            .zip(&other)
            .filter(|(a, b)| a.abs_diff(**b) > 100)
            .count();
        let drawn_on = square.iter().filter(|grey| grey.abs_diff(90) > 20).count();
        assert!(
            differing * 5 < drawn_on,
            "{par:?}: {differing} pixels differ of {drawn_on}"
        );
    }
}

/// The upper field of the portrait, as buffers carry it with `interlace-mode=alternate`.
fn field(format: VideoFormat) -> (VideoInfo, gst::Buffer) {
    let (from, buffer) = portrait(format);
    let half = info(format, from.width(), from.height() / 2);
    let rows = convert(buffer, &from, &half);
    let field = VideoInfo::builder(format, from.width(), from.height())
        .interlace_mode(VideoInterlaceMode::Alternate)
        .fps(gst::Fraction::new(25, 1))
        .build()
        .unwrap();
    assert_eq!(field.size(), half.size());
    (field, rows)
}

#[test]
fn faces_are_found_drawn_and_hidden_in_single_fields() {
    init();
    for format in [VideoFormat::I420, VideoFormat::Yuy2, VideoFormat::P01010le] {
        let (info, buffer) = field(format);
        let before = bytes(&buffer);
        let line = "emotionfacedetect min-size=80 ! emotionclassify";
        let out = harness(line, &info).push_and_pull(at(buffer, 0)).unwrap();
        let found = faces(&out);
        assert!(is_the_astronaut(&found[0]), "{format:?}: {found:?}");
        assert!(found[0].emotion.is_some());
        assert_eq!(Passage::of(&out, 1.0), Passage::Intact);

        for overlay in ["emotionoverlay", "emotionoverlay privacy=pixelate"] {
            let after = harness(overlay, &info).push_and_pull(out.copy()).unwrap();
            let after = bytes(&after);
            assert_eq!(after.len(), before.len());
            assert_ne!(after, before, "{format:?}");
            let last_row = before.len() - 8;
            assert_eq!(after[last_row..], before[last_row..], "{format:?}");
        }
    }
}

#[test]
fn frames_of_two_fields_are_read_as_they_lie() {
    init();
    for mode in [VideoInterlaceMode::Interleaved, VideoInterlaceMode::Mixed] {
        let (plain, buffer) = portrait(VideoFormat::I420);
        let info = VideoInfo::builder(VideoFormat::I420, plain.width(), plain.height())
            .interlace_mode(mode)
            .fps(gst::Fraction::new(25, 1))
            .build()
            .unwrap();
        let line = "emotionfacedetect min-size=80 ! emotionclassify ! emotionoverlay privacy=blur";
        let before = bytes(&buffer);
        let out = harness(line, &info).push_and_pull(at(buffer, 0)).unwrap();
        assert!(
            is_the_astronaut(&faces(&out)[0]),
            "{mode:?}: {:?}",
            faces(&out)
        );
        assert_ne!(bytes(&out), before, "{mode:?}");
    }
}

/// Caps of some kind with a frame of noise and one face.
fn some_frame(seed: u64, largest: usize) -> (VideoInfo, gst::Buffer) {
    let mut random = random(seed);
    let format = FORMATS[random(FORMATS.len())];
    let (width, height) = (1 + random(largest), 1 + random(largest));
    let modes = [
        VideoInterlaceMode::Progressive,
        VideoInterlaceMode::Interleaved,
        VideoInterlaceMode::Mixed,
        VideoInterlaceMode::Alternate,
    ];
    let mode = if height > 1 {
        modes[random(4)]
    } else {
        modes[0]
    };
    let pars = [
        (1, 1),
        (16, 15),
        (64, 45),
        (2, 1),
        (1, 2),
        (1, 100),
        (100, 1),
    ];
    let par = pars[random(pars.len())];
    let info = VideoInfo::builder(format, width as u32, height as u32)
        .interlace_mode(mode)
        .par(gst::Fraction::new(par.0, par.1))
        .fps(gst::Fraction::new(random(120) as i32, 1))
        .build()
        .unwrap();
    let noise: Vec<u8> = (0..info.size()).map(|_| random(256) as u8).collect();
    let mut buffer = gst::Buffer::from_mut_slice(noise);
    let (w, h) = (info.width(), info.height());
    VideoRegionOfInterestMeta::add(
        buffer.make_mut(),
        "face",
        (w / 4, h / 4, w / 2 + 1, h / 2 + 1),
    );
    (info, buffer)
}

#[test]
fn two_hundred_combinations_of_caps_pass_every_element() {
    init();
    for seed in 0..200 {
        let (info, buffer) = some_frame(seed, 200);
        let privacy = ["none", "fill", "blur", "pixelate"][seed as usize % 4];
        let line = format!("{CHAIN} bars=all summary=true privacy={privacy}");
        let mut h = harness(&line, &info);
        let bus = gst::Bus::new();
        h.element().unwrap().set_bus(Some(&bus));
        let size = buffer.size();
        if h.push(at(buffer, 0)).is_err() {
            panic!("{seed}, {line}, {info:?}: {}", next_error(&bus));
        }
        let out = h.pull().unwrap();
        assert_eq!(out.size(), size, "{seed}, {info:?}");
        assert!(
            faces(&out).iter().any(|face| face.emotion.is_some()),
            "{seed}, {info:?}"
        );
    }
}

#[test]
fn a_running_line_takes_a_hundred_and_fifty_changes_of_format() {
    init();
    let (first, _) = some_frame(1000, 100);
    let mut h = harness(&format!("{CHAIN} privacy=blur"), &first);
    for seed in 1000..1150 {
        let (info, buffer) = some_frame(seed, 100);
        h.set_src_caps(info.to_caps().unwrap());
        h.push(at(buffer, 40 * (seed - 1000)))
            .unwrap_or_else(|error| panic!("{seed}, {info:?}: {error}"));
        let out = h.pull().unwrap();
        assert!(!faces(&out).is_empty(), "{seed}, {info:?}");
    }
    let (info, buffer) = portrait(VideoFormat::I420);
    h.set_src_caps(info.to_caps().unwrap());
    let out = h.push_and_pull(at(buffer, 40_000)).unwrap();
    assert!(faces(&out).iter().any(is_the_astronaut));
}

#[test]
fn the_sinks_offer_to_crop_is_not_handed_on() {
    init();
    let (info, _) = blank(VideoFormat::I420, 64, 64);
    for element in [
        "emotionfacedetect",
        "emotionclassify",
        "emotionoverlay",
        "emotionpublish location=/dev/null",
        "emotionzones",
    ] {
        let mut h = harness(element, &info);
        h.add_propose_allocation_meta(VideoCropMeta::meta_api(), None);
        h.add_propose_allocation_meta(gst_video::VideoMeta::meta_api(), None);
        let caps = info.to_caps().unwrap();
        let mut query = gst::query::Allocation::new(Some(&caps), false);
        let sink = h.element().unwrap().static_pad("sink").unwrap();
        assert!(sink.query(query.query_mut()));
        assert!(
            query.find_allocation_meta::<VideoCropMeta>().is_none(),
            "{element}"
        );
        assert!(
            query
                .find_allocation_meta::<gst_video::VideoMeta>()
                .is_some(),
            "{element}"
        );
    }
}

#[test]
fn gaps_pass_with_and_without_a_picture() {
    init();
    let (info, buffer) = portrait(VideoFormat::I420);
    let line = format!("{CHAIN} privacy=fill ! emotionpublish location=/dev/null");
    let mut h = harness(&line, &info);
    let mut repeated = at(buffer.clone(), 0);
    repeated.make_mut().set_flags(gst::BufferFlags::GAP);
    let out = h.push_and_pull(repeated).unwrap();
    assert!(out.flags().contains(gst::BufferFlags::GAP));
    assert_eq!(faces(&out).len(), 1, "a videorate repeats pictures as gaps");

    let mut empty = gst::Buffer::new();
    empty.make_mut().set_flags(gst::BufferFlags::GAP);
    let out = h.push_and_pull(at(empty, 40)).unwrap();
    assert_eq!(out.size(), 0);

    let gap = gst::event::Gap::new(
        gst::ClockTime::from_mseconds(80),
        gst::ClockTime::from_mseconds(40),
    );
    assert!(h.push_event(gap));
    let mut events = std::iter::from_fn(|| h.try_pull_event());
    assert!(events.any(|event| event.type_() == gst::EventType::Gap));
    let out = h.push_and_pull(at(buffer, 120)).unwrap();
    assert_eq!(faces(&out).len(), 1);
}

#[test]
fn pictures_that_cannot_be_read_are_an_error_that_names_the_converter() {
    init();
    for element in ["emotionfacedetect", "emotionclassify", "emotionoverlay"] {
        for (caps, converter) in [
            (
                "video/x-bayer,format=bggr,width=64,height=64,framerate=25/1",
                "bayer2rgb",
            ),
            (
                "video/x-raw(memory:DMABuf),format=NV12,width=64,height=64,framerate=25/1",
                "vapostproc",
            ),
            ("image/jpeg,width=64,height=64,framerate=25/1", "jpegdec"),
        ] {
            let line = format!("appsrc name=source format=time ! {element} ! fakesink");
            let pipeline = gst::parse::launch(&line)
                .unwrap()
                .downcast::<gst::Pipeline>()
                .unwrap();
            let source = pipeline.by_name("source").unwrap();
            source.set_property("caps", caps.parse::<gst::Caps>().unwrap());
            let bus = pipeline.bus().unwrap();
            pipeline.set_state(gst::State::Playing).unwrap();
            let buffer = gst::Buffer::with_size(64 * 64).unwrap();
            // The source learns of the refusal later.
            let _ = source.emit_by_name::<gst::FlowReturn>("push-buffer", &[&buffer]);
            let message = bus
                .timed_pop_filtered(gst::ClockTime::from_seconds(60), &[gst::MessageType::Error]);
            let message = message.expect("an error");
            let gst::MessageView::Error(error) = message.view() else {
                unreachable!()
            };
            let text = error.error().to_string();
            assert!(
                text.contains(converter) && text.contains("in front"),
                "{element}: {text}"
            );
            pipeline.set_state(gst::State::Null).unwrap();
        }
    }
}

#[test]
fn no_element_adds_latency() {
    init();
    let (info, _) = blank(VideoFormat::I420, 64, 64);
    let line = format!("{CHAIN} ! emotionpublish location=/dev/null");
    let mut h = harness(&line, &info);
    h.set_upstream_latency(gst::ClockTime::from_mseconds(33));
    assert_eq!(h.query_latency(), Some(gst::ClockTime::from_mseconds(33)));
}
