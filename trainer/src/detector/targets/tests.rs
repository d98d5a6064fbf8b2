use super::*;
use crate::testing::square;

use emotion_models::face_net;

use crate::detector::sample::SampleFace;

const SIZE: usize = 64;

fn sample(faces: &[(Region, LabelSource)], ignored: &[Region], doubtful: &[Region]) -> Sample {
    let face = |&(region, labels): &(Region, LabelSource)| SampleFace {
        region,
        landmarks: None,
        labels,
    };
    Sample {
        size: SIZE,
        pixels: vec![0; SIZE * SIZE],
        faces: faces.iter().map(face).collect(),
        ignored: ignored.to_vec(),
        doubtful: doubtful.to_vec(),
    }
}

fn cells() -> Vec<GridCell> {
    face_net::grid_cells(SIZE, SIZE).collect()
}

/// What a network says that has learnt nothing: no face anywhere, boxes of one stride.
fn nothing(samples: usize) -> Vec<f32> {
    [-4.0, 0.0, 0.0, 0.0, 0.0].repeat(samples * cells().len())
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn inside(cell: &GridCell, region: &Region) -> bool {
    let within = |at: f32, start: f32, len: f32| (start..start + len).contains(&at);
    within(cell.x, region.x, region.width) && within(cell.y, region.y, region.height)
}

#[test]
fn without_faces_every_cell_is_to_find_nothing() {
    let targets = targets(&[sample(&[], &[], &[])], &cells(), &nothing(1)).unwrap();
    assert_eq!(values(&targets.scores), vec![0.0; cells().len()]);
    assert_eq!(values(&targets.weights), vec![1.0; cells().len()]);
    assert_eq!(targets.assigned.elem_count(), 0);
}

#[test]
fn assigned_cells_are_to_find_the_face_and_its_box() {
    let face = square(18.0, 10.0, 16.0);
    let targets = targets(
        &[sample(&[(face, LabelSource::Human)], &[], &[])],
        &cells(),
        &nothing(1),
    )
    .unwrap();
    let assigned: Vec<u32> = targets.assigned.to_vec1().unwrap();
    assert!(!assigned.is_empty());
    let scores = values(&targets.scores);
    for (index, &score) in scores.iter().enumerate() {
        if assigned.contains(&(index as u32)) {
            assert!((0.5..=1.0).contains(&score), "{score}");
            assert!(inside(&cells()[index], &face));
        } else {
            assert_eq!(score, 0.0);
        }
    }
    let boxes: Vec<Vec<f32>> = targets.boxes.to_vec2().unwrap();
    assert!(boxes.iter().all(|row| row == &[26.0, 18.0, 16.0, 16.0]));
    let at: Vec<Vec<f32>> = targets.cells.to_vec2().unwrap();
    for (&index, at) in assigned.iter().zip(&at) {
        let cell = cells()[index as usize];
        assert_eq!(at, &[cell.x, cell.y, cell.stride]);
    }
}

#[test]
fn known_landmarks_weigh_as_much_in_a_large_face_as_in_a_small_one_and_unknown_ones_nothing() {
    let points = Landmarks([[20.0, 12.0]; 5]);
    let face = (square(18.0, 10.0, 16.0), LabelSource::Human);
    let of = |landmarks| {
        let mut sample = sample(&[face], &[], &[]);
        sample.faces[0].landmarks = landmarks;
        targets(&[sample], &cells(), &nothing(1)).unwrap()
    };
    let [known, unknown] = [Some(points), None].map(of);
    assert!(
        values(&known.landmark_weights)
            .iter()
            .all(|&weight| weight == 1.0 / 16.0)
    );
    let points = values(&known.landmarks);
    assert!(
        points
            .as_chunks()
            .0
            .iter()
            .all(|point| *point == [20.0, 12.0])
    );
    assert!(
        values(&unknown.landmark_weights)
            .iter()
            .all(|&weight| weight == 0.0)
    );
}

#[test]
fn the_cells_of_the_second_sample_follow_those_of_the_first() {
    let face = (square(18.0, 10.0, 16.0), LabelSource::Human);
    let [empty, full] = [&[][..], &[face]].map(|faces| sample(faces, &[], &[]));
    let of = |samples: &[Sample]| -> Vec<u32> {
        let targets = targets(samples, &cells(), &nothing(samples.len())).unwrap();
        targets.assigned.to_vec1().unwrap()
    };
    let moved: Vec<u32> = of(std::slice::from_ref(&full))
        .into_iter()
        .map(|index| index + cells().len() as u32)
        .collect();
    assert_eq!(of(&[empty, full]), moved);
}

#[test]
fn ignored_regions_weigh_nothing() {
    let ignored = square(0.0, 0.0, 24.0);
    let targets = targets(&[sample(&[], &[ignored], &[])], &cells(), &nothing(1)).unwrap();
    let weights = values(&targets.weights);
    for (cell, &weight) in cells().iter().zip(&weights) {
        let expected = if inside(cell, &ignored) { 0.0 } else { 1.0 };
        assert_eq!(weight, expected, "{cell:?}");
    }
    assert!(weights.contains(&0.0) && weights.contains(&1.0));
}

#[test]
fn a_cell_beside_it_whose_box_is_the_ignored_region_weighs_nothing_either() {
    let ignored = square(0.0, 0.0, 16.0);
    let beside = cells()
        .iter()
        .position(|cell| (cell.x, cell.y, cell.stride) == (20.0, 4.0, 8.0))
        .unwrap();
    let mut logits = nothing(1);
    // One and a half strides to the left, half a stride down, two strides large.
    let found = [2.0, -1.5, 0.5, 2f32.ln(), 2f32.ln()];
    logits[beside * VALUES..][..VALUES].copy_from_slice(&found);
    let of = |ignored: &[Region]| {
        let targets = targets(&[sample(&[], ignored, &[])], &cells(), &logits).unwrap();
        values(&targets.weights)[beside]
    };
    assert_eq!(of(&[ignored]), 0.0);
    assert_eq!(of(&[]), 1.0);
}

#[test]
fn assigned_cells_count_even_in_ignored_regions() {
    let face = square(20.0, 20.0, 16.0);
    let sample = sample(
        &[(face, LabelSource::Human)],
        &[square(0.0, 0.0, 64.0)],
        &[],
    );
    let targets = targets(&[sample], &cells(), &nothing(1)).unwrap();
    let weights = values(&targets.weights);
    let assigned: Vec<u32> = targets.assigned.to_vec1().unwrap();
    for (index, &weight) in weights.iter().enumerate() {
        let is_assigned = assigned.contains(&(index as u32));
        assert_eq!(weight, if is_assigned { 1.0 } else { 0.0 });
    }
}

#[test]
fn what_a_detector_labelled_counts_less() {
    let face = square(20.0, 20.0, 16.0);
    let left_half = Region {
        x: 0.0,
        y: 0.0,
        width: 32.0,
        height: 64.0,
    };
    let sample = sample(&[(face, LabelSource::Model)], &[], &[left_half]);
    let targets = targets(&[sample], &cells(), &nothing(1)).unwrap();
    assert!(
        values(&targets.box_weights)
            .iter()
            .all(|&weight| weight == MODEL_FACE)
    );
    let assigned: Vec<u32> = targets.assigned.to_vec1().unwrap();
    for (index, cell) in cells().iter().enumerate() {
        let expected = if assigned.contains(&(index as u32)) {
            MODEL_FACE
        } else if cell.x < 32.0 {
            MODEL_BACKGROUND
        } else {
            1.0
        };
        assert_eq!(values(&targets.weights)[index], expected, "{cell:?}");
    }
}
