use super::*;
use candle_core::{Device, Var};

fn tensor<const N: usize>(values: &[[f32; 3]; N]) -> Tensor {
    Tensor::new(values, &Device::Cpu).unwrap()
}

fn scalar(loss: Result<Tensor>) -> f64 {
    f64::from(loss.unwrap().to_scalar::<f32>().unwrap())
}

const LOGITS: [[f32; 3]; 2] = [[1.0, -0.5, 2.0], [0.0, 3.0, -1.0]];
const TARGETS: [[f32; 3]; 2] = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]];

fn soft(logits: &[Vec<f32>], temperature: f64) -> SoftTargets {
    SoftTargets::of_logits(logits, temperature).unwrap()
}

#[test]
fn the_loss_of_equal_logits_is_the_logarithm_of_their_number() {
    let loss = scalar(cross_entropy(&tensor(&[[5.0; 3]; 2]), &tensor(&TARGETS)));
    assert!((loss - 3f64.ln()).abs() < 1e-6, "{loss}");
}

#[test]
fn a_weight_of_zero_is_the_cross_entropy() {
    let soft = soft(&[vec![0.0, 0.0, 1.0], vec![1.0, 0.0, 0.0]], 2.0);
    let (logits, targets) = (tensor(&LOGITS), tensor(&TARGETS));
    let hard = scalar(cross_entropy(&logits, &targets));
    assert_eq!(scalar(distillation(&logits, &targets, &soft, 0.0)), hard);
}

#[test]
fn a_student_that_answers_like_its_teacher_loses_nothing_to_it() {
    let soft = soft(&LOGITS.map(|row| row.to_vec()), 4.0);
    let loss = scalar(distillation(
        &tensor(&LOGITS),
        &tensor(&TARGETS),
        &soft,
        1.0,
    ));
    assert!(loss.abs() < 1e-5, "{loss}");
}

#[test]
fn the_loss_is_the_divergence_times_the_square_of_the_temperature() {
    // softmax((ln 9, ln 3, 0) / 2) = (3, √3, 1) / (4 + √3), and the student's is (1, 1, 1) / 3.
    let soft = soft(&[vec![9f32.ln(), 3f32.ln(), 0.0]], 2.0);
    let sum = 4.0 + 3f64.sqrt();
    let divergence: f64 = [3.0, 3f64.sqrt(), 1.0]
        .map(|part| part / sum * (3.0 * part / sum).ln())
        .iter()
        .sum();
    let targets = tensor(&[[0.0, 1.0, 0.0]]);
    let loss = scalar(distillation(&tensor(&[[0.0; 3]]), &targets, &soft, 0.25));
    let expected = 0.75 * 3f64.ln() + 0.25 * 4.0 * divergence;
    assert!(
        (loss - expected).abs() < 1e-6,
        "{loss}, expected {expected}"
    );
}

// ∂/∂z of T²·KL is T·(softmax(z/T) − p), divided by the number of faces.
#[test]
fn the_gradient_pulls_the_softened_answer_to_the_teachers() {
    let logits = Var::from_tensor(&tensor(&[[0.0; 3]])).unwrap();
    let soft = soft(&[vec![9f32.ln(), 3f32.ln(), 0.0]], 2.0);
    let targets = tensor(&[[0.0, 1.0, 0.0]]);
    let loss = distillation(&logits, &targets, &soft, 1.0).unwrap();
    let gradients = loss.backward().unwrap();
    let gradient = gradients.get(&logits).unwrap().to_vec2::<f32>().unwrap();
    let sum = 4.0 + 3f32.sqrt();
    for (found, part) in gradient[0].iter().zip([3.0, 3f32.sqrt(), 1.0]) {
        let expected = 2.0 * (1.0 / 3.0 - part / sum);
        assert!(
            (found - expected).abs() < 1e-6,
            "{found}, expected {expected}"
        );
    }
}
