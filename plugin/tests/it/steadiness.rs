//! How often the label of a face changes on real clips, frame by frame and smoothed, and how soon a real change shows.
//! These tests print tables.

use std::path::{Path, PathBuf};

use crate::common::{at, harness};
use emotion_models::preprocess::Region;
use emotion_tests::data;
use gst::prelude::*;
use gst_video::VideoInfo;
use gstemotion::face::{EmotionResult, Face, UNCERTAIN, faces};

const MODELS: [&str; 2] = ["mini_xception", "residual_xception"];

/// How much of each clip is used, in seconds.
const LONGEST: f64 = 60.0;

/// That of the default weights.
const THRESHOLD: f64 = 0.45;

/// A label that is shown for less than this is flicker, in seconds.
const FLICKER: f64 = 1.0;

fn clip(name: &str) -> PathBuf {
    data("video").join(name)
}

fn region(face: &Face) -> Region {
    Region {
        x: face.x as f32,
        y: face.y as f32,
        width: face.width as f32,
        height: face.height as f32,
    }
}

/// The frames of a clip from one second to another, grey.
fn frames(path: &Path, from: f64, to: f64) -> (VideoInfo, Vec<gst::Buffer>) {
    crate::common::init();
    let line = format!(
        "filesrc location=\"{}\" ! decodebin ! videoconvert ! video/x-raw,format=GRAY8 \
         ! appsink name=sink sync=false max-buffers=4",
        path.display()
    );
    let pipeline = gst::parse::launch(&line).unwrap();
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("sink").unwrap();
    let sink = sink.downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Paused).unwrap();
    let (state, ..) = pipeline.state(gst::ClockTime::from_seconds(60));
    state.unwrap();
    let time = gst::ClockTime::from_seconds_f64;
    pipeline
        .seek(
            1.0,
            gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE,
            gst::SeekType::Set,
            time(from),
            gst::SeekType::Set,
            time(to),
        )
        .unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut buffers = Vec::new();
    let mut info = None;
    while let Ok(sample) = sink.pull_sample() {
        info = VideoInfo::from_caps(sample.caps().unwrap()).ok();
        buffers.extend(sample.buffer_owned());
    }
    pipeline.set_state(gst::State::Null).unwrap();
    (info.expect("a frame"), buffers)
}

/// The results of one face with their times in seconds.
type History = Vec<(f64, EmotionResult)>;

/// The histories of the faces in a clip with these properties of the classifier, matched by their overlap from frame to frame.
fn histories(path: &Path, properties: &str) -> Vec<History> {
    let (info, buffers) = frames(path, 0.0, LONGEST);
    let line = format!("emotionfacedetect ! emotionclassify {properties}");
    let mut harness = harness(&line, &info);
    let mut tracks: Vec<(Face, History)> = Vec::new();
    for buffer in buffers {
        let out = harness.push_and_pull(buffer).unwrap();
        let time = out.pts().unwrap().seconds_f64();
        for face in faces(&out) {
            let Some(emotion) = face.emotion.clone() else {
                continue;
            };
            let same = tracks.iter_mut().find(|(last, history)| {
                let age = time - history.last().map_or(0.0, |(time, _)| *time);
                age > 0.0 && age < 0.5 && region(last).iou(&region(&face)) > 0.3
            });
            match same {
                Some((last, history)) => {
                    *last = face;
                    history.push((time, emotion));
                }
                None => tracks.push((face, vec![(time, emotion)])),
            }
        }
    }
    tracks.into_iter().map(|(_, history)| history).collect()
}

/// How often a label changed, and how often to one that was flicker.
#[derive(Debug, Default, Clone, Copy)]
struct Changes {
    all: usize,
    flicker: usize,
}

fn changes<'a>(labels: impl Iterator<Item = (f64, &'a str)>) -> Changes {
    let mut changes = Changes::default();
    let mut shown: Option<(f64, &str)> = None;
    let mut is_first = true;
    for (time, label) in labels {
        let Some((since, before)) = shown else {
            shown = Some((time, label));
            continue;
        };
        if before == label {
            continue;
        }
        changes.all += 1;
        changes.flicker += usize::from(!is_first && time - since < FLICKER);
        (shown, is_first) = (Some((time, label)), false);
    }
    changes
}

#[test]
#[ignore = "needs EMOTION_DATA: video/"]
fn on_real_clips_labels_change_far_less_often_than_frame_by_frame() {
    let names = [
        "WolfgangLanger_Pexels.mp4",
        "classroom.mp4",
        "face-demographics-walking-and-pause.mp4",
        "head-pose-face-detection-female-and-male.mp4",
        "head-pose-face-detection-female.mp4",
        "head-pose-face-detection-male.mp4",
        "single_face.mp4",
    ];
    for model in MODELS {
        let mut minutes = 0.0;
        // Frame by frame, without and with a threshold below which a face is uncertain.
        let mut raw = [0.0, THRESHOLD].map(|threshold| (threshold, Changes::default()));
        // With each interval and threshold, the changes and how often the network runs.
        let settings = [("1", 0), ("auto", 0), ("auto", 1)];
        let mut steady = settings.map(|settings| (settings, Changes::default(), 0, 0));
        let add = |sum: &mut Changes, more: Changes| {
            sum.all += more.all;
            sum.flicker += more.flicker;
        };
        for path in names.into_iter().map(clip) {
            for ((interval, threshold), changed, frames, classified) in &mut steady {
                let threshold = raw[*threshold].0;
                let properties =
                    format!("model={model} classify-interval={interval} threshold={threshold}");
                for history in histories(&path, &properties) {
                    add(
                        changed,
                        changes(history.iter().map(|(t, e)| (*t, e.label.as_str()))),
                    );
                    let answers = history.iter();
                    let answers =
                        answers.filter_map(|(time, emotion)| Some((*time, emotion.raw.as_ref()?)));
                    *frames += history.len();
                    *classified += answers.clone().count();
                    if *interval == "1" {
                        minutes += (history[history.len() - 1].0 - history[0].0) / 60.0;
                        for (threshold, sum) in &mut raw {
                            let labels = answers.clone().map(|(time, answer)| {
                                match answer.confidence < *threshold {
                                    true => (time, UNCERTAIN),
                                    false => (time, answer.label.as_str()),
                                }
                            });
                            add(sum, changes(labels));
                        }
                    }
                }
            }
        }
        let per_minute = |count: usize| count as f64 / minutes;
        eprintln!(
            "{model}: {minutes:.2} minutes of faces; changes a face and minute, of them to labels shown less than {FLICKER} s"
        );
        for (threshold, raw) in raw {
            let [all, flicker] = [raw.all, raw.flicker].map(per_minute);
            eprintln!("  frame by frame, threshold={threshold}: {all:.1}, {flicker:.1}");
        }
        for ((interval, threshold), steady, frames, classified) in steady {
            let (threshold, raw) = raw[threshold];
            let [all, flicker] = [steady.all, steady.flicker].map(per_minute);
            let share = 100.0 * classified as f64 / frames as f64;
            eprintln!(
                "  adaptive, classify-interval={interval} threshold={threshold}: {all:.1}, {flicker:.1}; classified on {share:.0} % of the frames"
            );
            let context = format!("{model}, {interval}, {threshold}: {raw:?} {steady:?}");
            // With a threshold, a face that becomes uncertain and is named again has changed twice.
            let least = if threshold > 0.0 { 3 } else { 7 };
            assert!(steady.all * least <= raw.all, "{context}");
            assert!(steady.flicker * 10 <= raw.flicker, "{context}");
        }
    }
}

#[test]
#[ignore = "needs EMOTION_DATA: video/"]
fn where_a_clip_is_spliced_from_two_expressions_the_new_one_shows_within_half_a_second() {
    let path = clip("WolfgangLanger_Pexels.mp4");
    // A serious face, and the same face laughing.
    let pieces = [frames(&path, 1.0, 3.0), frames(&path, 12.0, 14.0)];
    for model in MODELS {
        let line = format!("emotionfacedetect min-size=80 ! emotionclassify model={model}");
        let mut harness = harness(&line, &pieces[0].0);
        let mut ms = 0;
        let mut labels = [const { Vec::<(u64, String)>::new() }; 2];
        for (labels, (_, buffers)) in labels.iter_mut().zip(&pieces) {
            for buffer in buffers {
                let out = harness.push_and_pull(at(buffer.clone(), ms)).unwrap();
                let largest = faces(&out).into_iter().max_by_key(|face| face.width);
                labels.extend(largest.and_then(|face| Some((ms, face.emotion?.label))));
                ms += 42;
            }
        }
        let [serious, laughing] = labels;
        let old = &serious[serious.len() - 1].1;
        assert_ne!(old, "happy", "{model}");
        let begin = laughing[0].0;
        let is_happy = |(_, label): &&(u64, String)| label == "happy";
        let (shown, _) = laughing.iter().find(is_happy).expect(model);
        eprintln!("{model}: happy instead of {old} after {} ms", shown - begin);
        assert!(shown - begin <= 500, "{model}");
        let mut after = laughing.iter().filter(|(time, _)| time >= shown);
        assert!(after.all(|(_, label)| label == "happy"), "{model}");
    }
}

/// The emotions of the largest face on each frame of a piece of a clip that is played after `before`.
fn shown(
    before: &[gst::Buffer],
    piece: &[gst::Buffer],
    info: &VideoInfo,
    properties: &str,
) -> Vec<EmotionResult> {
    let line = format!("emotionfacedetect min-size=80 ! emotionclassify {properties}");
    let mut harness = harness(&line, info);
    let mut emotions = Vec::new();
    for (ms, buffer) in (0..).step_by(42).zip(before.iter().chain(piece)) {
        let out = harness.push_and_pull(at(buffer.clone(), ms)).unwrap();
        let largest = faces(&out).into_iter().max_by_key(|face| face.width);
        emotions.push(largest.and_then(|face| face.emotion));
    }
    emotions.drain(..before.len());
    emotions.into_iter().flatten().collect()
}

#[test]
#[ignore = "needs EMOTION_DATA: video/"]
fn a_clip_that_begins_at_rest_shows_more_neutral_there_and_keeps_its_laughter() {
    let path = clip("WolfgangLanger_Pexels.mp4");
    // The face at rest twice, then laughing.
    let (info, rest) = frames(&path, 1.0, 3.0);
    let (_, laughing) = frames(&path, 12.0, 14.0);
    for model in MODELS {
        let mean = |piece: &[gst::Buffer], label: &str, baseline: &str| {
            let properties = format!("model={model} threshold=0 baseline={baseline}");
            let emotions = shown(&rest, piece, &info, &properties);
            let id = emotions[0]
                .labels
                .iter()
                .position(|known| known == label)
                .unwrap();
            let sum: f64 = emotions
                .iter()
                .map(|emotion| emotion.probabilities[id])
                .sum();
            sum / emotions.len() as f64
        };
        let compared = |piece: &[gst::Buffer], label| {
            ["none", "first-second"].map(|baseline| mean(piece, label, baseline))
        };
        let (neutral, happy) = (compared(&rest, "neutral"), compared(&laughing, "happy"));
        eprintln!("{model}: neutral at rest {neutral:.2?}, happy when laughing {happy:.2?}");
        assert!(neutral[1] > (neutral[0] + 0.2).min(0.5), "{model}");
        assert!(happy[1] > 0.5, "{model}: laughter still leads");
    }
}
