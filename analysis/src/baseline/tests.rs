use super::*;

/// Sad, happy, neutral.
const NEUTRAL_LABEL: Option<usize> = Some(2);
const SAD_AT_REST: [f64; 3] = [0.6, 0.05, 0.35];
const SMILE: [f64; 3] = [0.3, 0.6, 0.1];

/// The last of `seconds` of results at 25 frames a second.
fn after(baseline: &mut PersonalBaseline, seconds: u64, probabilities: [f64; 3]) -> Vec<f64> {
    let start = baseline.last.unwrap_or_default();
    let frames = (1..=25 * seconds).map(|i| start + Duration::from_millis(40 * i));
    let adjusted = frames.map(|time| baseline.adjust(time, &probabilities, 1.0, NEUTRAL_LABEL));
    adjusted.last().unwrap()
}

#[test]
fn the_first_result_stands_as_it_is() {
    let adjusted =
        PersonalBaseline::default().adjust(Duration::ZERO, &SAD_AT_REST, 1.0, NEUTRAL_LABEL);
    for (adjusted, given) in adjusted.iter().zip(SAD_AT_REST) {
        assert!((adjusted - given).abs() < 1e-9);
    }
}

#[test]
fn a_face_that_looks_sad_at_rest_becomes_neutral_and_its_smile_stays_happy() {
    let mut baseline = PersonalBaseline::default();
    let rest = after(&mut baseline, 30, SAD_AT_REST);
    assert!(rest[2] > rest[0] && rest[2] > rest[1], "{rest:?}");
    let smile = after(&mut baseline, 1, SMILE);
    assert!(smile[1] > smile[0] && smile[1] > smile[2], "{smile:?}");
    assert!((smile.iter().sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn results_without_weight_change_nothing() {
    let mut baseline = PersonalBaseline::default();
    for i in 0..1000 {
        let time = Duration::from_millis(40 * i);
        let adjusted = baseline.adjust(time, &SAD_AT_REST, 0.0, NEUTRAL_LABEL);
        assert!((adjusted[0] - 0.6).abs() < 1e-9);
    }
}

#[test]
fn a_time_that_goes_back_begins_anew() {
    let mut baseline = PersonalBaseline::default();
    after(&mut baseline, 30, SAD_AT_REST);
    let adjusted = baseline.adjust(Duration::ZERO, &SMILE, 1.0, NEUTRAL_LABEL);
    assert!((adjusted[1] - 0.6).abs() < 1e-9);
}

#[test]
fn impossible_and_certain_results_stay_finite() {
    let mut baseline = PersonalBaseline::default();
    let sure = after(&mut baseline, 60, [0.0, 0.0, 1.0]);
    assert!(sure.iter().all(|p| p.is_finite() && *p >= 0.0));
}
