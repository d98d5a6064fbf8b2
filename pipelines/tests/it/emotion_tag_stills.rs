//! `emotion-tag` on pictures, animations and damaged files.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::common::*;
use emotion_tests::picture::portrait;

fn ran(archive: &Archive, arguments: &[&str], paths: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-tag"));
    command.arg("--out").arg(archive.path("out"));
    command.args(arguments).args(paths).stdin(Stdio::null());
    command.output().expect("it starts")
}

/// A JPEG of the portrait, 512 × 400, that lies on its side; EXIF says that the camera was turned.
fn turned_photograph(archive: &Archive) -> std::path::PathBuf {
    let portrait = image::open(portrait()).expect("it is a picture");
    let plain = archive.path("plain.jpg");
    let lying = portrait.crop_imm(0, 0, 512, 400).to_rgb8();
    image::imageops::rotate270(&lying)
        .save(&plain)
        .expect("it is writable");
    let bytes = fs::read(plain).expect("it was written");
    // One entry of TIFF: orientation 6, to be turned clockwise.
    let tiff = *b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let mut segment = b"\xff\xe1\0\x22Exif\0\0".to_vec();
    segment.extend(tiff);
    let turned = archive.path("turned.jpg");
    fs::write(&turned, [&bytes[..2], &segment, &bytes[2..]].concat()).expect("it is writable");
    turned
}

#[test]
fn a_photograph_stands_upright_and_its_annotated_copy_is_a_picture() {
    let archive = Archive::new();
    let output = ran(&archive, &["--annotate"], &[&turned_photograph(&archive)]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let summary = summary(&archive.path("out"), "turned.jpg");
    assert_eq!(
        (&summary["width"], &summary["height"]),
        (&512.into(), &400.into())
    );
    assert!(summary["faces"].as_u64() >= Some(1), "{summary}");
    let copy = image::open(archive.path("out/turned.jpg.annotated.jpg")).expect("it is a picture");
    assert_eq!((copy.width(), copy.height()), (512, 400));
}

#[test]
fn an_animation_is_a_video_and_a_gif_of_one_frame_is_a_picture() {
    use image::codecs::gif::GifEncoder;
    use image::{Delay, Frame, RgbaImage};
    let archive = Archive::new();
    let face = image::open(portrait())
        .expect("it is a picture")
        .into_rgba8();
    let blank = RgbaImage::new(face.width(), face.height());
    let write = |name: &str, frames: &[&RgbaImage]| {
        let path = archive.path(name);
        let mut encoder = GifEncoder::new(fs::File::create(&path).expect("it is writable"));
        for frame in frames {
            let delay = Delay::from_numer_denom_ms(200, 1);
            let frame = Frame::from_parts((*frame).clone(), 0, 0, delay);
            encoder.encode_frame(frame).expect("it can be encoded");
        }
        path
    };
    let animation = write("animation.gif", &[&face, &blank, &face]);
    let still = write("still.gif", &[&face]);
    let output = ran(&archive, &["--annotate"], &[&animation, &still]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let video = summary(&archive.path("out"), "animation.gif");
    assert_eq!(
        (&video["frames"], &video["duration"]),
        (&3.into(), &0.6.into())
    );
    assert_eq!(
        video["frames_with_faces"].as_u64().map(|frames| frames > 0),
        Some(true)
    );
    let picture = summary(&archive.path("out"), "still.gif");
    assert_eq!(
        (&picture["frames"], &picture["duration"]),
        (&1.into(), &0.0.into())
    );
    for copy in ["animation.gif.annotated.mp4", "still.gif.annotated.png"] {
        assert!(archive.path("out").join(copy).is_file(), "{copy}");
    }
}

#[test]
fn a_damaged_file_is_reported_and_kept_in_part_only_on_request() {
    let archive = Archive::new();
    let photograph = turned_photograph(&archive);
    let bytes = fs::read(&photograph).expect("it was written");
    fs::write(&photograph, &bytes[..bytes.len() / 2]).expect("it is writable");
    let clip = archive.clip(
        "clip.mkv",
        50..75,
        "x264enc speed-preset=ultrafast tune=zerolatency key-int-max=5 ! h264parse ! matroskamux",
    );
    let bytes = fs::read(&clip).expect("it was written");
    fs::write(&clip, &bytes[..bytes.len() * 2 / 3]).expect("it is writable");

    let output = ran(&archive, &[], &[&photograph, &clip]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("turned.jpg: the picture is damaged: it is cut short"),
        "{errors}"
    );
    assert!(
        errors.contains("--keep-partial tags what is there"),
        "{errors}"
    );
    assert_eq!(names(&archive.path("out")), Vec::<String>::new());

    // The second run says the same of what the first one has left.
    for _ in 0..2 {
        let output = ran(&archive, &["--keep-partial"], &[&clip]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(
            errors.contains("clip.mkv: tagged in part: the file is cut short"),
            "{errors}"
        );
    }
    let summary = summary(&archive.path("out"), "clip.mkv");
    assert!(
        summary["incomplete"].to_string().contains("cut short"),
        "{summary}"
    );
    assert!(
        summary["frames"]
            .as_u64()
            .is_some_and(|frames| (5..25).contains(&frames))
    );
}

#[test]
fn records_stay_where_the_annotated_copy_cannot_be_made() {
    let archive = Archive::new();
    // Wider than H.264 can be.
    let clip = archive.made(
        "wide.mkv",
        "videotestsrc num-buffers=10 ! video/x-raw,width=17000,height=32 ! jpegenc ! matroskamux",
    );
    for arguments in [
        &["--annotate"][..],
        &["--annotate", "--keep-partial", "--no-resume"],
    ] {
        let output = ran(&archive, arguments, &[&clip]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(
            errors.contains("tagged in part: its annotated copy cannot be made"),
            "{errors}"
        );
        assert_eq!(summary(&archive.path("out"), "wide.mkv")["frames"], 10);
        assert_eq!(
            names(&archive.path("out")),
            ["wide.mkv.jsonl", "wide.mkv.summary.json", "wide.vtt"]
        );
    }
}

#[test]
fn pictures_without_times_have_records_and_an_annotated_copy() {
    let archive = Archive::new();
    let clip = archive.clip("clip.mjpeg", 50..60, "jpegenc ! multipartmux");
    let output = ran(&archive, &["--annotate"], &[&clip]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let out = archive.path("out");
    let found = records(&out.join("clip.mjpeg.jsonl"));
    assert_eq!(found.len(), 10);
    assert!(found.iter().all(|record| record.stream_time.is_none()));
    let copy = out.join("clip.mjpeg.annotated.mp4");
    assert!(ran(&archive, &[], &[&copy]).status.success());
    let found = records(&out.join("clip.mjpeg.annotated.mp4.jsonl"));
    // Without a frame rate, x264enc gives the last frame no duration, so it is not shown.
    assert!((9..=10).contains(&found.len()), "{}", found.len());
    for (number, record) in found.iter().enumerate() {
        let time = record.stream_time.expect("it has one");
        assert!((time - 0.04 * number as f64).abs() < 0.001, "{time}");
    }
}

#[test]
fn a_video_of_an_odd_size_has_an_annotated_copy() {
    let archive = Archive::new();
    let clip = archive.made(
        "odd.webm",
        "videotestsrc num-buffers=5 ! video/x-raw,width=321,height=241,framerate=25/1 \
         ! vp8enc deadline=1 ! webmmux",
    );
    let output = ran(&archive, &["--annotate"], &[&clip]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let copy = archive.path("out/odd.webm.annotated.mp4");
    ran(&archive, &[], &[&copy]);
    let summary = summary(&archive.path("out"), "odd.webm.annotated.mp4");
    assert_eq!(summary["frames"], 5);
    // The format needs even sizes.
    assert!(
        summary["width"]
            .as_u64()
            .is_some_and(|width| width.abs_diff(321) == 1)
    );
}
