use super::*;
use candle_core::{Device, Var};

fn tensor<const N: usize, const M: usize>(rows: [[f32; M]; N]) -> Tensor {
    Tensor::new(&rows, &Device::Cpu).unwrap()
}

fn row(values: &[f32]) -> Tensor {
    Tensor::new(values, &Device::Cpu).unwrap()
}

fn scalar(loss: &Tensor) -> f64 {
    f64::from(loss.to_scalar::<f32>().unwrap())
}

/// The second of three places answers for a face of 16×24 pixels.
fn targets() -> DetectionTargets {
    DetectionTargets {
        scores: row(&[0.0, 0.8, 0.0]),
        weights: row(&[1.0, 1.0, 0.0]),
        assigned: Tensor::new(&[1u32], &Device::Cpu).unwrap(),
        cells: tensor([[12.0, 4.0, 8.0]]),
        boxes: tensor([[14.0, 6.0, 16.0, 24.0]]),
        box_weights: row(&[1.0]),
        landmarks: tensor([[14.0, 6.0, 18.0, 6.0, 16.0, 8.0, 14.0, 12.0, 18.0, 12.0]]),
        landmark_weights: row(&[1.0 / 24.0]),
    }
}

#[test]
fn the_right_box_leaves_the_score_alone() {
    let right = [0.25, 0.25, 2f32.ln(), 3f32.ln()];
    let [right, down, width, height] = right;
    let score = (0.8f32 / 0.2).ln();
    let values = tensor([
        [-50.0, 9.0, 9.0, 9.0, 9.0],
        [score, right, down, width, height],
        [7.0, 1.0, 1.0, 1.0, 1.0],
    ]);
    let entropy = -(0.8f64 * 0.8f64.ln() + 0.2 * 0.2f64.ln());
    let loss = scalar(&detection(&values, &targets()).unwrap());
    assert!((loss - entropy).abs() < 1e-4, "{loss}, expected {entropy}");
}

#[test]
fn boxes_that_do_not_touch_still_pull_towards_each_other() {
    let far = tensor([[0.0; 5], [0.0, 9.0, 9.0, 0.0, 0.0], [0.0; 5]]);
    let near = tensor([[0.0; 5], [0.0, 5.0, 5.0, 0.0, 0.0], [0.0; 5]]);
    let [far, near] = [far, near].map(|values| scalar(&detection(&values, &targets()).unwrap()));
    assert!(near < far, "{near}, {far}");
}

#[test]
fn the_gradient_agrees_with_differences_and_places_that_do_not_count_have_none() {
    let start = [
        [0.5, 0.1, 0.2, 0.3, 0.4],
        [-0.5, 0.7, -0.3, 0.2, 0.9],
        [1.5, 0.2, 0.2, 0.2, 0.2],
    ];
    let variable = Var::from_tensor(&tensor(start)).unwrap();
    let loss = detection(&variable, &targets()).unwrap();
    let gradient = loss.backward().unwrap();
    let gradient = gradient.get(&variable).unwrap().to_vec2::<f32>().unwrap();
    for (place, row) in gradient.iter().enumerate() {
        for (value, &found) in row.iter().enumerate() {
            let moved = |by: f32| {
                let mut rows = start;
                rows[place][value] += by;
                scalar(&detection(&tensor(rows), &targets()).unwrap())
            };
            let expected = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!(
                (f64::from(found) - expected).abs() < 2e-3,
                "{place}, {value}: {found}, differences {expected}"
            );
        }
    }
    assert_eq!(gradient[2], [0.0; 5]);
    assert_eq!(gradient[0][1..], [0.0; 4]);
}

#[test]
fn the_loss_of_landmarks_is_their_distance_in_faces_and_that_of_other_cells_is_zero() {
    // The cell's centre is [12, 4], its stride 8.
    let right = [0.25, 0.25, 0.75, 0.25, 0.5, 0.5, 0.25, 1.0, 0.75, 1.0];
    let values = |right: [f32; 10]| tensor([[9.0; 10], right, [9.0; 10]]);
    let loss = |right| scalar(&landmarks(&values(right), &targets()).unwrap());
    assert!(loss(right).abs() < 1e-6);
    let mut moved = right;
    moved[4] += 1.0;
    let expected = LANDMARK_WEIGHT * 8.0 / 10.0 / 24.0;
    assert!((loss(moved) - expected).abs() < 1e-5);
}

#[test]
fn without_a_face_only_scores_count() {
    let none = DetectionTargets {
        scores: row(&[0.0; 3]),
        weights: row(&[1.0; 3]),
        assigned: Tensor::zeros(0, candle_core::DType::U32, &Device::Cpu).unwrap(),
        cells: Tensor::zeros((0, 3), candle_core::DType::F32, &Device::Cpu).unwrap(),
        boxes: Tensor::zeros((0, 4), candle_core::DType::F32, &Device::Cpu).unwrap(),
        box_weights: Tensor::zeros(0, candle_core::DType::F32, &Device::Cpu).unwrap(),
        landmarks: Tensor::zeros((0, 10), candle_core::DType::F32, &Device::Cpu).unwrap(),
        landmark_weights: Tensor::zeros(0, candle_core::DType::F32, &Device::Cpu).unwrap(),
    };
    let values = tensor([[0.0; 5]; 3]);
    let loss = scalar(&detection(&values, &none).unwrap());
    assert!((loss - 3.0 * 2f64.ln()).abs() < 1e-5, "{loss}");
    assert_eq!(
        scalar(&landmarks(&tensor([[1.0; 10]; 3]), &none).unwrap()),
        0.0
    );
}
