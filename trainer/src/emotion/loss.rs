//! Loss functions of the emotion networks.

use candle_core::{Result, Tensor};
use candle_nn::ops::log_softmax;

use crate::emotion::distillation::SoftTargets;

/// Mean cross-entropy of logits `[N, C]` against target probabilities `[N, C]`, a scalar.
///
/// # Errors
///
/// When the shapes differ.
pub fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let count = logits.dim(0)? as f64;
    (log_softmax(logits, 1)? * targets)?.sum_all()? * (-1.0 / count)
}

/// `(1 − α)·CE + α·T²·KL(p ‖ softmax(logits / T))`, the mean over the faces, with CE from [`cross_entropy`], the teachers'
/// p and T, and α = `weight` (Hinton, Vinyals and Dean 2015). T² keeps the gradients of both terms at the same scale.
///
/// # Errors
///
/// When the shapes differ.
pub fn distillation(
    logits: &Tensor,
    targets: &Tensor,
    soft: &SoftTargets,
    weight: f64,
) -> Result<Tensor> {
    let temperature = soft.temperature;
    let softened = cross_entropy(&(logits / temperature)?, &soft.probabilities)?;
    let divergence = (softened - soft.entropy)?;
    (cross_entropy(logits, targets)? * (1.0 - weight))?
        + (divergence * (weight * temperature * temperature))?
}

/// Mean of `-(c·log σ(z) + u·log σ(−z))` for the logits z `[N, 1]` of a covered face and the targets (c, u) `[N, 2]`.
///
/// # Errors
///
/// When the shapes differ.
pub fn cover(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    // σ(z) and σ(−z) are the softmax of z and 0.
    let logits = Tensor::cat(&[logits, &logits.zeros_like()?], 1)?;
    cross_entropy(&logits, targets)
}

#[cfg(test)]
mod tests;
