use emotion_models::preprocess::{GreyImage, Landmarks, Region};
use emotion_models::{UNCERTAIN, Weights};
use emotion_tests::weights::ConstantAnswer;

use super::*;

const SIDE: usize = 100;

/// A grey picture that is symmetric and has detail, so that its crop has no flaw.
fn picture() -> Vec<u8> {
    let value = |i: usize| {
        let (x, y) = ((i % SIDE).abs_diff(SIDE / 2), i / SIDE);
        (x * 37 + y * 91) as u8
    };
    (0..SIDE * SIDE).map(value).collect()
}

fn analyzer(answer: &ConstantAnswer) -> FaceAnalyzer {
    FaceAnalyzer::new(Classifier::new(&answer.weights()).unwrap())
}

fn face(id: i32) -> FacePosition {
    FacePosition {
        object_id: Some(id),
        region: Region::new(10.0, 10.0, 80.0, 80.0),
        landmarks: None,
    }
}

fn at(analyzer: &mut FaceAnalyzer, ms: u64, ids: &[i32], options: &Options) -> FrameResults {
    let picture = picture();
    let image = GreyImage::new(&picture, SIDE, SIDE, SIDE).unwrap();
    let faces: Vec<_> = ids.iter().map(|&id| face(id)).collect();
    let time = Some(Duration::from_millis(ms));
    analyzer.analyze(&image, &faces, time, options).unwrap()
}

/// The emotion on the first frame.
fn first(answer: &ConstantAnswer, options: &Options) -> EmotionResult {
    let results = at(&mut analyzer(answer), 0, &[1], options);
    results.faces[0].emotion.clone()
}

#[test]
fn the_threshold_is_that_of_the_weights_unless_another_is_set() {
    let cases = [
        (None, None, "happy", 0.0),
        (Some(0.55), None, "happy", 0.55),
        (Some(0.65), None, UNCERTAIN, 0.65),
        (Some(0.65), Some(0.5), "happy", 0.5),
        (Some(0.65), Some(0.0), "happy", 0.0),
        (None, Some(0.65), UNCERTAIN, 0.65),
    ];
    for (of_weights, of_options, label, threshold) in cases {
        let answer = ConstantAnswer {
            threshold: of_weights,
            ..ConstantAnswer::default()
        };
        let options = Options {
            threshold: of_options,
            ..Options::default()
        };
        let emotion = first(&answer, &options);
        assert_eq!(emotion.label, label, "{of_weights:?} {of_options:?}");
        assert_eq!(emotion.threshold, Some(threshold));
        assert_eq!(emotion.labels[emotion.label_id], "happy");
    }
}

#[test]
fn other_weights_bring_their_own_threshold_and_say_which_they_are() {
    let strict = ConstantAnswer {
        name: "strict",
        threshold: Some(0.9),
        ..ConstantAnswer::default()
    };
    let mut analyzer = analyzer(&ConstantAnswer::default());
    let options = Options::default();
    let before = at(&mut analyzer, 0, &[1], &options).faces[0]
        .emotion
        .clone();
    analyzer.set_classifier(Classifier::new(&strict.weights()).unwrap());
    let after = at(&mut analyzer, 40, &[1], &options).faces[0]
        .emotion
        .clone();
    assert_eq!((&*before.label, &*after.label), ("happy", UNCERTAIN));
    assert_eq!(
        (&*before.model_name, &*after.model_name),
        ("constant", "strict")
    );
    assert_eq!(
        after.weights_id,
        WeightsId::of(&strict.weights()).fingerprint
    );
}

#[test]
fn a_covered_face_has_a_low_quality_and_is_uncertain() {
    for (cover, quality, label) in [
        (0.1, 0.9, "happy"),
        (0.45, 0.55, "happy"),
        (0.9, 0.1, UNCERTAIN),
    ] {
        let answer = ConstantAnswer {
            threshold: Some(0.4),
            cover: Some(cover),
            ..ConstantAnswer::default()
        };
        let emotion = first(&answer, &Options::default());
        assert!(
            (emotion.quality.unwrap() - quality).abs() < 1e-3,
            "{emotion:?}"
        );
        assert_eq!(emotion.label, label, "{cover}");
        let named = first(
            &answer,
            &Options {
                threshold: Some(0.0),
                ..Options::default()
            },
        );
        assert_eq!(named.label, "happy", "a threshold of 0 names every face");
    }
}

#[test]
fn the_mirror_image_counts_for_the_cover_as_well() {
    let answer = ConstantAnswer {
        cover: Some(0.25),
        ..ConstantAnswer::default()
    };
    let options = Options {
        mirror: true,
        ..Options::default()
    };
    let quality = first(&answer, &options).quality.unwrap();
    assert!((quality - 0.75).abs() < 1e-3, "{quality}");
}

#[test]
fn a_sure_face_is_classified_twice_a_second_and_keeps_its_cover_between() {
    let answer = ConstantAnswer {
        cover: Some(0.25),
        ..ConstantAnswer::default()
    };
    let mut analyzer = analyzer(&answer);
    let mut looks = Vec::new();
    for ms in (0..1200).step_by(40) {
        let results = at(&mut analyzer, ms, &[1], &Options::default());
        let emotion = &results.faces[0].emotion;
        assert!((emotion.quality.unwrap() - 0.75).abs() < 1e-3);
        assert_eq!(emotion.raw.is_some(), results.classified == 1);
        looks.extend((results.classified == 1).then_some(ms));
    }
    assert_eq!(looks, [0, 40, 80, 600, 1120]);
}

#[test]
fn a_face_that_hovers_about_the_threshold_stays_uncertain() {
    let mut analyzer = analyzer(&ConstantAnswer::default());
    let mut labels = Vec::new();
    for (frame, ms) in (0..4000).step_by(40).enumerate() {
        let threshold = [0.61, 0.58, 0.59][frame % 3];
        let options = Options {
            threshold: Some(threshold),
            interval: "1".parse().unwrap(),
            ..Options::default()
        };
        labels.extend(at(&mut analyzer, ms, &[1], &options).changes);
    }
    assert_eq!(labels.len(), 1, "{labels:?}");
    assert_eq!(labels[0].new, UNCERTAIN);
}

#[test]
fn a_face_near_the_threshold_is_classified_more_often() {
    let near = ConstantAnswer {
        threshold: Some(0.52),
        ..ConstantAnswer::default()
    };
    let mut analyzer = analyzer(&near);
    let frames = (0..1200).step_by(40);
    let looks =
        frames.filter(|&ms| at(&mut analyzer, ms, &[1], &Options::default()).classified == 1);
    assert_eq!(looks.collect::<Vec<_>>(), [0, 40, 80, 160, 280, 520, 1000]);
}

#[test]
fn without_time_to_classify_faces_keep_their_emotions_and_new_ones_have_none() {
    let mut analyzer = analyzer(&ConstantAnswer::default());
    let before = at(&mut analyzer, 0, &[1], &Options::default()).faces[0]
        .emotion
        .clone();
    let time = Some(Duration::from_millis(40));
    let kept = analyzer.keep_emotions(&[face(2), face(1)], time);
    assert_eq!((kept.classified, kept.changes.len()), (0, 0));
    let [kept] = &kept.faces[..] else {
        panic!("{kept:?}")
    };
    assert_eq!((kept.index, kept.id), (1, 1));
    assert_eq!(
        kept.emotion,
        EmotionResult {
            raw: None,
            ..before
        }
    );
    let after = at(&mut analyzer, 80, &[1, 2], &Options::default());
    assert_eq!(
        after.classified, 2,
        "the new face and the one that is not settled"
    );
}

#[test]
fn a_face_at_rest_becomes_neutral_after_its_baseline_was_learnt() {
    let mut analyzer = analyzer(&ConstantAnswer::default());
    let options = Options::default();
    assert!(!analyzer.learn_baseline(Some(1)), "it was not seen yet");
    at(&mut analyzer, 0, &[1, 2], &options);
    assert!(analyzer.learn_baseline(Some(1)) && !analyzer.learn_baseline(Some(3)));
    let labels = |results: FrameResults| {
        let faces = results.faces.into_iter();
        faces.map(|face| face.emotion.label).collect::<Vec<_>>()
    };
    for ms in (40..1040).step_by(40) {
        let results = at(&mut analyzer, ms, &[1, 2], &options);
        assert!(
            results.classified >= 1,
            "a face that is learnt is classified on each frame"
        );
        assert_eq!(labels(results), ["happy", "happy"]);
    }
    let later = (1040..2500).step_by(40);
    let last = later.map(|ms| at(&mut analyzer, ms, &[1, 2], &options));
    let last = last.last().unwrap();
    let (first, other) = (&last.faces[0].emotion, &last.faces[1].emotion);
    assert_eq!((&*first.label, &*other.label), ("neutral", "happy"));

    // It comes back after it was forgotten.
    let back = at(&mut analyzer, 20_000, &[1], &options);
    assert_eq!(labels(back), ["neutral"]);
    assert!(analyzer.learn_baseline(None));
    analyzer.forget_faces();
    assert_eq!(labels(at(&mut analyzer, 0, &[1], &options)), ["happy"]);
}

#[test]
fn recordings_that_begin_at_rest_have_baselines_after_the_first_second() {
    let mut analyzer = analyzer(&ConstantAnswer::default());
    let options = Options {
        begins_at_rest: true,
        ..Options::default()
    };
    let mut label = |ms, id| {
        let results = at(&mut analyzer, ms, &[id], &options);
        results.faces[0].emotion.label.clone()
    };
    let frames = (0..2000).step_by(40).map(|ms| label(ms, 1));
    assert_eq!(frames.last().unwrap(), "neutral");
    assert_eq!(label(2000, 2), "happy", "a face that came later");
}

/// The emotion of the face in the middle of `pixels`, whose landmarks are tilted by `roll_degrees`.
fn tilted(pixels: &[u8], roll_degrees: f32, align: bool) -> EmotionResult {
    let (sin, cos) = roll_degrees.to_radians().sin_cos();
    let upright = [
        [-15.0, -10.0],
        [15.0, -10.0],
        [0.0, 5.0],
        [-10.0, 20.0],
        [10.0, 20.0],
    ];
    let landmarks =
        Landmarks(upright).map(|[x, y]| [50.0 + cos * x - sin * y, 50.0 + sin * x + cos * y]);
    let position = FacePosition {
        landmarks: Some(landmarks),
        ..face(1)
    };
    let options = Options {
        align,
        threshold: Some(0.0),
        ..Options::default()
    };
    let classifier = Classifier::new(&Weights::embedded().unwrap()).unwrap();
    let image = GreyImage::new(pixels, SIDE, SIDE, SIDE).unwrap();
    let results = FaceAnalyzer::new(classifier)
        .analyze(&image, &[position], None, &options)
        .unwrap();
    results.faces[0].emotion.clone()
}

#[test]
fn a_tilted_face_is_turned_upright_before_it_is_classified() {
    // A bright eye at the upper left, so that turning it by 90 degrees is another picture.
    let value = |x: usize, y: usize| {
        let distance = (x.abs_diff(35).pow(2) + y.abs_diff(35).pow(2)) as f32;
        (40.0 + 200.0 * (-distance / 60.0).exp() + 30.0 * (y as f32 / 9.0).sin()) as u8
    };
    let upright: Vec<u8> = (0..SIDE * SIDE)
        .map(|i| value(i % SIDE, i / SIDE))
        .collect();
    // What was at the upper left is at the upper right.
    let turned: Vec<u8> = (0..SIDE * SIDE)
        .map(|i| value(i / SIDE, SIDE - 1 - i % SIDE))
        .collect();
    let expected = tilted(&upright, 0.0, true).probabilities;
    let difference = |found: EmotionResult| -> f64 {
        let pairs = found.probabilities.iter().zip(&expected);
        pairs
            .map(|(found, expected)| (found - expected).abs())
            .sum()
    };
    let aligned = difference(tilted(&turned, 90.0, true));
    let as_it_is = difference(tilted(&turned, 90.0, false));
    assert!(aligned < 0.05, "{aligned}");
    assert!(
        as_it_is > 4.0 * aligned.max(0.02),
        "{as_it_is} and {aligned}"
    );
}

#[test]
fn landmarks_tell_that_a_face_is_turned_away() {
    let quality = |nose: f32| {
        let picture = picture();
        let image = GreyImage::new(&picture, SIDE, SIDE, SIDE).unwrap();
        let points = [
            [35.0, 40.0],
            [65.0, 40.0],
            [nose, 55.0],
            [40.0, 70.0],
            [60.0, 70.0],
        ];
        let position = FacePosition {
            landmarks: Some(Landmarks(points)),
            ..face(1)
        };
        let results = analyzer(&ConstantAnswer::default())
            .analyze(&image, &[position], None, &Options::default())
            .unwrap();
        results.faces[0].emotion.quality.unwrap()
    };
    assert!(quality(50.0) > 0.9, "{}", quality(50.0));
    assert!(quality(90.0) < 0.3, "{}", quality(90.0));
}
