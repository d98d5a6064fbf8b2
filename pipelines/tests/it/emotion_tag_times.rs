//! `emotion-tag` on containers of all sorts: the times in its records are those that players show.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::*;
use serde_json::Value;

/// Containers that ffmpeg makes of a test picture of 1.2 s and a tone: their names and the codecs.
const CONTAINERS: [(&str, &str); 20] = [
    ("plain.mp4", H264_AAC),
    ("plain.mov", H264_AAC),
    (
        "hevc.mp4",
        "-c:v libx265 -preset ultrafast -x265-params log-level=none -c:a aac",
    ),
    (
        "fragments.mp4",
        "-c:v libx264 -bf 3 -pix_fmt yuv420p -c:a aac -movflags +frag_keyframe+empty_moov",
    ),
    ("plain.mkv", H264_AAC),
    (
        "variable.mkv",
        "-vf select='not(mod(n\\,3))' -fps_mode vfr -c:v libx264 -bf 3 -pix_fmt yuv420p -c:a aac",
    ),
    (
        "variable.mp4",
        "-vf select='gt(mod(n\\,5)\\,1)' -fps_mode vfr -c:v libx264 -bf 3 -pix_fmt yuv420p -c:a aac",
    ),
    ("transport.ts", H264_AAC),
    (
        "camera.m2ts",
        "-c:v libx264 -preset veryfast -bf 3 -pix_fmt yuv420p -c:a ac3",
    ),
    ("program.mpg", "-c:v mpeg2video -bf 2 -c:a mp2"),
    ("disc.vob", "-c:v mpeg2video -bf 2 -c:a ac3"),
    (
        "broadcast.mxf",
        "-c:v mpeg2video -bf 2 -c:a pcm_s16le -ar 48000",
    ),
    ("flash.flv", H264_AAC),
    ("phone.3gp", H264_AAC),
    ("vp8.webm", "-c:v libvpx -deadline realtime -c:a libopus"),
    (
        "vp9.webm",
        "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libvorbis",
    ),
    ("theora.ogv", "-c:v libtheora -c:a libvorbis"),
    ("windows.wmv", "-c:v wmv2 -c:a wmav2"),
    ("motion.avi", "-c:v mjpeg -c:a pcm_s16le"),
    ("slow.mov", "-r 30000/1001 -c:v prores_ks -c:a pcm_s16le"),
];
const H264_AAC: &str = "-c:v libx264 -preset veryfast -bf 3 -pix_fmt yuv420p -c:a aac";

/// Runs ffmpeg in the folder of the archive.
fn ffmpeg(archive: &Archive, arguments: &str) {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-v", "error", "-y"])
        .args(arguments.split_whitespace());
    command.current_dir(archive.path("in")).stdin(Stdio::null());
    let output = command.output().expect("it was found before");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ffmpeg {arguments}: {errors}");
}

/// Files with the packets of other files: names and what ffmpeg copies.
fn copy(archive: &Archive, copies: &[(&str, &str)]) {
    for (name, arguments) in copies {
        ffmpeg(archive, &format!("{arguments} -c copy {name}"));
    }
}

fn has_ffmpeg() -> bool {
    let found = |name| Command::new(name).arg("-version").output().is_ok();
    found("ffmpeg") && found("ffprobe")
}

/// What ffprobe tells about a file.
fn probed(file: &Path, entries: &str) -> Value {
    let mut command = Command::new("ffprobe");
    command.args([
        "-v",
        "error",
        "-select_streams",
        "v:0",
        "-of",
        "json",
        "-show_entries",
        entries,
    ]);
    let output = command.arg(file).output().expect("it was found before");
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

fn seconds(value: &Value) -> Option<f64> {
    value.as_str().and_then(|text| text.parse().ok())
}

fn start_of(file: &Path) -> f64 {
    let found = probed(file, "format=start_time");
    seconds(&found["format"]["start_time"]).expect("it has a start")
}

/// The times that ffprobe has for the frames of the first video track, from the start of the file on; it has none for some.
fn expected_times(file: &Path) -> Vec<Option<f64>> {
    let start = start_of(file);
    let found = probed(file, "frame=best_effort_timestamp_time");
    let frames = found["frames"].as_array().expect("it has frames").iter();
    let times = frames.map(|frame| seconds(&frame["best_effort_timestamp_time"]));
    times.map(|time| Some(time? - start)).collect()
}

/// Tags the folder with the files and compares the times in their records with those of ffprobe.
fn assert_times_of_a_player(archive: &Archive, names: &[String]) {
    let out = archive.path("out");
    let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-tag"));
    command
        .arg("--out")
        .arg(&out)
        .arg(archive.path("in"))
        .stdin(Stdio::null());
    let output = command.output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    for name in names {
        let expected = expected_times(&archive.path("in").join(name));
        let records = records(&out.join(format!("{name}.jsonl")));
        let found: Vec<_> = records
            .iter()
            .filter_map(|record| record.stream_time)
            .collect();
        let near = |(found, expected): (&f64, &Option<f64>)| {
            expected.is_none_or(|expected| (found - expected).abs() <= 0.001)
        };
        let equal = found.iter().zip(&expected).all(near);
        assert!(
            equal && found.len() == expected.len(),
            "{name}: found {found:.3?}\nexpected {expected:.3?}"
        );
        let numbers = records.iter().map(|record| record.frame);
        assert!(numbers.eq((0..expected.len() as u64).map(Some)), "{name}");
    }
}

fn archive() -> Option<Archive> {
    if !has_ffmpeg() {
        emotion_tests::skipped("emotion-tag beside ffprobe: ffmpeg is not installed");
        return None;
    }
    let archive = Archive::new();
    std::fs::create_dir(archive.path("in")).expect("it is writable");
    Some(archive)
}

#[test]
fn frames_have_the_times_that_players_show_whatever_the_container() {
    let Some(archive) = archive() else { return };
    let input = "-f lavfi -i testsrc2=s=128x96:r=25:d=1.2 -f lavfi -i sine=d=1.2";
    for (name, codecs) in CONTAINERS {
        ffmpeg(&archive, &format!("{input} {codecs} {name}"));
    }
    // Files that begin late, or whose tracks do.
    let copies = [
        (
            "audio-late.ts",
            "-i plain.mp4 -itsoffset 0.5 -i plain.mp4 -map 0:v -map 1:a",
        ),
        (
            "video-late.mp4",
            "-itsoffset 0.5 -i plain.mp4 -i plain.mp4 -map 0:v -map 1:a",
        ),
        ("begins-at-10.mp4", "-i plain.mp4 -output_ts_offset 10"),
        ("begins-at-10.mkv", "-i plain.mp4 -output_ts_offset 10"),
        // Two frames of one time.
        (
            "equal.mkv",
            "-i vp8.webm -bsf:v setts=ts=if(eq(N\\,6)\\,PREV_OUTPTS\\,TS)",
        ),
    ];
    copy(&archive, &copies);
    let names = CONTAINERS
        .map(|(name, _)| name)
        .into_iter()
        .chain(copies.map(|(name, _)| name));
    let names: Vec<_> = names.map(str::to_owned).collect();
    assert_times_of_a_player(&archive, &names);
}

#[test]
fn trimmed_clips_begin_where_they_were_trimmed() {
    let Some(archive) = archive() else { return };
    ffmpeg(
        &archive,
        "-f lavfi -i testsrc2=s=128x96:r=25:d=6 -f lavfi -i sine=d=6 -c:v libx264 -preset veryfast -bf 3 -g 250 -pix_fmt yuv420p -c:a aac whole.mp4",
    );
    // The media before the cut stays in the file, for the decoder; one cut is between two frames.
    for (name, start) in [("most.mp4", "4"), ("half.mp4", "3.3"), ("half.mov", "2.5")] {
        ffmpeg(
            &archive,
            &format!("-ss {start} -i whole.mp4 -c copy {name}"),
        );
    }
    let names = ["whole.mp4", "most.mp4", "half.mp4", "half.mov"];
    assert_times_of_a_player(&archive, &names.map(str::to_owned));
}

/// The output of ffmpeg on standard output.
fn decoded(file: &Path, arguments: &str) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-i"]).arg(file);
    command
        .args(arguments.split_whitespace())
        .arg("-")
        .stdin(Stdio::null());
    command.output().expect("it was found before").stdout
}

/// How much later the sound of a video begins than its white pictures, in seconds.
fn sound_behind_picture(file: &Path) -> f64 {
    let name = file.display();
    let pictures = decoded(
        file,
        "-map 0:v:0 -vf scale=16:16 -pix_fmt gray -fps_mode passthrough -f rawvideo",
    );
    let white = pictures.chunks(256).position(|picture| picture[100] > 128);
    let times = expected_times(file);
    let flash = times[white.unwrap_or_else(|| panic!("{name}: no flash"))];
    let flash = flash.expect("it has a time");
    // Silence stands for the time before the sound begins.
    let silence = "-map 0:a:0 -af aresample=48000:async=1:first_pts=0 -ac 1 -f s16le";
    let samples = decoded(file, silence);
    let samples = samples
        .chunks_exact(2)
        .map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]]));
    let chirp = samples
        .map(i16::unsigned_abs)
        .position(|level| level > 8000);
    chirp.unwrap_or_else(|| panic!("{name}: no chirp")) as f64 / 48_000.0 - flash
}

#[test]
fn the_sound_of_an_annotated_copy_is_in_time_with_its_pictures() {
    let Some(archive) = archive() else { return };
    // White pictures and a tone from 2.0 s to 2.4 s.
    let flash = "-f lavfi -i color=black:s=64x48:r=25:d=3,drawbox=t=fill:c=white:enable='between(t,1.99,2.39)'";
    let chirp = "-f lavfi -i aevalsrc='if(between(t,2,2.4),sin(6283*t),0)':s=48000:d=3";
    let h264 = "-c:v libx264 -preset veryfast -bf 3 -g 250 -pix_fmt yuv420p";
    let made = [
        ("aac.mp4", "-c:a aac"),
        ("ac3.ts", "-c:a ac3"),
        ("dts.mkv", "-c:a dca -strict -2"),
        ("mp3.mkv", "-c:a libmp3lame"),
        ("alac.mov", "-c:a alac"),
        ("opus.mkv", "-c:a libopus"),
        ("pcm.mov", "-c:a pcm_s16le"),
        ("aac.ts", "-c:a aac"),
        // The demuxer leaves these out.
        ("dts.ts", "-c:a dca -strict -2"),
        ("aac.m2ts", "-c:a aac"),
        ("mp2.m2ts", "-c:a mp2"),
        ("dts.m2ts", "-c:a dca -strict -2"),
        ("eac3.ts", "-c:a eac3"),
        ("opus.ts", "-c:a libopus"),
        (
            "variable.mkv",
            "-c:a libvorbis -vf select='not(mod(n\\,3))' -fps_mode vfr",
        ),
    ];
    for (name, audio) in made {
        ffmpeg(&archive, &format!("{flash} {chirp} {h264} {audio} {name}"));
    }
    let copies = [
        ("trimmed.mp4", "-ss 1.3 -i aac.mp4"),
        (
            "sound-late.mp4",
            "-i aac.mp4 -itsoffset 0.4 -i aac.mp4 -map 0:v -map 1:a",
        ),
        (
            "picture-late.mkv",
            "-itsoffset 0.4 -i aac.mp4 -i aac.mp4 -map 0:v -map 1:a",
        ),
    ];
    copy(&archive, &copies);
    let out = archive.path("out");
    let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-tag"));
    command
        .arg("--out")
        .arg(&out)
        .arg(archive.path("in"))
        .arg("--annotate");
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let names = made
        .map(|(name, _)| name)
        .into_iter()
        .chain(copies.map(|(name, _)| name));
    for name in names {
        let expected = sound_behind_picture(&archive.path("in").join(name));
        let found = sound_behind_picture(&out.join(format!("{name}.annotated.mp4")));
        assert!(
            (found - expected).abs() <= 0.04,
            "{name}: {found:.3} s, and in the file {expected:.3} s"
        );
    }
}

#[test]
fn sound_that_cannot_be_kept_is_named_and_the_file_counts_as_tagged_in_part() {
    let Some(archive) = archive() else { return };
    // There is no parser of TrueHD.
    ffmpeg(
        &archive,
        "-f lavfi -i testsrc2=s=64x48:r=25:d=0.6 -f lavfi -i sine=d=0.6:r=48000 -c:v libx264 -pix_fmt yuv420p \
         -c:a truehd -strict -2 -ac 2 disc.m2ts",
    );
    let out = archive.path("out");
    for _ in 0..2 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-tag"));
        command.arg("--out").arg(&out).arg("--annotate");
        command.arg(archive.path("in/disc.m2ts"));
        let output = command.stdin(Stdio::null()).output().expect("it starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        let told =
            "disc.m2ts: tagged in part: its annotated copy is without sound that the file has: ";
        assert!(errors.contains(told), "{errors}");
    }
    assert_eq!(summary(&out, "disc.m2ts")["frames"], 15);
    assert_eq!(
        expected_times(&out.join("disc.m2ts.annotated.mp4")).len(),
        15
    );
}

#[test]
fn of_a_recording_that_broke_off_all_frames_that_are_there_are_kept_on_request() {
    let Some(archive) = archive() else { return };
    let input = "-f lavfi -i testsrc2=s=320x240:r=25:d=4 -f lavfi -i sine=d=4";
    let codecs = "-c:v libx264 -preset veryfast -bf 2 -g 50 -pix_fmt yuv420p -c:a aac";
    for (name, flags) in [
        // One fragment has the sound behind all its pictures.
        ("fragments.mp4", "+frag_keyframe+empty_moov"),
        ("whole.mp4", "+faststart"),
    ] {
        ffmpeg(
            &archive,
            &format!("{input} {codecs} -movflags {flags} {name}"),
        );
        let path = archive.path("in").join(name);
        let bytes = std::fs::read(&path).expect("it was written");
        std::fs::write(&path, &bytes[..bytes.len() * 7 / 10]).expect("it is writable");
        let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-tag"));
        command.arg("--out").arg(archive.path("out"));
        command.args(["--keep-partial"]).arg(&path);
        let output = command.stdin(Stdio::null()).output().expect("it starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        let records = records(&archive.path("out").join(format!("{name}.jsonl")));
        let expected = expected_times(&path);
        // What is cut within a frame, decoders show or do not.
        assert!(
            (expected.len() - 4..=expected.len()).contains(&records.len()),
            "{name}: {} of {}",
            records.len(),
            expected.len()
        );
        for (record, expected) in records.iter().zip(&expected) {
            let (found, expected) = (record.stream_time, expected.expect("it has a time"));
            let found = found.expect("it has a time");
            assert!(
                (found - expected).abs() <= 0.001,
                "{name}: {found} {expected}"
            );
        }
    }
}
