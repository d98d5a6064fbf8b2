use emotion_models::weights::Head;

use super::head::solve;
use super::*;

/// Two features, of which the second tells turned faces; each kind has `count` faces.
fn faces(count: usize) -> TurnedFaces {
    let mut faces = TurnedFaces::default();
    for index in 0..2 * count {
        let is_turned = index % 2 == 0;
        let noise = (index * 37 % 101) as f32 / 101.0;
        faces
            .features
            .extend([40.0 + noise, if is_turned { 3.0 } else { 1.0 } + noise]);
        faces.is_turned.push(is_turned);
    }
    faces
}

#[test]
fn the_output_tells_turned_faces_from_upright_ones() {
    let faces = faces(200);
    let metrics = faces.evaluate(&faces.fit().unwrap());
    assert_eq!(metrics.faces, 400);
    assert!(metrics.of_turned > 0.95, "{metrics:?}");
    assert!(metrics.of_upright < 0.05, "{metrics:?}");
}

#[test]
fn the_logit_of_the_network_is_that_of_the_output() {
    let weights = Weights::embedded().unwrap();
    let channels = weights.tensors()["cover.weight"].values.len();
    let head = TurnedHead {
        weights: (0..channels).map(|c| (c % 7) as f32 / 7.0 - 0.4).collect(),
        bias: 0.3,
    };
    let added = head.added_to(&weights, "; turned").unwrap();
    assert_eq!(added.metadata().heads.last(), Some(&Head::Turned));
    assert!(added.metadata().training.ends_with("; turned"));
    // Added once more, it takes its own place.
    let again = head.added_to(&added, "").unwrap();
    assert_eq!(again.metadata().heads, added.metadata().heads);

    let network = added.folded().unwrap();
    let mut executor =
        InferenceExecutor::from_network(&network, Instructions::best(), Precision::F32);
    let face: Vec<f32> = (0..48 * 48).map(|i| (i % 48) as f32 / 24.0 - 1.0).collect();
    let mut outputs = vec![0.0; executor.classes()];
    executor.run(&face, &mut outputs).unwrap();
    let turned = added.metadata().outputs(Head::Turned).unwrap().start;
    let expected = head.probability(&features(&mut executor, &face).unwrap());
    let found = 1.0 / (1.0 + f64::from(-outputs[turned]).exp());
    assert!(
        (found - expected).abs() < 1e-5,
        "{found}, expected {expected}"
    );
}

#[test]
fn networks_without_averages_are_refused() {
    let weights = Weights::built_in("mini_xception").unwrap();
    let mut executor = InferenceExecutor::from_network(
        &weights.folded().unwrap(),
        Instructions::best(),
        Precision::F32,
    );
    let error = features(&mut executor, &[0.0; 48 * 48]).unwrap_err();
    assert!(
        error.to_string().contains("expected a residual_xception"),
        "{error}"
    );
}

#[test]
fn no_face_is_between_upright_and_turned() {
    let draw = |stream| angle(&mut generator(1, Purpose::Movement, stream));
    let angles: Vec<(f32, bool)> = (0..2000).map(draw).collect();
    for (angle, is_turned) in &angles {
        // The least angle between the face and upright.
        let tilt = (angle + 180.0).rem_euclid(360.0) - 180.0;
        assert!(
            if *is_turned {
                tilt.abs() >= TURNED
            } else {
                tilt.abs() <= UPRIGHT
            },
            "{angle}"
        );
    }
    let turned = angles.iter().filter(|(_, is_turned)| *is_turned).count();
    assert!((340..460).contains(&turned), "{turned}");
}

#[test]
fn a_tilted_face_can_be_turned_upright() {
    let weights = Weights::embedded().unwrap();
    let executor = InferenceExecutor::from_network(
        &weights.folded().unwrap(),
        Instructions::best(),
        Precision::F32,
    );
    let plan = TurnedFacesPlan {
        split: ImageSplit::Train,
        seed: 1,
        views: 1,
    };
    let mut turner = FaceTurner::new(executor, 48, plan);
    let side = turner.around.size();
    let middle = (side - 1) as f32 / 2.0;
    // The way from eye to eye of a face with a roll of 30 degrees.
    let (sin, cos) = 30.0_f32.to_radians().sin_cos();
    let mut pixels = vec![0; side * side];
    let place = |distance: f32| {
        (middle + distance * sin).round() as usize * side
            + (middle + distance * cos).round() as usize
    };
    for distance in 0..18 {
        pixels[place(distance as f32)] = 255;
    }
    let upright = turner.turned(&pixels, 30.0);
    let rows = upright.chunks_exact(FACE_SIZE).enumerate();
    let bright: Vec<usize> = rows
        .filter(|(_, row)| row[FACE_SIZE / 2 + 3..].iter().any(|&pixel| pixel > 127))
        .map(|(y, _)| y)
        .collect();
    assert!(
        !bright.is_empty() && bright.iter().all(|y| (22..=25).contains(y)),
        "{bright:?}"
    );
}

#[test]
fn a_system_of_equations_is_solved() {
    let matrix = vec![
        vec![4.0, 2.0, 0.0],
        vec![2.0, 5.0, -1.0],
        vec![0.0, -1.0, 3.0],
    ];
    let expected = [1.0, -2.0, 0.5];
    let right = matrix.iter().map(|row| {
        let products = row.iter().zip(expected).map(|(a, x)| a * x);
        products.sum()
    });
    let found = solve(matrix.clone(), right.collect());
    for (found, expected) in found.into_iter().zip(expected) {
        assert!(
            (found - expected).abs() < 2e-3,
            "{found}, expected {expected}"
        );
    }
}
