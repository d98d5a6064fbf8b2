use super::*;
use crate::labels::Renaming;

const WINDOW: Duration = Duration::from_secs(1);
const SAD: [f64; 3] = [0.7, 0.2, 0.1];
const HAPPY: [f64; 3] = [0.2, 0.7, 0.1];

fn three() -> LabelGroups {
    LabelGroups::new(
        &["sad", "happy", "neutral"].map(String::from),
        &Renaming::default(),
    )
}

fn options(method: SmoothingMethod, groups: &LabelGroups) -> SmoothingOptions<'_> {
    SmoothingOptions {
        method,
        window: WINDOW,
        groups,
    }
}

/// The labels shown for results of full weight 40 ms apart.
fn labels(method: SmoothingMethod, results: &[[f64; 3]]) -> Vec<usize> {
    let weighted: Vec<_> = results.iter().map(|result| (*result, 1.0)).collect();
    shown(method, &three(), &weighted)
}

fn shown(method: SmoothingMethod, groups: &LabelGroups, results: &[([f64; 3], f64)]) -> Vec<usize> {
    let mut smoother = Smoother::default();
    let frame = |i: usize| Duration::from_millis(40 * i as u64);
    let options = options(method, groups);
    (results.iter().enumerate())
        .map(|(i, (result, weight))| smoother.update(frame(i), result, *weight, options).label_id)
        .collect()
}

#[test]
fn a_real_change_shows_within_half_a_second() {
    let change = [[SAD; 50], [HAPPY; 50]].concat();
    let shown = labels(SmoothingMethod::Adaptive, &change);
    assert!(shown[..50].iter().all(|&label| label == 0));
    let frames = shown[50..].iter().position(|&label| label == 1).unwrap();
    assert!(frames * 40 <= 500, "{frames} frames");
    assert!(shown[50 + frames..].iter().all(|&label| label == 1));
}

#[test]
fn a_face_between_two_emotions_keeps_its_label_only_when_smoothed() {
    let flicker: Vec<_> = (0..100)
        .map(|i| if i % 2 == 0 { SAD } else { HAPPY })
        .collect();
    let changes = |method| {
        let shown = labels(method, &flicker);
        shown.windows(2).filter(|pair| pair[0] != pair[1]).count()
    };
    assert_eq!(changes(SmoothingMethod::None), 99);
    assert_eq!(changes(SmoothingMethod::Adaptive), 0);
}

#[test]
fn a_tie_keeps_the_shown_label() {
    for method in [SmoothingMethod::Mode, SmoothingMethod::Mean] {
        assert_eq!(labels(method, &[HAPPY, SAD]), [1, 1], "{method:?}");
    }
}

#[test]
fn a_time_that_goes_back_begins_anew() {
    let mut smoother = Smoother::default();
    let at = Duration::from_secs;
    let groups = three();
    smoother.update(
        at(9),
        &SAD,
        1.0,
        options(SmoothingMethod::Adaptive, &groups),
    );
    let smoothed = smoother.update(
        at(1),
        &HAPPY,
        1.0,
        options(SmoothingMethod::Adaptive, &groups),
    );
    assert_eq!(
        (smoothed.label_id, smoothed.probabilities),
        (1, HAPPY.to_vec())
    );
}

#[test]
fn memory_is_bounded_at_any_frame_rate() {
    let mut smoother = Smoother::default();
    let groups = three();
    for i in 0..10_000 {
        smoother.update(
            Duration::from_nanos(i),
            &SAD,
            1.0,
            options(SmoothingMethod::Mean, &groups),
        );
    }
    assert_eq!(smoother.results.len(), MAX_RESULTS);
}

#[test]
fn poor_results_do_not_outvote_good_ones() {
    // Every fourth result is good and sad, the others are poor and happy.
    let results: Vec<_> = (0..100)
        .map(|i| if i % 4 == 0 { (SAD, 1.0) } else { (HAPPY, 0.1) })
        .collect();
    for method in [
        SmoothingMethod::Mode,
        SmoothingMethod::Mean,
        SmoothingMethod::Adaptive,
    ] {
        let shown = shown(method, &three(), &results);
        assert!(shown.iter().all(|&label| label == 0), "{method:?}");
    }
    let alike: Vec<_> = results.iter().map(|(result, _)| *result).collect();
    assert_eq!(labels(SmoothingMethod::Mode, &alike).last(), Some(&1));
}

#[test]
fn poor_results_alone_are_followed_as_well() {
    let change = [[(SAD, 0.1); 50], [(HAPPY, 0.1); 50]].concat();
    assert_eq!(
        shown(SmoothingMethod::Adaptive, &three(), &change).last(),
        Some(&1)
    );
}

#[test]
fn a_wrong_first_result_is_soon_forgotten() {
    let results = [&[HAPPY][..], &[SAD; 12]].concat();
    let shown = labels(SmoothingMethod::Adaptive, &results);
    assert_eq!((shown[0], shown[12]), (1, 0));
}

#[test]
fn labels_shown_as_one_do_not_flicker_and_are_as_probable_as_together() {
    let names = ["sad", "angry", "happy"].map(String::from);
    let groups = LabelGroups::new(&names, &Renaming::parse("sad+angry=negative").unwrap());
    let results = [([0.4, 0.15, 0.45], 1.0); 5];
    for method in [
        SmoothingMethod::Mode,
        SmoothingMethod::Mean,
        SmoothingMethod::Adaptive,
    ] {
        assert_eq!(shown(method, &groups, &results), [0; 5], "{method:?}");
    }
}

#[test]
fn the_frame_rate_does_not_change_how_fast_the_mean_follows() {
    let groups = three();
    let after_200_ms = |frames: u64| {
        let mut smoother = Smoother::default();
        let mut add = |us, result| {
            let time = Duration::from_micros(us);
            smoother.update(
                time,
                result,
                1.0,
                options(SmoothingMethod::Adaptive, &groups),
            )
        };
        for i in 0..=frames {
            add(1_000_000 * i / frames, &SAD);
        }
        (1..=frames / 5)
            .map(|i| add(1_000_000 + 1_000_000 * i / frames, &HAPPY))
            .last()
            .unwrap()
            .probabilities[1]
    };
    let (slow, fast) = (after_200_ms(10), after_200_ms(100));
    assert!((slow - fast).abs() < 0.02, "{slow} {fast}");
}
