use super::*;
use crate::data::faces::FACE_SIZE;

fn faces(labels: &[Emotion]) -> Faces {
    let mut faces = Faces::default();
    for &label in labels {
        faces.push(&[0; FACE_SIZE * FACE_SIZE], label);
    }
    faces
}

fn assert_close(found: &[f32], expected: [f32; CLASSES]) {
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() < 1e-6, "{found:?}, expected {expected:?}");
    }
}

#[test]
fn a_plain_label_gets_all() {
    let faces = faces(&[Emotion::Disgust]);
    let targets = LabelTargets::new(&faces, TargetSettings::default());
    assert_close(&targets.emotions(0), [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn smoothing_spreads_its_share_over_all_classes() {
    let faces = faces(&[Emotion::Fear]);
    let labelling = TargetSettings {
        smoothing: 0.7,
        ..TargetSettings::default()
    };
    let expected = [0.1, 0.1, 0.4, 0.1, 0.1, 0.1, 0.1];
    assert_close(&LabelTargets::new(&faces, labelling).emotions(0), expected);
}

#[test]
fn votes_take_their_share_of_the_label_where_there_are_any() {
    let mut faces = faces(&[Emotion::Angry, Emotion::Angry]);
    let votes = Votes::new([2, 0, 8, 0, 0, 0, 0, 3, 0, 1]);
    faces.set_votes(vec![Some(votes), None]);
    let labelling = TargetSettings {
        votes_share: 0.5,
        ..TargetSettings::default()
    };
    let targets = LabelTargets::new(&faces, labelling);
    assert_close(&targets.emotions(0), [0.6, 0.0, 0.4, 0.0, 0.0, 0.0, 0.0]);
    assert_close(&targets.emotions(1), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn full_balance_gives_each_class_the_same_say_and_the_mean_face_the_weight_1() {
    let labels = [
        [Emotion::Happy; 6].as_slice(),
        &[Emotion::Sad; 3],
        &[Emotion::Disgust; 1],
    ]
    .concat();
    let weights = class_weights(&labels, 1.0);
    for (emotion, count) in [
        (Emotion::Happy, 6.0),
        (Emotion::Sad, 3.0),
        (Emotion::Disgust, 1.0),
    ] {
        let say = count * weights[emotion.label_id()];
        assert!((say - 10.0 / 3.0).abs() < 1e-5, "{emotion}: {say}");
    }
    assert_close(&class_weights(&labels, 0.0), [1.0; CLASSES]);
}

#[test]
fn the_weight_of_a_face_scales_its_targets() {
    let faces = faces(&[Emotion::Happy, Emotion::Happy, Emotion::Happy, Emotion::Sad]);
    let labelling = TargetSettings {
        smoothing: 0.1,
        class_balance: 1.0,
        ..TargetSettings::default()
    };
    let targets = LabelTargets::new(&faces, labelling);
    let sums = [0, 3].map(|row| targets.emotions(row).iter().sum::<f32>());
    assert!(
        (sums[0] - 2.0 / 3.0).abs() < 1e-6 && (sums[1] - 2.0).abs() < 1e-6,
        "{sums:?}"
    );
}

#[test]
fn a_face_without_a_label_has_a_target_for_a_drawn_cover_only() {
    let mut faces = faces(&[Emotion::Happy]);
    faces.push_unlabelled(&[0; FACE_SIZE * FACE_SIZE]);
    let targets = LabelTargets::new(&faces, TargetSettings::default());
    assert_eq!(targets.of(0, true)[CLASSES..], [1.0, 0.0]);
    assert_eq!(targets.of(0, false)[CLASSES..], [0.0, 1.0]);
    assert_eq!(
        targets.of(1, true),
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    );
    assert_eq!(targets.of(1, false), [0.0; CLASSES + 2]);
}
