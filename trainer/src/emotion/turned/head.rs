//! The regression.

use anyhow::{Result, anyhow};
use candle_core::{DType, Device, Tensor};
use candle_nn::ops::sigmoid;
use emotion_models::Weights;
use emotion_models::weights::{Head, WeightTensor};

/// Steps of the regression.
const STEPS: usize = 12;
/// Half of the penalty on the squares of the weights of standardised features; it bounds them where features depend on each other.
const RIDGE: f64 = 1e-3;

/// A linear output: the logit of a face is the sum of its features times these, plus the bias.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnedHead {
    pub(super) weights: Vec<f32>,
    pub(super) bias: f32,
}

impl TurnedHead {
    /// The output with the least cross-entropy on faces with these features `[N, C]`, by Newton's method.
    ///
    /// # Errors
    ///
    /// When the computation fails.
    pub(super) fn fit(features: &[f32], is_turned: &[bool]) -> Result<Self> {
        let count = is_turned.len();
        let channels = features.len() / count;
        let device = Device::Cpu;
        let features = Tensor::from_slice(features, (count, channels), &device)?;
        let mean = features.mean_keepdim(0)?;
        let deviation = (features.var_keepdim(0)? + 1e-6)?.sqrt()?;
        let standardised = features.broadcast_sub(&mean)?.broadcast_div(&deviation)?;
        let ones = Tensor::ones((count, 1), DType::F32, &device)?;
        let inputs = Tensor::cat(&[&standardised, &ones], 1)?;
        let targets: Vec<f32> = is_turned.iter().map(|&is| f32::from(is)).collect();
        let targets = Tensor::from_vec(targets, (count, 1), &device)?;

        let mut solution = Tensor::zeros((channels + 1, 1), DType::F32, &device)?;
        for _ in 0..STEPS {
            let probabilities = sigmoid(&inputs.matmul(&solution)?)?;
            let errors = (&probabilities - &targets)?;
            let curvature = (&probabilities * (1.0 - &probabilities)?)?;
            let transposed = inputs.t()?;
            let gradient = ((transposed.matmul(&errors)? / count as f64)? + (&solution * RIDGE)?)?;
            let hessian = (transposed.matmul(&inputs.broadcast_mul(&curvature)?)? / count as f64)?;
            let step = solve(hessian.to_vec2()?, gradient.flatten_all()?.to_vec1()?);
            let step = Tensor::from_vec(step, (channels + 1, 1), &device)?;
            solution = (solution - step)?;
        }
        // The same for features that are not standardised.
        let slope = solution.narrow(0, 0, channels)?.t()?;
        let weights = slope.div(&deviation)?;
        let offset = solution.narrow(0, channels, 1)?;
        let bias = (offset - weights.matmul(&mean.t()?)?)?;
        Ok(Self {
            weights: weights.flatten_all()?.to_vec1()?,
            bias: bias.flatten_all()?.to_vec1()?[0],
        })
    }

    pub(super) fn probability(&self, features: &[f32]) -> f64 {
        let products = self.weights.iter().zip(features).map(|(w, x)| w * x);
        let logit = f64::from(self.bias + products.sum::<f32>());
        1.0 / (1.0 + (-logit).exp())
    }

    /// The network of `weights` with this output beside its others, in place of one that it has.
    ///
    /// # Errors
    ///
    /// When the output is one of another network.
    pub fn added_to(&self, weights: &Weights, note: &str) -> Result<Weights> {
        let mut metadata = weights.metadata().clone();
        if !metadata.heads.contains(&Head::Turned) {
            metadata.heads.push(Head::Turned);
        }
        metadata.training += note;
        let mut tensors = weights.tensors().clone();
        let name = Head::Turned.name();
        let parameters = [
            (
                "weight",
                vec![1, self.weights.len(), 1, 1],
                self.weights.clone(),
            ),
            ("bias", vec![1], vec![self.bias]),
        ];
        for (parameter, shape, values) in parameters {
            tensors.insert(
                format!("{name}.{parameter}"),
                WeightTensor { shape, values },
            );
        }
        // The message contains the cause already.
        Weights::new(&metadata.name.clone(), metadata, tensors).map_err(|error| anyhow!("{error}"))
    }
}

/// The solution of `(matrix + RIDGE · 1) · x = right` for a symmetric matrix without negative eigenvalues, by Cholesky's
/// decomposition.
pub(super) fn solve(matrix: Vec<Vec<f32>>, right: Vec<f32>) -> Vec<f32> {
    let size = right.len();
    let mut lower = vec![vec![0.0f64; size]; size];
    let mut solution: Vec<f64> = right.into_iter().map(f64::from).collect();
    for row in 0..size {
        for column in 0..=row {
            let known = lower[row].iter().zip(&lower[column]).take(column);
            let rest = f64::from(matrix[row][column]) - known.map(|(a, b)| a * b).sum::<f64>();
            lower[row][column] = match row == column {
                true => (rest + RIDGE).sqrt(),
                false => rest / lower[column][column],
            };
        }
        let known = lower[row].iter().zip(&solution).take(row);
        let known: f64 = known.map(|(a, b)| a * b).sum();
        solution[row] = (solution[row] - known) / lower[row][row];
    }
    for row in (0..size).rev() {
        let known = (row + 1..size).map(|below| lower[below][row] * solution[below]);
        let known: f64 = known.sum();
        solution[row] = (solution[row] - known) / lower[row][row];
    }
    solution.into_iter().map(|value| value as f32).collect()
}
