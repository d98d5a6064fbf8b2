//! Batch normalisation (Ioffe and Szegedy 2015), with the activation that follows it in the same pass.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor, Var, bail};
use candle_nn::{Init, VarBuilder};
use rayon::prelude::*;

use super::batch::{for_each_sample, sum_over_samples};
use crate::kernels::{self, AffineGradient};
use crate::training::tensor::{nhwc, read, values};

/// What follows the normalisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Linear,
    /// max(0, y); its derivative at 0 is 0.
    Relu,
}

impl Activation {
    pub(crate) fn apply(self, xs: &Tensor) -> Result<Tensor> {
        match self {
            Self::Linear => Ok(xs.clone()),
            Self::Relu => xs.relu(),
        }
    }
}

/// Settings of a batch norm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormConfig {
    /// Added to the variance.
    pub eps: f64,
    /// Weight of a batch in the running statistics.
    pub momentum: f64,
    /// What follows.
    pub activation: Activation,
}

impl Default for BatchNormConfig {
    /// The settings of Keras, in whose notation the momentum is 0.99.
    fn default() -> Self {
        Self {
            eps: 1e-3,
            momentum: 0.01,
            activation: Activation::Linear,
        }
    }
}

/// `y = weight · (x − mean) / √(variance + ε) + bias`, per channel.
///
/// In training, mean and variance are those of the batch over `[N, H, W]`; else they are the running ones. Parameters,
/// each `[channels]`: `weight`, `bias`, and `running_mean`, `running_var`, which are not trained.
#[derive(Debug, Clone)]
pub struct BatchNorm {
    weight: Tensor,
    bias: Tensor,
    running_mean: Var,
    running_var: Var,
    config: BatchNormConfig,
}

impl BatchNorm {
    /// A norm of `channels` with parameters from `vb`.
    ///
    /// # Errors
    ///
    /// If `vb` lacks a parameter or holds it in another shape.
    pub fn new(channels: usize, config: BatchNormConfig, vb: VarBuilder<'_>) -> Result<Self> {
        let get = |name, value| vb.get_with_hints(channels, name, Init::Const(value));
        Ok(Self {
            weight: get("weight", 1.0)?,
            bias: get("bias", 0.0)?,
            running_mean: Var::from_tensor(&get("running_mean", 0.0)?)?,
            running_var: Var::from_tensor(&get("running_var", 1.0)?)?,
            config,
        })
    }

    /// Normalises `[N, H, W, channels]`. In training this also moves the running statistics.
    ///
    /// # Errors
    ///
    /// If `xs` has another shape than this.
    pub fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let xs = xs.contiguous()?;
        if !train {
            return xs.apply_op1_no_bwd(&self.inference()?);
        }
        let statistics = Arc::new(OnceLock::new());
        let op = TrainingOp {
            config: self.config,
            statistics: statistics.clone(),
        };
        let ys = xs.apply_op3(&self.weight, &self.bias, op)?;
        if let Some(Statistics {
            count,
            mean,
            variance,
            ..
        }) = statistics.get()
        {
            // The unbiased estimate describes unseen pictures.
            let unbiased = count / (count - 1.0).max(1.0);
            self.follow(&self.running_mean, mean, 1.0)?;
            self.follow(&self.running_var, variance, unbiased)?;
        }
        Ok(ys)
    }

    fn follow(&self, running: &Var, batch: &[f64], factor: f64) -> Result<()> {
        let momentum = self.config.momentum;
        let moved: Vec<f32> = running
            .to_vec1::<f32>()?
            .iter()
            .zip(batch)
            .map(|(&running, batch)| {
                ((1.0 - momentum) * f64::from(running) + momentum * factor * batch) as f32
            })
            .collect();
        running.set(&Tensor::from_vec(moved, running.shape(), running.device())?)
    }

    fn inference(&self) -> Result<Affine> {
        let [weight, bias] = [self.weight.to_vec1::<f32>()?, self.bias.to_vec1::<f32>()?];
        let [mean, variance] = [
            self.running_mean.to_vec1::<f32>()?,
            self.running_var.to_vec1::<f32>()?,
        ];
        let statistics = Statistics {
            count: 0.0,
            mean: mean.into_iter().map(f64::from).collect(),
            variance: variance.into_iter().map(f64::from).collect(),
        };
        Ok(Affine::new(&statistics, &weight, &bias, self.config))
    }
}

/// Mean and (biased) variance of each channel.
#[derive(Debug)]
struct Statistics {
    count: f64,
    mean: Vec<f64>,
    variance: Vec<f64>,
}

impl Statistics {
    /// Over a batch of samples of `len` values. The samples' moments are merged pairwise (Chan, Golub, LeVeque 1979):
    /// no difference of large sums is taken.
    fn of(xs: &[f32], len: usize, channels: usize) -> Self {
        let pixels = (len / channels) as f64;
        let moments: Vec<(Vec<f32>, Vec<f32>)> = xs
            .par_chunks_exact(len)
            .map(|sample| {
                let mut moments = (vec![0.0; channels], vec![0.0; channels]);
                kernels::moments(sample, &mut moments.0, &mut moments.1);
                moments
            })
            .collect();
        let mut merged = Self {
            count: 0.0,
            mean: vec![0.0; channels],
            variance: vec![0.0; channels],
        };
        for (mean, squares) in &moments {
            let total = merged.count + pixels;
            for c in 0..channels {
                let delta = f64::from(mean[c]) - merged.mean[c];
                merged.variance[c] +=
                    f64::from(squares[c]) + delta * delta * merged.count * pixels / total;
                merged.mean[c] += delta * pixels / total;
            }
            merged.count = total;
        }
        for variance in &mut merged.variance {
            *variance /= merged.count;
        }
        merged
    }
}

/// `y = activation(scale · x + shift)`, per channel.
struct Affine {
    scale: Vec<f32>,
    shift: Vec<f32>,
    activation: Activation,
}

impl Affine {
    const NAME: &str = "batch norm";

    fn new(statistics: &Statistics, weight: &[f32], bias: &[f32], config: BatchNormConfig) -> Self {
        let scale: Vec<f32> = weight
            .iter()
            .zip(&statistics.variance)
            .map(|(&weight, variance)| (f64::from(weight) / (variance + config.eps).sqrt()) as f32)
            .collect();
        let shift = bias
            .iter()
            .zip(&scale)
            .zip(&statistics.mean)
            .map(|((&bias, &scale), mean)| (f64::from(bias) - f64::from(scale) * mean) as f32)
            .collect();
        Self {
            scale,
            shift,
            activation: config.activation,
        }
    }

    fn kernel(&self) -> kernels::Affine<'_> {
        kernels::Affine {
            scale: &self.scale,
            shift: &self.shift,
            relu: self.activation == Activation::Relu,
        }
    }

    fn apply(&self, xs: &[f32], len: usize) -> Vec<f32> {
        let mut ys = vec![0.0; xs.len()];
        for_each_sample(&mut ys, len, |i, y, _| {
            self.kernel().apply(&xs[i * len..][..len], y)
        });
        ys
    }
}

impl CustomOp1 for Affine {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, height, width, channels) = nhwc(Self::NAME, xl)?;
        check_channels(channels, self.scale.len(), xl)?;
        let ys = self.apply(values(Self::NAME, x, xl)?, height * width * channels);
        Ok((CpuStorage::F32(ys), xl.shape().clone()))
    }
}

fn check_channels(found: usize, expected: usize, x: &Layout) -> Result<()> {
    if found != expected {
        bail!(
            "{}: expected {expected} channels, found {:?}",
            Affine::NAME,
            x.dims()
        );
    }
    Ok(())
}

struct TrainingOp {
    config: BatchNormConfig,
    /// Found in the forward pass; the backward pass and the running statistics need them.
    statistics: Arc<OnceLock<Statistics>>,
}

impl CustomOp3 for TrainingOp {
    fn name(&self) -> &'static str {
        Affine::NAME
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        weight: &CpuStorage,
        wl: &Layout,
        bias: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let name = Affine::NAME;
        let (_, height, width, channels) = nhwc(name, xl)?;
        check_channels(channels, wl.shape().elem_count(), xl)?;
        let len = height * width * channels;
        let xs = values(name, x, xl)?;
        let statistics = self
            .statistics
            .get_or_init(|| Statistics::of(xs, len, channels));
        let affine = Affine::new(
            statistics,
            values(name, weight, wl)?,
            values(name, bias, bl)?,
            self.config,
        );
        Ok((CpuStorage::F32(affine.apply(xs, len)), xl.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let name = Affine::NAME;
        let (samples, height, width, channels) = nhwc(name, x.layout())?;
        let len = height * width * channels;
        let Some(statistics) = self.statistics.get() else {
            bail!("{name}: the backward pass needs the forward pass first");
        };
        let dy = dy.contiguous()?;
        let [xv, wv, bv, dyv] = [x, weight, bias, &dy].map(|tensor| read(name, tensor));
        let (xs, dys) = (xv.get()?, dyv.get()?);
        let affine = Affine::new(statistics, wv.get()?, bv.get()?, self.config);
        let mean: Vec<f32> = statistics.mean.iter().map(|&mean| mean as f32).collect();
        let backward = AffineGradient {
            affine: affine.kernel(),
            mean: &mean,
        };
        let sum = sum_over_samples(samples, &mut [], 0, 2 * channels, |i, _, sum, _| {
            let (plain, centred) = sum.split_at_mut(channels);
            backward.add_sums(
                &xs[i * len..][..len],
                &dys[i * len..][..len],
                plain,
                centred,
            );
        });
        let (dbias, centred) = sum.split_at(channels);

        // dx = scale · (g − mean(g) − x̂ · mean(g · x̂)), and x̂ · mean(g · x̂) = (x − mean) · slope
        let inverse_variance: Vec<f32> = statistics
            .variance
            .iter()
            .map(|variance| (1.0 / (variance + self.config.eps)) as f32)
            .collect();
        let count = statistics.count as f32;
        let mean_g: Vec<f32> = dbias.iter().map(|sum| sum / count).collect();
        let slope: Vec<f32> = centred
            .iter()
            .zip(&inverse_variance)
            .map(|(sum, inverse)| sum / count * inverse)
            .collect();
        let mut dxs = vec![0.0; xs.len()];
        for_each_sample(&mut dxs, len, |i, dx, _| {
            backward.input(
                &xs[i * len..][..len],
                &dys[i * len..][..len],
                &mean_g,
                &slope,
                dx,
            );
        });
        let dweight = centred
            .iter()
            .zip(&inverse_variance)
            .map(|(sum, inverse)| sum * inverse.sqrt())
            .collect();

        let device = x.device();
        Ok((
            Some(Tensor::from_vec(dxs, x.shape(), device)?),
            Some(Tensor::from_vec(dweight, channels, device)?),
            Some(Tensor::from_vec(dbias.to_vec(), channels, device)?),
        ))
    }
}
