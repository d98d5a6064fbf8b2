use super::super::timeline::tests::{face, record, timeline};
use super::*;

#[test]
fn a_single_face_has_its_emotion_only() {
    let records = [(0.0, "happy"), (1.0, "happy"), (2.0, "sad")];
    let records = records.map(|(time, label)| record(time, vec![face(5, 0, label, 0.5)]));
    assert_eq!(
        web_vtt("a/talk.mp4", &timeline(records.to_vec())),
        "WEBVTT emotions of a/talk.mp4\n\n00:00:00.000 --> 00:00:02.000\nhappy\n\n00:00:02.000 --> 00:00:03.000\nsad\n"
    );
}

#[test]
fn several_faces_have_a_line_each_and_a_new_cue_whenever_one_changes() {
    let timeline = timeline(vec![
        record(3600.0, vec![face(1, 0, "happy", 0.5)]),
        record(
            3601.0,
            vec![face(1, 0, "happy", 0.5), face(2, 0, "fear", 0.5)],
        ),
        record(3602.0, vec![face(2, 0, "fear", 0.5)]),
        record(3603.0, vec![]),
    ]);
    assert_eq!(
        web_vtt("talk.mp4", &timeline),
        "WEBVTT emotions of talk.mp4\n\n01:00:00.000 --> 01:00:01.000\nface 1: happy\n\n\
         01:00:01.000 --> 01:00:02.000\nface 1: happy\nface 2: fear\n\n\
         01:00:02.000 --> 01:00:03.000\nface 2: fear\n"
    );
}

#[test]
fn what_is_too_short_to_be_read_is_omitted() {
    let times = [
        (0.0, "happy"),
        (1.0, "sad"),
        (1.04, "happy"),
        (2.0, "happy"),
    ];
    let records = times.map(|(time, label)| record(time, vec![face(1, 0, label, 0.5)]));
    let timeline = timeline(records.to_vec());
    let cues = cues(&timeline);
    assert_eq!(cues.len(), 1, "{cues:?}");
    assert_eq!((cues[0].start, cues[0].end), (0, 2960));
}

#[test]
fn a_crowd_does_not_cover_the_video() {
    let crowd = (0..9).map(|id| face(id, 0, "<b>", 0.5)).collect();
    let text = web_vtt(
        "talk.mp4",
        &timeline(vec![record(0.0, crowd), record(1.0, vec![])]),
    );
    assert!(text.ends_with("face 2: &lt;b&gt;\nand 6 more\n"), "{text}");
}

#[test]
fn without_faces_there_are_no_cues() {
    assert_eq!(
        web_vtt("talk.mp4", &timeline(vec![record(0.0, vec![])])),
        "WEBVTT emotions of talk.mp4\n"
    );
}

#[test]
fn captions_name_the_file_that_they_are_about_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.vtt");
    for name in ["a/talk.mp4", "a\nb --> c.mp4", "Gespräch.mkv"] {
        let text = web_vtt(name, &timeline(vec![record(0.0, vec![])]));
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains("-->"), "{text}");
        std::fs::write(&path, text).unwrap();
        assert!(is_about(&path, name), "{name}");
        assert!(!is_about(&path, "talk.mp4"), "{name}");
    }
    std::fs::write(&path, "WEBVTT\n\n00:01.000 --> 00:02.000\nHello.\n").unwrap();
    assert!(!is_about(&path, "talk.mp4"));
    assert!(!is_about(&folder.path().join("missing.vtt"), "talk.mp4"));
}

#[test]
fn an_uncertain_face_is_grey() {
    let records = [(0.0, "uncertain"), (1.0, "happy")];
    let records = records.map(|(time, label)| record(time, vec![face(5, 0, label, 0.3)]));
    assert_eq!(
        web_vtt("talk.mp4", &timeline(records.to_vec())),
        "WEBVTT emotions of talk.mp4\n\nSTYLE\n::cue(.uncertain) { color: #b4bcc6 }\n\n\
         00:00:00.000 --> 00:00:01.000\n<c.uncertain>uncertain</c>\n\n\
         00:00:01.000 --> 00:00:02.000\nhappy\n"
    );
}
