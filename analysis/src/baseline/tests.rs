use super::*;

/// Sad, happy, neutral.
const NEUTRAL_LABEL: usize = 2;
const SAD_AT_REST: [f64; 3] = [0.6, 0.05, 0.35];
const SMILE: [f64; 3] = [0.3, 0.6, 0.1];

const FACE: FaceKey = FaceKey {
    is_tracked: true,
    id: 7,
};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn answer(baselines: &mut Baselines, at: u64, face: FaceKey, probabilities: [f64; 3]) -> Vec<f64> {
    baselines.begin_frame(ms(at), false);
    baselines.adjust(face, &probabilities, 1.0, NEUTRAL_LABEL)
}

/// The baselines after a second of rest that begins at 0.
fn learnt(id: Option<i32>, rest: [f64; 3]) -> Baselines {
    let mut baselines = Baselines::default();
    baselines.request(id);
    for at in (0..1000).step_by(40) {
        let given = answer(&mut baselines, at, FACE, rest);
        assert_eq!(given, rest, "while it is learnt");
    }
    baselines
}

#[test]
fn a_face_that_looks_sad_at_rest_becomes_neutral_and_its_smile_stays_happy() {
    let mut baselines = learnt(None, SAD_AT_REST);
    let rest = answer(&mut baselines, 1000, FACE, SAD_AT_REST);
    assert!((rest[2] - 3.0 * rest[0]).abs() < 1e-9, "{rest:?}");
    assert!((rest.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    let smile = answer(&mut baselines, 1040, FACE, SMILE);
    assert!(smile[1] > 0.75, "{smile:?}");
}

#[test]
fn a_face_that_is_neutral_at_rest_keeps_its_answers() {
    let mut baselines = learnt(None, [0.1, 0.1, 0.8]);
    for given in [SMILE, SAD_AT_REST] {
        let adjusted = answer(&mut baselines, 2000, FACE, given);
        for (adjusted, given) in adjusted.iter().zip(given) {
            assert!((adjusted - given).abs() < 1e-9);
        }
    }
}

#[test]
fn only_the_face_that_was_asked_for_has_a_baseline_and_only_it_is_being_learnt() {
    let other = FaceKey { id: 8, ..FACE };
    let mut baselines = Baselines::default();
    baselines.request(Some(7));
    baselines.begin_frame(ms(0), false);
    assert!(baselines.is_learning(FACE) && !baselines.is_learning(other));
    let mut baselines = learnt(Some(7), SAD_AT_REST);
    assert_eq!(
        answer(&mut baselines, 1000, other, SAD_AT_REST),
        SAD_AT_REST
    );
    assert!(!baselines.is_learning(FACE), "the second is over");
    assert_ne!(answer(&mut baselines, 1000, FACE, SAD_AT_REST), SAD_AT_REST);
}

#[test]
fn a_baseline_outlasts_the_absence_of_its_face_and_a_new_one_replaces_it() {
    let mut baselines = learnt(None, SAD_AT_REST);
    assert!(answer(&mut baselines, 60_000, FACE, SAD_AT_REST)[2] > 0.6);
    baselines.request(Some(7));
    for at in 61_000..62_000 {
        answer(&mut baselines, at, FACE, [0.05, 0.05, 0.9]);
    }
    let smile = answer(&mut baselines, 62_000, FACE, SMILE);
    assert!((smile[1] - SMILE[1]).abs() < 1e-9, "{smile:?}");
}

#[test]
fn the_first_frame_with_a_face_begins_the_first_second_and_no_later_one_does() {
    let mut baselines = Baselines::default();
    baselines.begin_frame(ms(3000), true);
    assert!(baselines.is_learning(FACE));
    baselines.begin_frame(ms(4000), true);
    assert!(!baselines.is_learning(FACE));
    baselines.forget_faces();
    baselines.begin_frame(ms(0), true);
    assert!(!baselines.is_learning(FACE), "after a jump in the stream");
}

#[test]
fn answers_without_weight_teach_nothing() {
    let mut baselines = Baselines::default();
    baselines.request(None);
    baselines.begin_frame(ms(0), false);
    baselines.adjust(FACE, &SAD_AT_REST, 0.0, NEUTRAL_LABEL);
    assert_eq!(answer(&mut baselines, 1000, FACE, SAD_AT_REST), SAD_AT_REST);
}

#[test]
fn impossible_and_certain_answers_stay_finite() {
    let mut baselines = learnt(None, [1.0, 0.0, 0.0]);
    for given in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] {
        let adjusted = answer(&mut baselines, 1000, FACE, given);
        assert!(
            (adjusted.iter().sum::<f64>() - 1.0).abs() < 1e-9,
            "{adjusted:?}"
        );
    }
}

#[test]
fn memory_is_bounded() {
    let mut baselines = Baselines::default();
    baselines.request(None);
    baselines.begin_frame(ms(0), false);
    for id in 0..5000 {
        baselines.adjust(FaceKey { id, ..FACE }, &SMILE, 1.0, NEUTRAL_LABEL);
    }
    assert_eq!(baselines.faces.len(), MAX_BASELINES);
}
