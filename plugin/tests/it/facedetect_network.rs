//! The settings of the network in `facedetect`.

use std::path::{Path, PathBuf};

use crate::common::*;
use gst::prelude::*;
use gst_video::{VideoFormat, VideoInfo};
use gstemotion::face::{Face, faces};

fn weights(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../models/weights/{name}.safetensors"))
}

/// A grey frame that shows the portrait in the given squares: left edge, upper edge and side of each.
fn portraits(width: u32, height: u32, squares: &[[u32; 3]]) -> (VideoInfo, gst::Buffer) {
    let (from, buffer) = portrait(VideoFormat::Gray8);
    let frame = info(VideoFormat::Gray8, width, height);
    let stride = frame.stride()[0] as usize;
    let mut pixels = vec![90; frame.size()];
    for &[left, top, side] in squares {
        let square = info(VideoFormat::Gray8, side, side);
        let square_stride = square.stride()[0] as usize;
        let small = bytes(&convert(buffer.clone(), &from, &square));
        for (row, y) in small.chunks_exact(square_stride).zip(top as usize..) {
            let place = y * stride + left as usize;
            pixels[place..][..side as usize].copy_from_slice(&row[..side as usize]);
        }
    }
    (frame, gst::Buffer::from_slice(pixels))
}

fn found(settings: &str, info: &VideoInfo, buffer: &gst::Buffer) -> Vec<Face> {
    let mut h = harness(&format!("emotionfacedetect {settings}"), info);
    faces(&h.push_and_pull(buffer.clone()).unwrap())
}

/// Whether the middle of the face lies in the square of its portrait.
fn is_in(face: &Face, [left, top, side]: [u32; 3]) -> bool {
    let x = face.x + face.width as i32 / 2 - left as i32;
    let y = face.y + face.height as i32 / 2 - top as i32;
    (0..side as i32).contains(&x) && (0..side as i32).contains(&y)
}

const LARGE: [u32; 3] = [20, 40, 400];
const SMALL: [u32; 3] = [460, 100, 180];

#[test]
fn only_the_largest_faces_are_kept_where_their_number_is_limited() {
    init();
    let (info, buffer) = portraits(640, 480, &[LARGE, SMALL]);

    assert_eq!(found("", &info, &buffer).len(), 2);
    let largest = found("max-faces=1", &info, &buffer);

    assert_eq!(largest.len(), 1);
    assert!(is_in(&largest[0], LARGE), "{largest:?}");
}

#[test]
fn only_the_region_is_looked_at_given_in_fractions_or_pixels() {
    init();
    let (info, buffer) = portraits(640, 480, &[LARGE, SMALL]);
    for region in ["0.68,0,0.32,1", "440,60,200,300"] {
        let right = found(&format!("region={region}"), &info, &buffer);

        assert_eq!(right.len(), 1, "{region}: {right:?}");
        assert!(is_in(&right[0], SMALL), "{region}: {right:?}");
    }
    assert_eq!(found("region=5000,5000,10,10", &info, &buffer), []);
}

#[test]
fn a_region_that_makes_no_sense_is_a_warning_and_the_last_one_stays() {
    init();
    let (info, buffer) = portraits(640, 480, &[LARGE, SMALL]);
    let mut h = harness(
        "emotionfacedetect region=0.68,0,0.32,1 tracking=false",
        &info,
    );
    let element = h.element().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));

    element.set_property("region", "left");

    let warning = next_warning(&bus);
    assert!(
        warning.contains("x,y,width,height") && warning.contains("region stays as it was"),
        "{warning}"
    );
    assert_eq!(element.property::<String>("region"), "0.68,0,0.32,1");
    assert_eq!(faces(&h.push_and_pull(buffer.clone()).unwrap()).len(), 1);

    element.set_property("region", None::<String>);
    assert_eq!(faces(&h.push_and_pull(buffer).unwrap()).len(), 2);
}

#[test]
fn small_faces_in_a_very_large_frame_are_found_in_tiles() {
    init();
    // A face of some 24 pixels in 3840.
    let small = [2890, 1510, 110];
    let (info, buffer) = portraits(3840, 2160, &[small]);
    let settings = "min-size=10 detection-size=640";

    assert_eq!(found(settings, &info, &buffer), []);
    let tiled = found(&format!("{settings} tiles=6"), &info, &buffer);

    assert_eq!(tiled.len(), 1, "{tiled:?}");
    assert!(is_in(&tiled[0], small), "{tiled:?}");
}

#[test]
fn far_faces_in_a_large_frame_are_found_without_settings() {
    init();
    // A face of some 40 pixels in 1920.
    let far = [1200, 600, 180];
    let (info, buffer) = portraits(1920, 1080, &[far]);
    assert_eq!(found("tiles=1", &info, &buffer), []);
    // Every frame by itself is not searched in tiles.
    assert_eq!(found("tracking=false", &info, &buffer), []);
    let seen = found("", &info, &buffer);
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(is_in(&seen[0], far), "{seen:?}");
}

#[test]
fn a_face_on_the_edges_of_tiles_is_found_once() {
    init();
    let (info, buffer) = portraits(1280, 720, &[[490, 210, 300]]);
    for tiles in 0..6 {
        let seen = found(&format!("tiles={tiles}"), &info, &buffer);
        // The detector may also take the emblem on the suit for a face, but nothing else.
        let (face, others): (Vec<_>, Vec<_>) = seen
            .into_iter()
            .partition(|face| is_in(face, [550, 210, 150]));
        assert_eq!(face.len(), 1, "{tiles} tiles: {face:?}");
        let is_emblem = |face: &Face| is_in(face, [715, 445, 60]);
        assert!(
            others.len() <= 1 && others.iter().all(is_emblem),
            "{tiles} tiles: {others:?}"
        );
    }
}

#[test]
fn the_number_of_threads_changes_nothing_but_time() {
    init();
    let (info, buffer) = portraits(640, 480, &[LARGE, SMALL]);
    let expected = found("", &info, &buffer);
    for threads in [0, 2, 3] {
        let settings = format!("threads={threads}");
        assert_eq!(found(&settings, &info, &buffer), expected, "{threads}");
    }
}

#[test]
fn weights_from_a_file_are_used() {
    init();
    let (info, buffer) = portrait(VideoFormat::I420);
    let location = weights("face_net");
    let settings = format!("precision=f32 model-location=\"{}\"", location.display());
    let built_in = found("precision=f32", &info, &buffer);
    assert_eq!(found(&settings, &info, &buffer), built_in);
}

#[test]
fn weights_of_another_network_or_that_are_missing_are_refused_at_start() {
    init();
    let missing = PathBuf::from("/nowhere/faces.safetensors");
    for (location, reason) in [
        (
            weights("mini_xception"),
            "holds a mini_xception, expected face_net",
        ),
        (missing, "cannot be read"),
    ] {
        let element = gst::ElementFactory::make("emotionfacedetect")
            .property("model-location", location.to_str().unwrap())
            .build()
            .unwrap();

        let error = error_at_start(&element);

        let named = error.contains(&*location.display().to_string());
        assert!(named && error.contains(reason), "{error}");
    }
}

#[cfg(not(feature = "cascade"))]
#[test]
fn a_build_without_cascades_says_how_to_get_them() {
    init();
    let element = gst::ElementFactory::make("emotionfacedetect")
        .property_from_str("detector", "cascade")
        .build()
        .unwrap();

    let error = error_at_start(&element);

    assert!(error.contains("feature cascade"), "{error}");
}

#[test]
fn a_cascade_without_its_detector_is_a_warning() {
    init();
    let element = gst::ElementFactory::make("emotionfacedetect")
        .property("cascade-file", "/some/faces.xml")
        .build()
        .unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));

    element.set_state(gst::State::Paused).unwrap();

    let text = next_warning(&bus);
    assert!(text.contains("detector=cascade"), "{text}");
    element.set_state(gst::State::Null).unwrap();
}

#[test]
fn a_face_turned_by_60_degrees_is_found() {
    init();
    let (info, buffer) = portraits(400, 400, &[[0, 0, 400]]);
    let stride = info.stride()[0] as usize;
    let upright = bytes(&buffer);
    let (sin, cos) = 60_f32.to_radians().sin_cos();
    let mut turned = vec![90; info.size()];
    for (i, pixel) in turned.iter_mut().enumerate() {
        let (x, y) = ((i % stride) as f32 - 200.0, (i / stride) as f32 - 200.0);
        let (from_x, from_y) = (cos * x + sin * y + 200.0, cos * y - sin * x + 200.0);
        if (0.0..399.0).contains(&from_x) && (0.0..399.0).contains(&from_y) {
            *pixel = upright[from_y as usize * stride + from_x as usize];
        }
    }
    let found = found("max-faces=1", &info, &gst::Buffer::from_slice(turned));
    // The face of the portrait, about (177, 93), turned about the middle.
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(is_in(&found[0], [251, 97, 60]), "{found:?}");
}
