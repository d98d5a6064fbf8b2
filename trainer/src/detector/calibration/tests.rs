use super::*;
use crate::detector::matching::ScoredBox;
use emotion_models::preprocess::Region;

fn judged(score: f32, is_face: bool) -> MatchedBox {
    let region = Region {
        x: 0.0,
        y: 0.0,
        width: 1.0,
        height: 1.0,
    };
    MatchedBox {
        found: ScoredBox {
            region,
            score,
            landmarks: None,
        },
        landmark_error: None,
        face: is_face.then_some(0),
    }
}

/// A thousand at each of some scores; as many are faces as these probabilities say.
fn at(shares: &[(f32, f64)]) -> Vec<MatchedBox> {
    let thousand = |&(score, share): &(f32, f64)| {
        let faces = (1000.0 * share).round() as usize;
        (0..1000).map(move |index| judged(score, index < faces))
    };
    shares.iter().flat_map(thousand).collect()
}

fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

#[test]
fn scores_that_are_too_sure_are_brought_back_to_the_shares_of_faces() {
    // Faces as if the logit were 0.5 · score − 1.
    let shares = [-4.0f32, -1.0, 0.0, 2.0, 5.0].map(|score| {
        let share = sigmoid(0.5 * f64::from(score) - 1.0);
        (score, share)
    });
    let fitted = PlattScaling::fit(&at(&shares));
    assert!((fitted.slope - 0.5).abs() < 0.01, "{fitted:?}");
    assert!((fitted.offset + 1.0).abs() < 0.01, "{fitted:?}");
    for (score, share) in shares {
        let confidence = fitted.confidence(f64::from(score));
        assert!((confidence - share).abs() < 0.005, "{confidence}, {share}");
    }
}

#[test]
fn no_other_line_makes_what_was_seen_more_probable() {
    let examples = [(-2.0, 0.1), (-1.0, 0.3), (0.5, 0.2), (1.0, 0.9), (3.0, 0.7)];
    let fitted = regression(&examples);
    let least = fitted.cross_entropy(&examples);
    for (slope, offset) in [(0.01, 0.0), (-0.01, 0.0), (0.0, 0.01), (0.0, -0.01)] {
        let other = PlattScaling {
            slope: fitted.slope + slope,
            offset: fitted.offset + offset,
        };
        assert!(other.cross_entropy(&examples) > least);
    }
}

#[test]
fn faces_that_are_told_apart_without_a_mistake_get_finite_logits() {
    let fitted = PlattScaling::fit(&at(&[(-3.0, 0.0), (3.0, 1.0)]));
    let confidence = fitted.confidence(3.0);
    assert!((0.99..1.0).contains(&confidence), "{fitted:?}");
}

#[test]
fn scores_that_say_nothing_or_the_wrong_thing_stay() {
    assert_eq!(PlattScaling::fit(&[]), PlattScaling::IDENTITY);
    let broken = at(&[(f32::NAN, 0.5)]);
    assert_eq!(PlattScaling::fit(&broken), PlattScaling::IDENTITY);
    let inverted = at(&[(-1.0, 0.9), (1.0, 0.1)]);
    assert_eq!(PlattScaling::fit(&inverted), PlattScaling::IDENTITY);
}

#[test]
fn the_calibrated_network_says_the_calibrated_logits_and_the_same_boxes() {
    use crate::run::network::Network;
    use emotion_models::face_net;
    use emotion_models::weights::{Architecture, Head};

    let network = Network::new(Architecture::FaceNet, 64, &[Head::Labels], 1).unwrap();
    let graph = face_net::graph(64, 64, false).unwrap();
    let picture: Vec<f32> = (0..64 * 64).map(|i| (i % 23) as f32 / 11.0 - 1.0).collect();
    let outputs = || {
        let mut executor = network.inference(&graph).unwrap();
        let mut outputs = vec![f32::NAN; executor.classes()];
        executor.run(&picture, &mut outputs).unwrap();
        outputs
    };
    let before = outputs();
    let calibration = PlattScaling {
        slope: 1.75,
        offset: -0.5,
    };
    let mut values = network.parameters.snapshot().unwrap();
    calibration.apply(&mut values).unwrap();
    network.parameters.restore(&values).unwrap();
    let after = outputs();
    let pairs = before.as_chunks::<VALUES>().0.iter();
    for (before, after) in pairs.zip(after.as_chunks::<VALUES>().0) {
        let expected = calibration.logit(f64::from(before[0]));
        assert!((f64::from(after[0]) - expected).abs() < 1e-4);
        assert_eq!(before[1..], after[1..]);
    }
}

#[test]
fn other_networks_are_refused() {
    let error = PlattScaling::IDENTITY
        .apply(&mut WeightTensors::new())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("heads.0.values.weight is missing")
    );
}
