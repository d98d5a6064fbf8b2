//! `emotion-tag` on damaged files of all containers: no file costs another one, and none takes more than it may.
//!
//! `EMOTION_MUTATIONS` sets their number; they are the same in every run.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::*;
use emotion_tests::picture::portrait;
use serde_json::Value;

/// Twelve containers and the codecs in them.
const CONTAINERS: [(&str, &str); 12] = [
    ("mp4", "-c:v libx264 -pix_fmt yuv420p -bf 2 -c:a aac"),
    ("mov", "-c:v mjpeg -pix_fmt yuvj420p -c:a pcm_s16le"),
    ("mkv", "-c:v libx264 -pix_fmt yuv420p -bf 2 -c:a libmp3lame"),
    ("webm", "-c:v libvpx -deadline realtime -c:a libopus"),
    ("ts", "-c:v libx264 -pix_fmt yuv420p -c:a mp2"),
    ("m2ts", "-c:v libx264 -pix_fmt yuv420p -c:a ac3"),
    ("mpg", "-c:v mpeg2video -bf 2 -c:a mp2"),
    ("avi", "-c:v mpeg4 -c:a pcm_s16le"),
    ("mxf", "-c:v mpeg2video -c:a pcm_s16le -ar 48000"),
    ("flv", "-c:v flv1 -c:a libmp3lame -ar 44100"),
    ("ogv", "-c:v libtheora -c:a libvorbis"),
    ("wmv", "-c:v wmv2 -c:a wmav2"),
];
/// The number of files where `EMOTION_MUTATIONS` does not tell it.
const USUAL: usize = 100;
/// Every so many damaged files there is a whole one.
const NEIGHBOURS: usize = 10;
/// How long a file may make no progress.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a file may take with a second attempt and the start of a new process, on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);
const MEMORY: u64 = 600 << 20;

/// Numbers that look random and are the same in every run (Marsaglia 2003, xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// A damaged copy of one of the files, and its extension.
fn mutated(numbers: &mut Numbers, files: &[(&str, Vec<u8>)]) -> (String, Vec<u8>) {
    let (extension, file) = &files[numbers.below(files.len())];
    let mut bytes = file.clone();
    let length = bytes.len();
    match numbers.below(5) {
        // Single bytes, more often near the beginning, where the structure is.
        0 => {
            for _ in 0..1 + numbers.below(40) {
                let within = if numbers.below(2) == 0 { 600 } else { length };
                let at = numbers.below(within.min(length));
                bytes[at] = numbers.below(256) as u8;
            }
        }
        1 => bytes.truncate(numbers.below(length)),
        // The beginning of one file and the end of another.
        2 => {
            let (_, other) = &files[numbers.below(files.len())];
            bytes.truncate(numbers.below(length));
            bytes.extend_from_slice(&other[numbers.below(other.len())..]);
        }
        // A part that is missing, or there twice.
        3 => {
            let from = numbers.below(length);
            let to = from + numbers.below(length - from);
            bytes.drain(from..to);
        }
        _ => {
            let from = numbers.below(length);
            let part = bytes[from..from + numbers.below(length - from)].to_vec();
            let at = numbers.below(length);
            bytes.splice(at..at, part);
        }
    }
    ((*extension).to_owned(), bytes)
}

/// The files of which damaged copies are made; `None` without ffmpeg.
fn originals(archive: &Archive) -> Option<Vec<(&'static str, Vec<u8>)>> {
    let input = "-v error -y -f lavfi -i testsrc2=s=64x48:r=25:d=0.6 -f lavfi -i sine=d=0.6";
    let mut files = Vec::new();
    for (extension, codecs) in CONTAINERS {
        let path = archive.path(&format!("original.{extension}"));
        let mut command = Command::new("ffmpeg");
        command.args(input.split_whitespace());
        command.args(codecs.split_whitespace()).arg(&path);
        let output = command.stdin(Stdio::null()).output().ok()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{extension}: {errors}");
        files.push((extension, fs::read(path).expect("it was written")));
    }
    Some(files)
}

/// The most memory that a child process of `program` had, in bytes, until `is_over`.
fn watched_memory(program: u32, is_over: &AtomicBool) -> u64 {
    let mut most = 0;
    while !is_over.load(Ordering::SeqCst) {
        for child in children(program) {
            let status = fs::read_to_string(format!("/proc/{child}/status")).unwrap_or_default();
            let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let kibibytes = resident.and_then(|text| text.trim().strip_suffix(" kB")?.parse().ok());
            most = most.max(kibibytes.unwrap_or(0) << 10);
        }
        thread::park_timeout(Duration::from_millis(20));
    }
    most
}

/// What happened to each file by its name, and how long the longest took.
struct Outcomes {
    by_name: BTreeMap<String, Value>,
    longest: (Duration, String),
}

fn outcomes_in(lines: Vec<(Instant, String)>) -> Outcomes {
    let mut started = BTreeMap::new();
    let mut outcomes = Outcomes {
        by_name: BTreeMap::new(),
        longest: (Duration::ZERO, String::new()),
    };
    for (time, line) in lines {
        let event: Value = serde_json::from_str(&line).expect("each line is JSON");
        let file = Path::new(event["file"].as_str().unwrap_or_default());
        let Some(name) = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
        else {
            continue;
        };
        match event["event"].as_str() {
            Some("started") => {
                started.insert(name, time);
            }
            Some("tagged" | "tagged in part" | "failed") => {
                let took = started
                    .get(&name)
                    .map_or(Duration::ZERO, |start| time - *start);
                if took > outcomes.longest.0 {
                    outcomes.longest = (took, name.clone());
                }
                outcomes.by_name.insert(name, event);
            }
            _ => {}
        }
    }
    outcomes
}

#[test]
fn damaged_files_of_all_containers_cost_no_neighbour_and_no_more_than_they_may() {
    let archive = Archive::new();
    let Some(originals) = originals(&archive) else {
        emotion_tests::skipped("emotion-tag on damaged files: ffmpeg is not installed");
        return;
    };
    let count = std::env::var("EMOTION_MUTATIONS").map_or(USUAL, |count| {
        count.parse().expect("EMOTION_MUTATIONS is a number")
    });
    let folder = archive.path("in");
    fs::create_dir(&folder).expect("it is writable");
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut good = Vec::new();
    for number in 0..count {
        let (extension, bytes) = mutated(&mut numbers, &originals);
        fs::write(folder.join(format!("{number:04}.{extension}")), bytes).expect("it is writable");
        if number % NEIGHBOURS == 0 {
            let (extension, whole) = &originals[number / NEIGHBOURS % originals.len()];
            let name = format!("{number:04}-good.{extension}");
            fs::write(folder.join(&name), whole).expect("it is writable");
            good.push(name);
        }
    }
    let name = "picture-good.png";
    fs::copy(portrait(), folder.join(name)).expect("it is writable");
    good.push(name.into());

    let mut running = Command::new(env!("CARGO_BIN_EXE_emotion-tag"))
        .args(["--json", "--keep-partial", "--jobs", "2"])
        .args(["--timeout", &TIMEOUT.as_secs().to_string()])
        .args(["--memory", &format!("{}M", MEMORY >> 20), "--out"])
        .arg(archive.path("out"))
        .arg(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(running.stdout.take().expect("it is piped")).lines();
    let is_over = AtomicBool::new(false);
    let (lines, most_memory) = thread::scope(|scope| {
        let program = running.id();
        let is_over = &is_over;
        let watched = scope.spawn(move || watched_memory(program, is_over));
        let lines = lines.map_while(Result::ok);
        let lines: Vec<_> = lines.map(|line| (Instant::now(), line)).collect();
        is_over.store(true, Ordering::SeqCst);
        (lines, watched.join().expect("it reads files"))
    });
    let outcomes = outcomes_in(lines);
    let status = running.wait().expect("it ends");
    assert_eq!(status.code(), Some(1), "damaged files are not tagged");
    assert_eq!(outcomes.by_name.len(), count + good.len());
    for name in &good {
        assert_eq!(outcomes.by_name[name]["event"], "tagged", "{name}");
    }
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, outcome) in &outcomes.by_name {
        *kinds
            .entry(outcome["event"].as_str().expect("it has one"))
            .or_default() += 1;
        if outcome["event"] != "tagged" {
            let message = outcome["message"].as_str().unwrap_or_default();
            assert!(!message.is_empty(), "{name}");
            // The user knows no elements of the pipeline.
            for element in ["typefind", "decodebin", "demux0", "queue"] {
                assert!(!message.contains(element), "{name}: {message}");
            }
        }
    }
    let (longest, slowest) = outcomes.longest;
    eprintln!(
        "{count} damaged files: {kinds:?}; longest {:.1} s ({slowest}), most memory {} MiB",
        longest.as_secs_f64(),
        most_memory >> 20
    );
    assert!(longest < LONGEST, "{slowest}: {longest:?}");
    // The memory is looked at every 50 milliseconds.
    assert!(most_memory < MEMORY + (200 << 20), "{most_memory}");
}
