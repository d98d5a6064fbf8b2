//! How often the label of a face changes on real clips, frame by frame and smoothed, and how soon a real change shows.
//! These tests print tables.

use std::path::{Path, PathBuf};

use crate::common::{at, harness};
use emotion_models::preprocess::Region;
use emotion_tests::data;
use gst::prelude::*;
use gst_video::VideoInfo;
use gstemotion::face::{EmotionResult, Face, faces};

const MODELS: [&str; 2] = ["mini_xception", "residual_xception"];

/// How much of each clip is used, in seconds.
const LONGEST: f64 = 60.0;

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

/// The histories of the faces in a clip, matched by their overlap from frame to frame.
fn histories(path: &Path, model: &str) -> Vec<History> {
    let (info, buffers) = frames(path, 0.0, LONGEST);
    let line = format!("emotionfacedetect ! emotionclassify model={model}");
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
        let (mut minutes, mut raw, mut steady) = (0.0, Changes::default(), Changes::default());
        let add = |sum: &mut Changes, more: Changes| {
            sum.all += more.all;
            sum.flicker += more.flicker;
        };
        for path in names.into_iter().map(clip) {
            for history in histories(&path, model) {
                let raw_label = |(time, emotion): &(f64, EmotionResult)| {
                    (*time, emotion.raw.as_ref().unwrap().label.clone())
                };
                let raw_labels: Vec<_> = history.iter().map(raw_label).collect();
                add(
                    &mut raw,
                    changes(raw_labels.iter().map(|(t, l)| (*t, l.as_str()))),
                );
                add(
                    &mut steady,
                    changes(history.iter().map(|(t, e)| (*t, e.label.as_str()))),
                );
                minutes += (history[history.len() - 1].0 - history[0].0) / 60.0;
            }
        }
        let per_minute = |count: usize| count as f64 / minutes;
        eprintln!(
            "{model}: {minutes:.2} minutes of faces; changes a face and minute: {:.1} frame by frame, {:.1} adaptive; \
             of them to labels shown less than {FLICKER} s: {:.1} and {:.1}",
            per_minute(raw.all),
            per_minute(steady.all),
            per_minute(raw.flicker),
            per_minute(steady.flicker),
        );
        assert!(steady.all * 10 <= raw.all, "{model}: {raw:?} {steady:?}");
        assert!(
            steady.flicker * 10 <= raw.flicker,
            "{model}: {raw:?} {steady:?}"
        );
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
        let begin = laughing[0].0;
        let (shown, new) = laughing.iter().find(|(_, label)| label != old).unwrap();
        eprintln!("{model}: {new} instead of {old} after {} ms", shown - begin);
        assert_eq!(new, "happy", "{model}");
        assert!(shown - begin <= 500, "{model}");
        let after = laughing.iter().filter(|(time, _)| time >= shown);
        assert!(after.clone().all(|(_, label)| label == new), "{model}");
    }
}
