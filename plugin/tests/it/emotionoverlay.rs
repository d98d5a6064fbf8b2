//! The element `emotionoverlay`: what it draws, where, and what it leaves unchanged.

use crate::common::*;
use emotion_models::preprocess::Landmarks;
use gst::prelude::*;
use gst_video::{
    VideoFormat, VideoInfo, VideoOverlayComposition, VideoOverlayCompositionMeta,
    VideoOverlayRectangle,
};
use gstemotion::face::{DetectedFace, EmotionResult, add_detected, set_emotion, set_object_id};
use gstemotion::luma::FORMATS;

fn emotion(label_id: usize, confidence: f64) -> EmotionResult {
    let mut probabilities = vec![(1.0 - confidence) / 6.0; 7];
    probabilities[label_id] = confidence;
    EmotionResult {
        label: LABELS[label_id].into(),
        label_id,
        confidence,
        model_name: "test".into(),
        labels: LABELS.map(String::from).to_vec(),
        probabilities,
        ..EmotionResult::default()
    }
}

fn detected(x: i32, y: i32, side: u32) -> DetectedFace {
    DetectedFace {
        x,
        y,
        width: side,
        height: side,
        confidence: 0.9,
        landmarks: None,
    }
}

/// Puts classified faces on the buffer.
fn with_faces(info: &VideoInfo, mut buffer: gst::Buffer, faces: &[DetectedFace]) -> gst::Buffer {
    let buffer_mut = buffer.make_mut();
    let ids = add_detected(buffer_mut, info.width(), info.height(), faces);
    for (i, id) in ids.into_iter().enumerate() {
        if let Some(id) = id {
            set_emotion(
                buffer_mut,
                id,
                &emotion(i % 7, 0.4 + 0.05 * (i % 10) as f64),
            );
        }
    }
    buffer
}

fn drawn(line: &str, info: &VideoInfo, buffer: gst::Buffer) -> gst::Buffer {
    harness(line, info).push_and_pull(buffer).unwrap()
}

/// The picture as rows of RGBA.
fn rgba(buffer: &gst::Buffer, from: &VideoInfo) -> Vec<[u8; 4]> {
    let to = info(VideoFormat::Rgba, from.width(), from.height());
    bytes(&convert(buffer.copy_deep().unwrap(), from, &to))
        .as_chunks()
        .0
        .to_vec()
}

/// The pixels that differ, as x and y.
fn changed(before: &gst::Buffer, after: &gst::Buffer, info: &VideoInfo) -> Vec<(u32, u32)> {
    let (before, after) = (rgba(before, info), rgba(after, info));
    (0..info.height())
        .flat_map(|y| (0..info.width()).map(move |x| (x, y)))
        .zip(before.iter().zip(&after))
        .filter(|(_, (before, after))| before != after)
        .map(|(place, _)| place)
        .collect()
}

fn overlays(buffer: &gst::Buffer) -> Vec<VideoOverlayComposition> {
    buffer
        .iter_meta::<VideoOverlayCompositionMeta>()
        .map(|meta| meta.overlay_owned())
        .collect()
}

#[test]
fn in_every_format_the_box_is_drawn_on_the_line_around_the_face_and_nowhere_else() {
    init();
    for format in FORMATS {
        let (info, before) = portrait(format);
        let buffer = with_faces(
            &info,
            before.copy_deep().unwrap(),
            &[detected(100, 60, 200)],
        );
        let after = drawn("emotionoverlay labels=false bars=none", &info, buffer);
        let changed = changed(&before, &after, &info);
        assert!(changed.len() > 1000, "{format:?}: {} pixels", changed.len());
        // Pixels that share their chroma, and one more because converting to RGBA for the comparison smears it.
        let shared = |shifts: &[u32]| 1 << shifts.iter().copied().max().unwrap_or(0);
        let format_info = info.format_info();
        let smear = u32::max(shared(format_info.w_sub()), shared(format_info.h_sub()));
        for (x, y) in changed {
            let outside = x + smear < 100 || y + smear < 60 || x > 299 + smear || y > 259 + smear;
            let inside = (110..290).contains(&x) && (70..250).contains(&y);
            assert!(!outside && !inside, "{format:?}: {x}, {y}");
        }
    }
}

#[test]
fn a_dot_is_drawn_on_each_landmark_and_nowhere_else() {
    init();
    let points = [
        [150.0, 120.0],
        [250.0, 120.0],
        [200.0, 165.0],
        [165.0, 210.0],
        [235.0, 210.0],
    ];
    let (info, before) = portrait(VideoFormat::Rgba);
    let face = DetectedFace {
        landmarks: Some(Landmarks(points)),
        ..detected(100, 60, 200)
    };
    let line = "emotionoverlay boxes=false labels=false bars=none";
    let without = drawn(
        line,
        &info,
        with_faces(&info, before.copy_deep().unwrap(), &[face]),
    );
    assert_eq!(changed(&before, &without, &info), []);

    let buffer = with_faces(&info, before.copy_deep().unwrap(), &[face]);
    let after = drawn(&format!("{line} landmarks=true"), &info, buffer);
    let changed = changed(&before, &after, &info);
    let distance = |(x, y): (u32, u32), [right, down]: [f32; 2]| {
        (x as f32 + 0.5 - right).hypot(y as f32 + 0.5 - down)
    };
    for point in points {
        let near = changed
            .iter()
            .filter(|&&place| distance(place, point) < 4.0);
        assert!(near.count() > 30, "{point:?}");
    }
    for &place in &changed {
        assert!(
            points.iter().any(|&point| distance(place, point) < 9.0),
            "{place:?}"
        );
    }
}

#[test]
fn label_and_bars_are_drawn_beside_the_box() {
    init();
    let (info, before) = portrait(VideoFormat::I420);
    let buffer = with_faces(
        &info,
        before.copy_deep().unwrap(),
        &[detected(150, 60, 150)],
    );
    let after = drawn("emotionoverlay", &info, buffer);
    let changed = changed(&before, &after, &info);
    assert!(
        changed
            .iter()
            .any(|&(x, y)| y < 55 && (150..300).contains(&x)),
        "no label above"
    );
    assert!(
        changed
            .iter()
            .any(|&(x, y)| x > 310 && (60..210).contains(&y)),
        "no bars beside"
    );
}

#[test]
fn a_frame_without_faces_passes_untouched_even_if_it_is_shared() {
    init();
    for format in FORMATS {
        let (info, buffer) = portrait(format);
        let kept = buffer.clone();
        let after = drawn("emotionoverlay", &info, buffer);
        assert_eq!(after.as_ptr(), kept.as_ptr(), "{format:?}");
    }
}

#[test]
fn a_shared_frame_is_not_changed_under_its_other_owner() {
    init();
    let (info, buffer) = portrait(VideoFormat::Nv12);
    let buffer = with_faces(&info, buffer, &[detected(100, 60, 200)]);
    let (kept, before) = (buffer.clone(), bytes(&buffer));
    let after = drawn("emotionoverlay", &info, buffer);
    assert_eq!(bytes(&kept), before);
    assert_ne!(bytes(&after), before);
}

#[test]
fn with_everything_switched_off_while_playing_the_frame_passes_untouched() {
    init();
    let (info, buffer) = portrait(VideoFormat::Rgb);
    let buffer = with_faces(&info, buffer, &[detected(100, 60, 200)]);
    let mut harness = harness("emotionoverlay", &info);
    assert_ne!(
        bytes(&harness.push_and_pull(buffer.clone()).unwrap()),
        bytes(&buffer)
    );

    let overlay = harness.element().unwrap();
    overlay.set_property("boxes", false);
    overlay.set_property("labels", false);
    overlay.set_property_from_str("bars", "none");
    let after = harness.push_and_pull(buffer.clone()).unwrap();
    assert_eq!(after.as_ptr(), buffer.as_ptr());
}

#[test]
fn each_property_changes_the_picture() {
    init();
    let (info, buffer) = portrait(VideoFormat::I420);
    let faces = [detected(150, 60, 150), detected(20, 300, 100)];
    let mut buffer = with_faces(&info, buffer, &faces);
    set_object_id(buffer.make_mut(), 1, 12);
    let pictures = [
        "",
        "boxes=false",
        "labels=false",
        "confidence=false",
        "bars=none",
        "bars=all",
        "ids=true",
        "timeline=true",
        "summary=true",
        "style=minimal",
        "style=broadcast",
        "style=seed",
        "language=ar",
        "language=de",
        "label-names=angry=cross",
        "privacy-missing=show privacy=blur",
        "privacy-missing=show privacy=pixelate",
        "privacy-missing=show privacy=fill",
    ]
    .map(|properties| {
        let line = format!("emotionoverlay {properties}");
        (
            properties,
            bytes(&drawn(&line, &info, buffer.copy_deep().unwrap())),
        )
    });
    for (i, (properties, picture)) in pictures.iter().enumerate() {
        for (other, other_picture) in &pictures[i + 1..] {
            assert_ne!(picture, other_picture, "{properties:?} and {other:?}");
        }
    }
}

#[test]
fn names_that_are_no_pairs_are_refused_with_a_warning() {
    init();
    let overlay = gst::ElementFactory::make("emotionoverlay").build().unwrap();
    let bus = gst::Bus::new();
    overlay.set_bus(Some(&bus));
    overlay.set_property("label-names", "happy=joyful");
    overlay.set_property("label-names", "happy:merry");
    assert_eq!(overlay.property::<String>("label-names"), "happy=joyful");
    let text = next_warning(&bus);
    assert!(text.contains("expected LABEL=NAME"), "{text}");
}

#[test]
fn a_face_without_an_emotion_gets_a_box_and_nothing_else() {
    init();
    let (info, before) = portrait(VideoFormat::I420);
    let mut buffer = before.copy_deep().unwrap();
    let faces = [detected(150, 60, 150)];
    add_detected(buffer.make_mut(), info.width(), info.height(), &faces);
    let after = drawn("emotionoverlay bars=all", &info, buffer);
    let changed = changed(&before, &after, &info);
    assert!(!changed.is_empty());
    let in_box = |&(x, y): &(u32, u32)| (150..300).contains(&x) && (60..210).contains(&y);
    assert!(changed.iter().all(in_box));
}

#[test]
fn a_sink_that_draws_overlays_gets_it_attached_and_the_picture_untouched() {
    init();
    for format in FORMATS {
        let (info, buffer) = portrait(format);
        let buffer = with_faces(&info, buffer, &[detected(150, 60, 150)]);
        let before = bytes(&buffer);
        let mut harness = harness_with_drawing_sink("emotionoverlay", &info);
        let after = harness.push_and_pull(buffer).unwrap();
        assert_eq!(bytes(&after), before, "{format:?}");
        let overlays = overlays(&after);
        assert_eq!(overlays.len(), 1, "{format:?}");
        assert!(
            overlays[0].n_rectangles() >= 6,
            "box of four sides, label and bars"
        );
        for rectangle in overlays[0].iter() {
            let (x, y, width, height) = rectangle.render_rectangle();
            assert!(x >= 0 && x as u32 + width <= info.width());
            assert!(y >= 0 && y as u32 + height <= info.height());
        }
        let caps = harness.sinkpad().unwrap().current_caps().unwrap();
        assert!(caps.features(0).unwrap().contains(OVERLAY));
    }
}

#[test]
fn a_sink_that_takes_all_caps_but_draws_no_overlay_gets_it_blended() {
    init();
    let (info, buffer) = portrait(VideoFormat::I420);
    let buffer = with_faces(&info, buffer, &[detected(150, 60, 150)]);
    let before = bytes(&buffer);
    let mut harness = harness("emotionoverlay", &info);
    let after = harness.push_and_pull(buffer).unwrap();
    assert!(overlays(&after).is_empty());
    assert_ne!(bytes(&after), before);
    let caps = harness.sinkpad().unwrap().current_caps().unwrap();
    assert!(!caps.features(0).unwrap().contains(OVERLAY));
}

#[test]
fn what_did_not_change_is_attached_again_without_being_drawn_again() {
    init();
    let (info, buffer) = portrait(VideoFormat::I420);
    let mut harness = harness_with_drawing_sink("emotionoverlay", &info);
    let mut seqnum = |face| {
        let buffer = with_faces(&info, buffer.copy_deep().unwrap(), &[face]);
        overlays(&harness.push_and_pull(buffer).unwrap())[0].seqnum()
    };
    let first = seqnum(detected(150, 60, 150));
    assert_eq!(seqnum(detected(150, 60, 150)), first);
    assert_ne!(seqnum(detected(151, 60, 150)), first);
}

#[test]
fn when_downstream_changes_its_mind_the_overlay_is_blended_instead() {
    init();
    let (info, buffer) = portrait(VideoFormat::I420);
    let buffer = with_faces(&info, buffer, &[detected(150, 60, 150)]);
    let mut harness = harness_with_drawing_sink("emotionoverlay", &info);
    let attached = harness.push_and_pull(buffer.copy_deep().unwrap()).unwrap();
    assert_eq!(overlays(&attached).len(), 1);

    harness.set_sink_caps(info.to_caps().unwrap());
    harness.push_upstream_event(gst::event::Reconfigure::new());
    let blended = harness.push_and_pull(buffer.copy_deep().unwrap()).unwrap();
    assert!(overlays(&blended).is_empty());
    assert_ne!(bytes(&blended), bytes(&buffer));
}

#[test]
fn an_overlay_from_upstream_is_kept_below_ours() {
    init();
    let (info, buffer) = portrait(VideoFormat::I420);
    let mut buffer = with_faces(&info, buffer, &[detected(150, 60, 150)]);
    let mut pixels = gst::Buffer::with_size(4).unwrap();
    gst_video::VideoMeta::add(
        pixels.make_mut(),
        gst_video::VideoFrameFlags::empty(),
        VideoFormat::Bgra,
        1,
        1,
    )
    .unwrap();
    let flags = gst_video::VideoOverlayFormatFlags::empty();
    let theirs = VideoOverlayRectangle::new_raw(&pixels, 7, 9, 1, 1, flags);
    VideoOverlayCompositionMeta::add(buffer.make_mut(), &theirs.into());

    let after = harness_with_drawing_sink("emotionoverlay", &info)
        .push_and_pull(buffer)
        .unwrap();
    let overlays = overlays(&after);
    assert_eq!(overlays.len(), 1);
    assert!(overlays[0].n_rectangles() >= 7);
    let first = overlays[0].rectangle(0).unwrap();
    assert_eq!(first.render_rectangle(), (7, 9, 1, 1));
}

#[test]
fn faces_at_and_beyond_the_borders_are_drawn_as_far_as_they_can_be_seen() {
    init();
    let (info, before) = portrait(VideoFormat::I420);
    let buffer = before.copy_deep().unwrap();
    let mut buffer = with_faces(
        &info,
        buffer,
        &[detected(-60, -60, 120), detected(450, 450, 200)],
    );
    // Some elements do not clamp: rectangles beyond the frame, of zero and of enormous size.
    for rect in [
        (5000, 5000, 100, 100),
        (u32::MAX - 20, 100, 60, 60),
        (10, 10, 0, 0),
        (0, 0, u32::MAX, u32::MAX),
    ] {
        gst_video::VideoRegionOfInterestMeta::add(buffer.make_mut(), "face", rect);
    }
    let after = drawn("emotionoverlay bars=all", &info, buffer);
    assert!(
        changed(&before, &after, &info).contains(&(58, 30)),
        "right side of the first face"
    );
}

#[test]
fn two_hundred_faces_are_drawn() {
    init();
    let (info, before) = blank(VideoFormat::I420, 1280, 720);
    let faces: Vec<_> = (0..200)
        .map(|i| detected(i % 20 * 64, i / 20 * 72, 30 + (i % 7) as u32 * 4))
        .collect();
    let buffer = with_faces(&info, before.copy_deep().unwrap(), &faces);
    let after = drawn("emotionoverlay bars=all", &info, buffer);
    assert!(changed(&before, &after, &info).len() > 200 * 100);
}

#[test]
fn the_smallest_and_a_very_large_frame_are_drawn_on() {
    init();
    for (width, height) in [(1, 1), (2, 3), (7680, 4320)] {
        for format in [
            VideoFormat::Gray8,
            VideoFormat::I420,
            VideoFormat::Yuy2,
            VideoFormat::Bgra,
        ] {
            let (info, before) = blank(format, width, height);
            let side = width.min(height);
            let buffer = before.copy_deep().unwrap();
            let buffer = with_faces(&info, buffer, &[detected(0, 0, side)]);
            let after = drawn("emotionoverlay bars=all", &info, buffer);
            assert_ne!(bytes(&after), bytes(&before), "{width}×{height} {format:?}");
        }
    }
}

#[test]
fn size_and_format_may_change_in_mid_stream() {
    init();
    let (first, _) = blank(VideoFormat::I420, 320, 240);
    let mut harness = harness("emotionoverlay", &first);
    for (format, width, height) in [
        (VideoFormat::I420, 320, 240),
        (VideoFormat::Bgr, 321, 77),
        (VideoFormat::Gray8, 64, 480),
        (VideoFormat::Uyvy, 320, 240),
    ] {
        let (info, before) = blank(format, width, height);
        harness.set_src_caps(info.to_caps().unwrap());
        let buffer = with_faces(&info, before.copy_deep().unwrap(), &[detected(10, 10, 40)]);
        let after = harness.push_and_pull(buffer).unwrap();
        assert!(!changed(&before, &after, &info).is_empty(), "{format:?}");
    }
}

#[test]
fn a_buffer_that_is_too_small_is_an_error_that_says_what_was_expected() {
    init();
    let info = info(VideoFormat::I420, 320, 240);
    let buffer = with_faces(
        &info,
        gst::Buffer::from_slice([0; 10]),
        &[detected(10, 10, 40)],
    );
    let mut harness = harness("emotionoverlay", &info);
    let bus = gst::Bus::new();
    harness.element().unwrap().set_bus(Some(&bus));
    assert_eq!(harness.push(buffer), Err(gst::FlowError::Error));
    let error = next_error(&bus);
    assert!(
        error.contains("expected a 320×240 frame in I420"),
        "{error}"
    );
    assert!(error.contains("10 bytes"), "{error}");
}

#[test]
fn an_unknown_font_is_replaced_by_another() {
    init();
    let (info, before) = portrait(VideoFormat::I420);
    let buffer = with_faces(
        &info,
        before.copy_deep().unwrap(),
        &[detected(150, 60, 150)],
    );
    let after = drawn("emotionoverlay font=\"No Such Font 5\"", &info, buffer);
    assert!(changed(&before, &after, &info).iter().any(|&(_, y)| y < 55));
}

/// A process looks for fonts once, so the test runs itself in another process.
#[test]
fn without_fonts_boxes_and_bars_are_drawn_and_a_warning_says_what_is_missing() {
    const CHILD: &str = "EMOTION_TEST_WITHOUT_FONTS";
    const NAME: &str =
        "emotionoverlay::without_fonts_boxes_and_bars_are_drawn_and_a_warning_says_what_is_missing";
    if std::env::var_os(CHILD).is_none() {
        let config = std::env::temp_dir().join(format!("no-fonts-{}.conf", std::process::id()));
        std::fs::write(&config, "<fontconfig></fontconfig>").unwrap();
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME])
            .env(CHILD, "1")
            .env("FONTCONFIG_FILE", &config)
            .output()
            .unwrap();
        std::fs::remove_file(&config).unwrap();
        let output = String::from_utf8_lossy(&child.stdout);
        assert!(
            child.status.success() && output.contains("1 passed"),
            "{output}"
        );
        return;
    }

    init();
    let (info, before) = portrait(VideoFormat::I420);
    let buffer = with_faces(
        &info,
        before.copy_deep().unwrap(),
        &[detected(150, 60, 150)],
    );
    let mut harness = harness("emotionoverlay", &info);
    let bus = gst::Bus::new();
    harness.element().unwrap().set_bus(Some(&bus));
    let after = harness.push_and_pull(buffer.clone()).unwrap();
    assert!(changed(&before, &after, &info).len() > 1000);
    let text = next_warning(&bus);
    assert!(text.contains("install a font"), "{text}");
    harness.push_and_pull(buffer).unwrap();
    assert!(
        bus.pop_filtered(&[gst::MessageType::Warning]).is_none(),
        "warned twice"
    );
}

#[test]
fn letters_without_a_font_are_warned_about_once() {
    init();
    let (info, before) = portrait(VideoFormat::I420);
    let buffer = with_faces(&info, before, &[detected(150, 60, 150)]);
    // Code points that Unicode has not assigned.
    let mut harness = harness(
        "emotionoverlay label-names=\"angry=A\u{378}\u{379}b\"",
        &info,
    );
    let bus = gst::Bus::new();
    harness.element().unwrap().set_bus(Some(&bus));
    for _ in 0..2 {
        harness.push_and_pull(buffer.clone()).unwrap();
    }
    let text = next_warning(&bus);
    assert!(
        text.contains("some letters") && text.contains("install a font"),
        "{text}"
    );
    assert!(
        bus.pop_filtered(&[gst::MessageType::Warning]).is_none(),
        "warned twice"
    );
}
