//! `emotion-tag` on interlaced, HDR and wrongly described video, and on files with several tracks.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::common::*;
use gst_video::VideoInfo;
use gst_video::prelude::*;

fn ran(archive: &Archive, arguments: &[&str], paths: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-tag"));
    command.arg("--out").arg(archive.path("out"));
    command.args(arguments).args(paths).stdin(Stdio::null());
    command.output().expect("it starts")
}

fn tagged(archive: &Archive, arguments: &[&str], paths: &[&Path]) {
    let output = ran(archive, arguments, paths);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

/// The format and the luma of the first frames of a video, without padding.
fn frames(video: &Path, most: usize) -> (VideoInfo, Vec<Vec<u8>>) {
    let line = emotion_pipelines::launch_line::LaunchLine::default()
        .words("filesrc")
        .path("location", video)
        .words(
            "! decodebin ! videoconvert ! video/x-raw,format=I420 ! appsink name=frames sync=false",
        );
    let pipeline = line.launch().expect("the elements exist");
    let sink = pipeline.by_name("frames").expect("it was named");
    let sink = sink.downcast::<gst_app::AppSink>().expect("it is one");
    pipeline.set_state(gst::State::Playing).expect("it plays");
    let (mut info, mut frames) = (None, Vec::new());
    while frames.len() < most
        && let Ok(sample) = sink.pull_sample()
    {
        let found = VideoInfo::from_caps(sample.caps().expect("it has caps")).expect("it is video");
        let buffer = sample.buffer().expect("it has a buffer");
        let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, &found)
            .expect("it is whole");
        let stride = frame.plane_stride()[0] as usize;
        let rows = frame.plane_data(0).expect("it has luma").chunks(stride);
        let rows = rows.take(found.height() as usize);
        frames.push(
            rows.flat_map(|row| row[..found.width() as usize].to_vec())
                .collect(),
        );
        info = Some(found);
    }
    pipeline.set_state(gst::State::Null).expect("it stops");
    (info.expect("it has a frame"), frames)
}

/// The mean difference between neighbouring rows of a picture.
fn combing(luma: &[u8], width: usize) -> f64 {
    let rows: Vec<_> = luma.chunks(width).collect();
    let pairs = rows.windows(2).flat_map(|pair| pair[0].iter().zip(pair[1]));
    let differences: Vec<_> = pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).collect();
    differences.iter().sum::<f64>() / differences.len() as f64
}

#[test]
fn interlaced_video_is_deinterlaced_to_one_picture_a_frame() {
    let archive = Archive::new();
    // A bar that moves between the two fields of a frame.
    let clip = archive.made(
        "fields.mkv",
        "videotestsrc num-buffers=40 pattern=ball motion=sweep ! video/x-raw,format=I420,width=320,height=240,framerate=50/1 \
         ! interlace field-pattern=1:1 ! x264enc interlaced=true tune=zerolatency ! h264parse ! matroskamux",
    );
    tagged(&archive, &["--annotate"], &[&clip]);
    let fields = frames(&clip, 40);
    let copy = frames(&archive.path("out/fields.mkv.annotated.mp4"), 40);
    assert!(fields.0.is_interlaced() && !copy.0.is_interlaced());
    assert_eq!(copy.1.len(), fields.1.len());
    assert_eq!(
        records(&archive.path("out/fields.mkv.jsonl")).len(),
        fields.1.len()
    );
    let mean = |frames: &[Vec<u8>]| {
        let all = frames.iter().map(|luma| combing(luma, 320));
        all.sum::<f64>() / frames.len() as f64
    };
    let (before, after) = (mean(&fields.1), mean(&copy.1));
    assert!(after < 0.8 * before, "{after} after, {before} before");
}

#[test]
fn hdr_video_is_analysed_and_annotated_as_sdr() {
    let archive = Archive::new();
    for (name, transfer) in [("pq.mkv", "bt2100-pq"), ("hlg.mkv", "bt2100-hlg")] {
        // Grey at the level that both standards give to 18 % grey, 38 % of the range.
        let clip = archive.made(
            name,
            &format!(
                "videotestsrc num-buffers=5 pattern=solid-color foreground-color=0xff616161 \
                 ! video/x-raw,format=I420_10LE,width=64,height=48,colorimetry={transfer} ! vp9enc deadline=1 ! matroskamux"
            ),
        );
        let out = archive.path("out");
        tagged(&archive, &["--annotate"], &[&clip]);
        let expected = if name == "pq.mkv" { "PQ" } else { "HLG" };
        assert_eq!(summary(&out, name)["hdr"], expected, "{name}");
        let (info, copy) = frames(&out.join(format!("{name}.annotated.mp4")), 1);
        assert_eq!(info.colorimetry().to_string(), "bt709", "{name}");
        // 26 cd/m² beside a white of 203 cd/m²: 0.128 of it, and that to the power of 1 / 2.4.
        let luma = copy[0][100];
        assert!((105..112).contains(&luma), "{name}: {luma}");
    }
}

#[test]
fn the_track_that_the_file_marks_is_taken_and_track_chooses_another() {
    let archive = Archive::new();
    let marked = archive.made(
        "two.mkv",
        "videotestsrc num-buffers=5 ! video/x-raw,width=64,height=48 ! x264enc ! h264parse ! mux. \
         videotestsrc num-buffers=5 ! video/x-raw,width=80,height=60 ! x264enc ! h264parse ! mux. matroskamux name=mux",
    );
    let mut bytes = std::fs::read(&marked).expect("it was written");
    // FlagDefault of the first track becomes 0 (RFC 9559, 5.1.4.1.5); without the element it is 1.
    let flag = bytes
        .windows(3)
        .position(|found| found == [0x88, 0x81, 0x01]);
    if let Some(flag) = flag {
        bytes[flag + 2] = 0;
    }
    std::fs::write(&marked, bytes).expect("it is writable");
    let width = |arguments: &[&str]| {
        tagged(&archive, arguments, &[&marked]);
        summary(&archive.path("out"), "two.mkv")["width"].clone()
    };
    assert_eq!(width(&["--track", "1"]), 64);
    assert_eq!(width(&["--track", "2"]), 80);
    assert_eq!(width(&[]), if flag.is_some() { 80 } else { 64 });
    let output = ran(&archive, &["--track", "3"], &[&marked]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("--track 3") && errors.contains("is 2"),
        "{errors}"
    );
}

#[test]
fn an_annotated_copy_has_a_constant_quality_whatever_frame_rate_the_file_states() {
    let archive = Archive::new();
    let made = |name: &str, rate: &str| {
        let clip = archive.clip(
            name,
            40..60,
            &format!(
                "capssetter caps=video/x-raw,framerate={rate} join=true ! jpegenc ! matroskamux"
            ),
        );
        let size = |quality: &str| {
            tagged(&archive, &["--annotate", "--quality", quality], &[&clip]);
            let copy = archive.path(&format!("out/{name}.annotated.mp4"));
            std::fs::metadata(copy).expect("it was written").len()
        };
        [size("40"), size("90")]
    };
    let plain = made("plain.mkv", "25/1");
    let wrong = made("wrong.mkv", "90000/1");
    assert!(plain[1] > 2 * plain[0], "{plain:?}");
    for (plain, wrong) in plain.iter().zip(wrong) {
        assert!(
            wrong * 10 > plain * 7 && wrong * 7 < plain * 10,
            "{plain} and {wrong}"
        );
    }
}
