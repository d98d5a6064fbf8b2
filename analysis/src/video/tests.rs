use super::*;
use emotion_detect::NetworkDetector;
use emotion_models::preprocess::{GreyImage, luma};

/// Eight frames in which the portrait moves to the left, 4 pixels a frame.
fn frames() -> impl Iterator<Item = (Duration, Vec<u8>)> {
    let picture = emotion_tests::picture::rgb(&emotion_tests::picture::portrait());
    (0..8u64).map(move |frame| {
        let rows = picture.pixels.chunks(512);
        let shifted = rows.flat_map(|row| row[4 * frame as usize..][..400].to_vec());
        let grey = shifted.map(|[red, green, blue]| luma(red, green, blue));
        (Duration::from_millis(40 * frame), grey.collect())
    })
}

fn video() -> VideoAnalyzer {
    let detector = NetworkDetector::built_in().unwrap();
    VideoAnalyzer::new(Classifier::embedded().unwrap(), detector.into())
}

fn analyze(video: &mut VideoAnalyzer, time: Duration, pixels: &[u8]) -> Vec<AnalyzedFace> {
    let image = GreyImage::new(pixels, 400, 512, 400).unwrap();
    let detection = emotion_detect::Options::default();
    video
        .frame(&image, time, &detection, &Options::default())
        .unwrap()
}

#[test]
fn a_face_that_moves_keeps_its_id_and_its_box_follows() {
    let mut video = video();
    let mut lefts = Vec::new();
    for (time, pixels) in frames() {
        let faces = analyze(&mut video, time, &pixels);
        let [face] = &faces[..] else {
            panic!("{time:?}: {faces:?}")
        };
        assert_eq!(
            (face.id, &*face.emotion.label),
            (Some(1), "happy"),
            "{time:?}"
        );
        lefts.push(face.x);
    }
    let way = lefts[0] - lefts[7];
    assert!(
        (24..=32).contains(&way),
        "moved by 28 pixels, found {lefts:?}"
    );
}

#[test]
fn where_times_go_back_emotions_begin_anew_and_ids_stay() {
    let mut video = video();
    let (_, pixels) = frames().next().unwrap();
    let second = Duration::from_secs(1);
    assert_eq!(analyze(&mut video, second, &pixels)[0].id, Some(1));
    let again = analyze(&mut video, Duration::ZERO, &pixels);
    assert_eq!(again[0].id, Some(1));
    assert!(
        again[0].emotion.raw.is_some(),
        "it was classified on this frame"
    );
}
