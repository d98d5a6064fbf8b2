//! The program `emotion-tag` on made archives: what it leaves, and what it does with what is broken.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::common::*;
use emotion_pipelines::launch_line::LaunchLine;
use emotion_pipelines::runner::{self, StopFlag};
use emotion_tests::picture::portrait;
use gstemotion::record::table;
use serde_json::Value;

fn tag(out: &Path, arguments: &[&str], paths: &[&Path]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emotion-tag"));
    command.arg("--out").arg(out).args(arguments).args(paths);
    command.stdin(Stdio::null());
    command
}

fn ran(out: &Path, arguments: &[&str], paths: &[&Path]) -> Output {
    let output = tag(out, arguments, paths).output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("panicked"), "{errors}");
    output
}

/// Runs without a failure.
fn tagged(out: &Path, arguments: &[&str], paths: &[&Path]) {
    let output = ran(out, arguments, paths);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

#[test]
fn a_video_gets_the_records_that_the_elements_write_a_summary_and_captions() {
    let archive = Archive::new();
    let clip = archive.clip("my clip.mp4", 20..50, H264);
    let out = archive.path("out");
    tagged(&out, &[], &[&clip]);
    assert_eq!(
        names(&out),
        [
            "my clip.mp4.jsonl",
            "my clip.mp4.summary.json",
            "my clip.vtt"
        ]
    );

    let by_hand = archive.path("by hand.jsonl");
    let line = LaunchLine::default()
        .words("filesrc")
        .path("location", &clip)
        .words(
            "! decodebin ! facedetect ! emotionclassify ! emotionpublish name=publish ! fakesink",
        );
    emotion_pipelines::init().expect("the plugin is part of the test");
    let pipeline = line.launch().expect("the elements exist");
    let publish = gst::prelude::GstBinExt::by_name(&pipeline, "publish").expect("it was named");
    gst::glib::prelude::ObjectExt::set_property(&publish, "location", by_hand.to_str());
    gst::glib::prelude::ObjectExt::set_property(&publish, "source", "my clip.mp4");
    runner::run(&pipeline, &StopFlag::default(), |_| {}).expect("it plays");
    let expected = fs::read_to_string(&by_hand).expect("it was written");
    let found = fs::read_to_string(out.join("my clip.mp4.jsonl")).expect("it was written");
    assert_eq!(found, expected);

    let records = records(&out.join("my clip.mp4.jsonl"));
    let summary = summary(&out, "my clip.mp4");
    assert_eq!(records.len(), 30);
    assert_eq!(summary["frames"], 30);
    assert_eq!(summary["file"], "my clip.mp4");
    assert_eq!(
        (&summary["width"], &summary["height"]),
        (&640.into(), &480.into())
    );
    let with_faces = records
        .iter()
        .filter(|record| !record.faces.is_empty())
        .count();
    assert!(with_faces > 0);
    assert_eq!(summary["frames_with_faces"], with_faces);
    let person = &summary["persons"][0];
    let emotion = person["emotion"].as_str().expect("it is classified");
    let captions = fs::read_to_string(out.join("my clip.vtt")).expect("it was written");
    assert!(
        captions.starts_with("WEBVTT emotions of my clip.mp4\n\n00:00:"),
        "{captions}"
    );
    assert!(captions.contains(emotion), "{captions}");
}

#[test]
fn every_leaves_frames_out_and_the_formats_have_the_same_content() {
    let archive = Archive::new();
    let clip = archive.short_clip("clip.mp4");
    let out = archive.path("out");
    for format in ["jsonl", "csv", "parquet"] {
        tagged(&out, &["--every", "5/s", "--format", format], &[&clip]);
    }
    let records = records(&out.join("clip.mp4.jsonl"));
    let times: Vec<f64> = records
        .iter()
        .filter_map(|record| record.stream_time)
        .collect();
    assert_eq!(
        times,
        (0..15).map(|n| f64::from(n) / 5.0).collect::<Vec<_>>()
    );
    // Frames that are left out count too.
    let numbers: Vec<_> = records.iter().map(|record| record.frame).collect();
    assert_eq!(numbers, (0..15).map(|n| Some(n * 5)).collect::<Vec<_>>());

    let csv = fs::read(out.join("clip.mp4.csv")).expect("it was written");
    let mut expected = table::csv_header().into_bytes();
    records
        .iter()
        .for_each(|record| table::append_csv(record, &mut expected));
    assert_eq!(csv, expected);
    let parquet = fs::read(out.join("clip.mp4.parquet")).expect("it was written");
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
}

#[test]
fn results_are_the_same_whatever_the_number_of_jobs() {
    let archive = Archive::new();
    let folder = archive.path("in");
    fs::create_dir(&folder).expect("it is writable");
    for name in ["a.mp4", "b.mp4"] {
        archive.clip(&format!("in/{name}"), 0..60, H264);
    }
    fs::copy(portrait(), folder.join("c.png")).expect("it is writable");
    let arguments = [
        "--every",
        "5/s",
        "--report",
        "--thumbnails",
        "--format",
        "parquet",
        "--jobs",
    ];
    let results = ["1", "2", "5"].map(|jobs| {
        let out = archive.path(&format!("out {jobs}"));
        tagged(&out, &[&arguments[..], &[jobs]].concat(), &[&folder]);
        files(&out)
    });
    assert_eq!(results[0].len(), 15, "{:?}", results[0].keys());
    for other in &results[1..] {
        assert_eq!(
            other.keys().collect::<Vec<_>>(),
            results[0].keys().collect::<Vec<_>>()
        );
        for (name, content) in other {
            assert!(content == &results[0][name], "{name} differs");
        }
    }
}

#[test]
fn a_still_has_one_frame_and_its_faces() {
    let archive = Archive::new();
    let dot = archive.made(
        "dot.png",
        "videotestsrc num-buffers=1 ! video/x-raw,width=1,height=1 ! pngenc",
    );
    let jpeg = archive.clip("frame.jpg", 60..61, "jpegenc");
    let out = archive.path("out");
    let one_face = ["--facedetect", "max-faces=1"];
    tagged(&out, &one_face, &[&portrait(), &dot, &jpeg]);
    for (name, persons, size) in [
        ("astronaut.png", 1, 512),
        ("dot.png", 0, 1),
        ("frame.jpg", 1, 640),
    ] {
        let summary = summary(&out, name);
        assert_eq!(summary["frames"], 1, "{name}");
        assert_eq!(summary["width"], size, "{name}");
        assert_eq!(
            summary["persons"].as_array().map(Vec::len),
            Some(persons),
            "{name}"
        );
        assert_eq!(records(&out.join(format!("{name}.jsonl"))).len(), 1);
    }
}

#[test]
fn containers_and_codecs_of_all_sorts_are_decoded() {
    let archive = Archive::new();
    let made = [
        ("1.webm", "vp8enc deadline=1 ! webmmux"),
        ("2.mkv", "jpegenc ! matroskamux"),
        ("3.avi", "avenc_mpeg4 ! avimux"),
        (
            "4.ts",
            "x264enc speed-preset=ultrafast ! h264parse ! mpegtsmux",
        ),
        ("5.ogv", "theoraenc ! oggmux"),
        ("6.y4m", "video/x-raw,format=I420 ! y4menc"),
        (
            "7.mov",
            "video/x-raw,format=I422_10LE ! x264enc speed-preset=ultrafast ! h264parse ! qtmux",
        ),
        (
            "8.mp4",
            "video/x-raw,format=Y444 ! x264enc speed-preset=ultrafast ! h264parse ! mp4mux",
        ),
    ];
    let clips = made.map(|(name, encoder)| archive.clip(name, 55..60, encoder));
    let out = archive.path("out");
    tagged(&out, &[], &clips.each_ref().map(PathBuf::as_path));
    for (name, _) in made {
        let summary = summary(&out, name);
        assert_eq!(summary["frames"], 5, "{name}");
        assert!(summary["faces"].as_u64() >= Some(4), "{name}: {summary}");
    }
}

#[test]
fn a_video_of_an_upright_phone_is_turned_upright() {
    let archive = Archive::new();
    // Pictures that lie on their side, with the note to turn them.
    let clip = archive.clip(
        "phone.mp4",
        50..60,
        "videoflip method=counterclockwise ! x264enc speed-preset=ultrafast tune=zerolatency ! h264parse \
         ! taginject tags=image-orientation=rotate-90 ! mp4mux",
    );
    let out = archive.path("out");
    tagged(&out, &["--annotate"], &[&clip]);
    let summary = summary(&out, "phone.mp4");
    assert_eq!(
        (&summary["width"], &summary["height"]),
        (&640.into(), &480.into())
    );
    assert!(summary["faces"].as_u64() >= Some(9), "{summary}");

    // The annotated video stands upright by itself and must not be turned once more.
    let again = archive.path("again");
    tagged(&again, &[], &[&out.join("phone.mp4.annotated.mp4")]);
    let summary = self::summary(&again, "phone.mp4.annotated.mp4");
    assert_eq!(
        (&summary["width"], &summary["height"]),
        (&640.into(), &480.into())
    );
    assert!(summary["faces"].as_u64() >= Some(9), "{summary}");
}

#[test]
fn an_annotated_video_has_all_pictures_and_its_sound() {
    let archive = Archive::new();
    for (name, sound) in [
        ("aac.mp4", "avenc_aac ! mp4mux"),
        // The container for results does not take it as it is.
        ("vorbis.mkv", "vorbisenc ! matroskamux"),
    ] {
        let (encoder, muxer) = sound.split_once(" ! ").expect("both are there");
        let clip = archive.clip(
            name,
            40..60,
            &format!(
                "x264enc speed-preset=ultrafast tune=zerolatency ! h264parse ! mux. \
                 audiotestsrc num-buffers=35 ! {encoder} ! {muxer} name=mux"
            ),
        );
        let out = archive.path("out");
        tagged(&out, &["--annotate"], &[&clip]);
        let annotated = out.join(format!("{name}.annotated.mp4"));
        let (pictures, sounds) = pictures_and_sounds(&annotated);
        assert_eq!(pictures, 20, "{name}");
        assert!(sounds >= 30, "{name}: {sounds}");
    }
}

#[test]
fn a_second_run_leaves_what_is_finished_and_sees_what_has_changed() {
    let archive = Archive::new();
    let picture = archive.path("a.png");
    fs::copy(portrait(), &picture).expect("it is writable");
    let out = archive.path("out");
    let outcome = |arguments: &[&str]| {
        let output = ran(&out, &[&["--json"], arguments].concat(), &[&picture]);
        let events = events(&output);
        events.iter().rev().nth(1).expect("two events")["event"].clone()
    };
    assert_eq!(outcome(&[]), "tagged");
    assert_eq!(outcome(&[]), "tagged before");
    assert_eq!(outcome(&["--no-resume"]), "tagged");
    assert_eq!(outcome(&["--facedetect", "min-size=50"]), "tagged");
    assert_eq!(outcome(&[]), "tagged");
    fs::remove_file(out.join("a.vtt")).expect("it was written");
    assert_eq!(outcome(&[]), "tagged");
    // Neither a later time nor another place is another content.
    fs::remove_file(&picture).expect("it was copied");
    fs::copy(portrait(), &picture).expect("it is writable");
    assert_eq!(outcome(&[]), "tagged before");
    let mut longer = fs::read(&picture).expect("it was copied");
    longer.push(0);
    fs::write(&picture, longer).expect("it is writable");
    assert_eq!(outcome(&[]), "tagged");
    assert_eq!(outcome(&[]), "tagged before");
}

#[test]
fn results_beside_the_videos_replace_nothing_of_the_user_and_are_never_tagged_themselves() {
    let archive = Archive::new();
    let folder = archive.path("talks");
    fs::create_dir_all(folder.join("b")).expect("it is writable");
    archive.clip("talks/a.mp4", 50..60, H264);
    fs::copy(portrait(), folder.join("b/a.png")).expect("it is writable");
    let subtitles = "WEBVTT\n\n00:00.000 --> 00:01.000\nHello.\n";
    archive.text("talks/a.vtt", subtitles);
    let arguments = ["--annotate", "--json"];
    tagged(&folder, &arguments, &[&folder]);
    let first = files(&folder);
    assert_eq!(first["a.vtt"], subtitles.as_bytes());
    for name in [
        "a.mp4.annotated.mp4",
        "a.mp4.jsonl",
        "a.mp4.vtt",
        "b/a.png.jsonl",
        "b/a.vtt",
    ] {
        assert!(first.contains_key(name), "{name}: {:?}", first.keys());
    }
    let last = events(&ran(&folder, &arguments, &[&folder])).pop();
    assert_eq!(last.expect("there are events")["tagged_before"], 2);
    assert!(files(&folder) == first);
}

#[test]
fn a_new_neighbour_changes_no_results_and_root_keeps_folders_in_the_names() {
    let archive = Archive::new();
    let folder = archive.path("in/a");
    fs::create_dir_all(&folder).expect("it is writable");
    let first = folder.join("face.png");
    fs::copy(portrait(), &first).expect("it is writable");
    let (root, out) = (archive.path("in"), archive.path("out"));
    let root = root.to_str().expect("plain names");
    tagged(&out, &["--root", root], &[&first]);
    let before = files(&out);
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        ["a/face.png.jsonl", "a/face.png.summary.json", "a/face.vtt"]
    );
    let record = &records(&out.join("a/face.png.jsonl"))[0];
    assert_eq!(record.source.as_deref(), Some("a/face.png"));

    archive.made("in/a/face.jpg", "videotestsrc num-buffers=1 ! jpegenc");
    tagged(&out, &[], &[Path::new(root)]);
    let mut after = files(&out);
    for name in ["jsonl", "summary.json", "vtt"] {
        let added = after.remove(&format!("a/face.jpg.{name}"));
        assert!(added.is_some(), "{name}");
    }
    assert!(after == before);
}

#[test]
fn a_summary_tells_when_a_video_was_recorded() {
    let archive = Archive::new();
    let clip = archive.clip("clip.mkv", 50..53, "jpegenc ! matroskamux");
    let out = archive.path("out");
    tagged(&out, &[], &[&clip]);
    let summary = summary(&out, "clip.mkv");
    // The muxer writes the time of day.
    let recorded = summary["recorded"].as_str().expect("it is told");
    assert!(
        recorded.starts_with("20") && recorded.ends_with('Z'),
        "{recorded}"
    );
    assert_eq!(summary.get("timecode"), None);
}

#[test]
fn results_of_another_file_with_the_same_name_are_not_replaced() {
    let archive = Archive::new();
    fs::create_dir(archive.path("b")).expect("it is writable");
    let out = archive.path("out");
    let first = archive.made("a.png", "videotestsrc num-buffers=1 ! pngenc");
    let second = archive.made(
        "b/a.png",
        "videotestsrc num-buffers=1 pattern=ball ! pngenc",
    );
    tagged(&out, &[], &[&first]);
    let before = files(&out);
    let output = ran(&out, &[], &[&second]);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("another --out keeps both"), "{errors}");
    assert!(files(&out) == before);
}

#[test]
fn a_broken_file_is_reported_and_the_rest_is_tagged() {
    let archive = Archive::new();
    let whole = archive.clip("whole.mp4", 50..75, H264);
    let bytes = fs::read(&whole).expect("it was written");
    let cut = archive.path("cut.mp4");
    fs::write(&cut, &bytes[..bytes.len() * 2 / 3]).expect("it is writable");
    let broken = [
        (archive.text("empty.mp4", ""), "the file is empty"),
        (
            archive.text("text.mp4", "This is no video, whatever it is called.\n"),
            "no video or picture of a known type",
        ),
        (cut, "the file is cut short"),
        (
            archive.made(
                "sound.mp4",
                "audiotestsrc num-buffers=50 ! avenc_aac ! mp4mux",
            ),
            "no pictures",
        ),
        (
            archive.made("sound.wav", "audiotestsrc num-buffers=50 ! wavenc"),
            "no pictures",
        ),
        (archive.path("missing.mp4"), "there is no such file"),
    ];
    let out = archive.path("out");
    let mut paths: Vec<&Path> = broken.iter().map(|(path, _)| path.as_path()).collect();
    paths.push(&whole);
    let output = ran(&out, &["--json", "--every", "5/s", "--annotate"], &paths);
    assert_eq!(output.status.code(), Some(1));
    let events = events(&output);
    for (path, reason) in &broken {
        let told = events.iter().find(|event| {
            event["event"] == "failed" && event["file"] == path.to_str().expect("plain names")
        });
        let message = told.expect("it is told")["message"].to_string();
        // The user knows no elements of the pipeline.
        assert!(!message.contains("typefind"), "{message}");
        assert!(message.contains(reason), "{}: {message}", path.display());
    }
    let last = events.last().expect("there are events");
    assert_eq!(
        (&last["tagged"], &last["failed"]),
        (&1.into(), &broken.len().into())
    );
    assert_eq!(
        names(&out),
        [
            "whole.mp4.annotated.mp4",
            "whole.mp4.jsonl",
            "whole.mp4.summary.json",
            "whole.vtt"
        ]
    );
}

#[test]
fn an_unreadable_folder_is_reported_and_the_rest_is_tagged() {
    let archive = Archive::new();
    let (locked, open) = (archive.path("in/locked"), archive.path("in/open"));
    let out = archive.path("out");
    for folder in [&locked, &open, &out] {
        fs::create_dir_all(folder).expect("it is writable");
    }
    fs::copy(portrait(), open.join("a.png")).expect("it is writable");
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    allow(&locked, 0o000);
    allow(archive.folder.path(), 0o755);
    let input = archive.path("in");
    let mut command = tag(&out, &[], &[&input]);
    // Root may read everything, so another user has to try.
    if fs::metadata("/proc/self").expect("it is there").uid() == 0 {
        allow(&out, 0o777);
        command.uid(65534).gid(65534).env("HOME", &out);
        if command.output().is_err() {
            emotion_tests::skipped("emotion-tag without rights: no other user may start it");
            return;
        }
    }
    let output = command.output().expect("it starts");
    allow(&locked, 0o755);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("locked: the folder cannot be read: Permission denied"),
        "{errors}"
    );
    assert!(out.join("open/a.png.summary.json").is_file(), "{errors}");
}

/// A small disk; dropping it unmounts it.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir_all(&at).expect("it is writable");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "emotion-test"])
            .arg(&at)
            .output();
        let works = mounted.is_ok_and(|output| output.status.success());
        works.then_some(Self(at))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // If this fails, a few kilobytes of memory stay mounted.
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk_is_reported_and_leaves_nothing_half_written() {
    let archive = Archive::new();
    let clip = archive.clip("clip.mp4", 0..60, H264);
    let Some(disk) = Disk::mount(archive.path("disk"), "16k") else {
        emotion_tests::skipped("emotion-tag on a full disk: mounting one needs root");
        return;
    };
    for arguments in [
        ["--format", "jsonl"],
        ["--format", "csv"],
        ["--every", "25/s"],
    ] {
        let annotate = if arguments[0] == "--every" {
            "--annotate"
        } else {
            "--report"
        };
        let output = ran(&disk.0, &[&arguments[..], &[annotate]].concat(), &[&clip]);
        let errors = String::from_utf8_lossy(&output.stderr);
        // The same command tags it when there is space.
        assert_eq!(output.status.code(), Some(75), "{errors}");
        let told = errors.contains("No space left") || errors.contains("space left");
        assert!(told, "{errors}");
        assert_eq!(names(&disk.0), Vec::<String>::new());
    }
}

/// Starts the program, which writes events as JSON lines, and waits for the first event for which `is_it`.
fn started(command: &mut Command, is_it: impl Fn(&Value) -> bool) -> Child {
    let mut running = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(running.stdout.as_mut().expect("it is piped")).lines();
    let found = lines
        .map_while(Result::ok)
        .any(|line| is_it(&serde_json::from_str(&line).expect("each line is JSON")));
    assert!(found, "it ended before");
    running
}

fn is_in_the_middle_of(name: &'static str) -> impl Fn(&Value) -> bool {
    move |event| {
        event["event"] == "progress"
            && event["frames"].as_u64() >= Some(2)
            && event["file"]
                .as_str()
                .is_some_and(|file| file.ends_with(name))
    }
}

/// Asserts that each summary has all its results and each result its summary.
fn assert_whole(files: &BTreeMap<String, Vec<u8>>) {
    let mut expected = Vec::new();
    for (name, content) in files
        .iter()
        .filter(|(name, _)| name.ends_with(".summary.json"))
    {
        let summary: Value = serde_json::from_slice(content).expect("it is whole");
        let outputs = summary["outputs"].as_array().expect("they are told");
        expected.extend(outputs.iter().filter_map(Value::as_str).map(str::to_owned));
        expected.push(name.clone());
    }
    expected.sort();
    let visible = files.keys().filter(|name| !name.starts_with('.'));
    assert_eq!(visible.cloned().collect::<Vec<_>>(), expected);
}

#[test]
fn killed_in_the_middle_and_started_again_it_leaves_the_same_as_in_one_go() {
    let archive = Archive::new();
    let clips = ["a.mp4", "b.mp4", "c.mp4"].map(|name| archive.clip(name, 0..60, H264));
    let paths = clips.each_ref().map(PathBuf::as_path);
    // Slow enough to be met in the middle of a file.
    let slowly = "detection-interval=1 detection-size=1024 tiles=2";
    let arguments = [
        &["--jobs", "1", "--annotate", "--report", "--json"][..],
        &["--facedetect", slowly],
    ]
    .concat();
    let (at_once, killed) = (archive.path("at once"), archive.path("killed"));
    tagged(&at_once, &arguments, &paths);

    let mut running = started(
        &mut tag(&killed, &arguments, &paths),
        is_in_the_middle_of("b.mp4"),
    );
    running.kill().expect("it runs");
    running.wait().expect("it has ended");
    let left = files(&killed);
    assert_whole(&left);
    assert!(left.contains_key("a.mp4.summary.json") && !left.contains_key("c.mp4.summary.json"));

    let events = events(&ran(&killed, &arguments, &paths));
    let last = events.last().expect("there are events");
    assert_eq!(
        (&last["tagged_before"], &last["tagged"]),
        (&1.into(), &2.into())
    );
    let (expected, found) = (files(&at_once), files(&killed));
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    for (name, content) in found {
        // An encoder may write the time of day into the file.
        assert!(
            name.ends_with(".mp4") || content == expected[&name],
            "{name} differs"
        );
    }
}

#[test]
fn stopped_with_ctrl_c_it_leaves_whole_results_only() {
    assert_whole_results_after("-INT", 130);
}

/// A batch system that needs the machine sends SIGTERM, and starts what ends with 75 again.
#[test]
fn stopped_with_sigterm_it_says_that_another_attempt_goes_on() {
    assert_whole_results_after("-TERM", 75);
}

fn assert_whole_results_after(signal: &str, status: i32) {
    let archive = Archive::new();
    let clips = ["a.mp4", "b.mp4"].map(|name| archive.clip(name, 0..60, H264));
    let paths = clips.each_ref().map(PathBuf::as_path);
    let out = archive.path("out");
    let slowly = "detection-interval=1 detection-size=2048 tiles=4";
    let arguments = ["--jobs", "1", "--json", "--facedetect", slowly];
    let mut running = started(
        &mut tag(&out, &arguments, &paths),
        is_in_the_middle_of("b.mp4"),
    );
    let interrupted = Command::new("kill")
        .args([signal, &running.id().to_string()])
        .status();
    assert!(interrupted.expect("kill starts").success());
    assert_eq!(running.wait().expect("it ends").code(), Some(status));
    assert_eq!(names(&out), ["a.mp4.jsonl", "a.mp4.summary.json", "a.vtt"]);
}

#[test]
fn a_wrong_command_line_says_what_is_expected() {
    let archive = Archive::new();
    for (arguments, said) in [
        (&["--every", "often"][..], "5/s, 1/10s"),
        (&["--jobs", "0"], "--jobs"),
        (&["--format", "xml"], "parquet"),
    ] {
        let output = ran(&archive.path("out"), arguments, &[&portrait()]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(said), "{arguments:?}: {errors}");
    }
    let clip = archive.short_clip("clip.mp4");
    let output = ran(
        &archive.path("out"),
        &["--facedetect", "no-such=1", "--jobs", "2"],
        &[&portrait(), &clip],
    );
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert_eq!(errors.matches("no-such").count(), 1, "{errors}");
    assert!(!archive.path("out").join(".emotion-tag").exists());
}
