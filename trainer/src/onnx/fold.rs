//! Batch norms inside the weights of the convolution in front of them.

/// A convolution's weights, `[out, …]`, and biases, `[out]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kernel {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Option<Vec<f32>>,
}

/// The parameters of a batch norm in inference, each `[channels]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Norm {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) mean: Vec<f32>,
    pub(super) variance: Vec<f32>,
    pub(super) eps: f64,
}

impl Norm {
    /// The convolution whose result is the norm of `kernel`'s: with `s = weight / √(variance + ε)`, its weights are
    /// `s · w` and its biases `s · (b − mean) + bias`, in double precision until they are stored.
    pub(super) fn fold_into(&self, kernel: &Kernel) -> Kernel {
        let channels = self.weight.len();
        let scale: Vec<f64> = self
            .weight
            .iter()
            .zip(&self.variance)
            .map(|(&weight, &variance)| f64::from(weight) / (f64::from(variance) + self.eps).sqrt())
            .collect();
        let weight = kernel
            .weight
            .chunks_exact(kernel.weight.len() / channels)
            .zip(&scale)
            .flat_map(|(filter, scale)| filter.iter().map(move |&w| (f64::from(w) * scale) as f32))
            .collect();
        let bias = (0..channels)
            .map(|c| {
                let before = kernel.bias.as_ref().map_or(0.0, |bias| f64::from(bias[c]));
                let centred = before - f64::from(self.mean[c]);
                (scale[c] * centred + f64::from(self.bias[c])) as f32
            })
            .collect();
        Kernel {
            weight,
            bias: Some(bias),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folded_kernel_gives_the_norm_of_the_kernels_result() {
        let kernel = Kernel {
            weight: vec![1.0, 2.0, 3.0, 4.0],
            bias: Some(vec![0.5, -1.0]),
        };
        let norm = Norm {
            weight: vec![3.0, 1.0],
            bias: vec![0.0, 10.0],
            mean: vec![0.5, 1.0],
            variance: vec![3.0, 15.0],
            eps: 1.0,
        };
        // Scales: 3 / √4 and 1 / √16.
        let expected = Kernel {
            weight: vec![1.5, 3.0, 0.75, 1.0],
            bias: Some(vec![0.0, 9.5]),
        };
        assert_eq!(norm.fold_into(&kernel), expected);
    }
}
