use super::*;

fn reliability(predictions: &[(f64, bool)]) -> Reliability {
    let mut reliability = Reliability::default();
    for &(confidence, right) in predictions {
        reliability.add(confidence, right);
    }
    reliability
}

#[test]
fn the_calibration_error_weighs_the_gap_of_each_bin_by_its_predictions() {
    // Three in bin 9 (0.6 to 0.667), two of them right: |2/3 − 0.65| = 1/60, weight 3/4.
    // One in bin 13 (0.867 to 0.933), wrong: |0 − 0.9|, weight 1/4.
    let reliability = reliability(&[(0.65, true), (0.64, true), (0.66, false), (0.9, false)]);
    let expected = 0.75 / 60.0 + 0.25 * 0.9;
    assert!((reliability.expected_calibration_error() - expected).abs() < 1e-12);
    let counts = reliability.bins().map(|bin| bin.count());
    assert_eq!(counts, [0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0]);
}

#[test]
fn a_confidence_of_exactly_one_is_in_the_last_bin_and_of_zero_in_the_first() {
    let reliability = reliability(&[(1.0, true), (0.0, false)]);
    assert_eq!(reliability.bins()[BINS - 1].accuracy(), Some(1.0));
    assert_eq!(reliability.bins()[0].accuracy(), Some(0.0));
    assert_eq!(reliability.expected_calibration_error(), 0.0);
}

#[test]
fn an_edge_belongs_to_the_bin_below_it() {
    let reliability = reliability(&[(1.0 / 15.0, true), (0.2, true)]);
    assert_eq!(reliability.bins()[0].count(), 1);
    assert_eq!(reliability.bins()[2].count(), 1);
}

#[test]
fn an_empty_bin_has_neither_accuracy_nor_confidence_nor_part_in_the_error() {
    let reliability = reliability(&[(0.5, true), (0.5, false)]);
    assert_eq!(reliability.bins()[0].accuracy(), None);
    assert_eq!(reliability.bins()[0].confidence(), None);
    assert_eq!(reliability.expected_calibration_error(), 0.0);
    let nothing = Reliability::default();
    assert!(nothing.expected_calibration_error().is_nan());
}
