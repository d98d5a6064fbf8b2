//! mini_XCEPTION (Arriaga, Plöger and Valdenegro 2017, "Real-time Convolutional Neural Networks for Emotion and Gender
//! Classification"; `src/models/cnn.py` of oarriaga/face_classification).
//!
//! | part | output for 48×48 | parameters |
//! |---|---|---|
//! | conv 3×3 valid, batch norm, ReLU | 46×46×8 | 104 |
//! | conv 3×3 valid, batch norm, ReLU | 44×44×8 | 608 |
//! | four modules of two separable convolutions each | 3×3×128 | 49,640 |
//! | conv 3×3 with bias, global average | 7 | 8,071 |
//!
//! The names of the parameters are the paths below: `conv1.weight`, `norm1.running_mean`,
//! `modules.0.residual.conv.weight`, `modules.3.separable2.depthwise.weight`, `head.bias` and so on. Convolutions are
//! `[out, in, k, k]`, depthwise ones `[channels, 1, 3, 3]`.

use candle_core::{Result, Tensor, bail};
use candle_nn::VarBuilder;

use crate::layers::{
    Activation, BatchNorm, BatchNormConfig, Conv2d, Conv2dConfig, Padding, SeparableConv2d,
    max_pool_3x3_stride_2,
};

/// Channels of the two convolutions in front.
const STEM: usize = 8;
/// Channels of the four modules.
const MODULES: [usize; 4] = [16, 32, 64, 128];

/// What may differ between networks of this architecture.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Width and height of the input. The weights fit any size from 12 on; they are good at the one of their training.
    pub input_size: usize,
    /// The number of emotions.
    pub classes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            input_size: 48,
            classes: crate::Emotion::ALL.len(),
        }
    }
}

/// A row of [`MiniXception::layers`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerSummary {
    /// The path of its parameters, or where it stands if it has none.
    pub name: String,
    /// What it computes.
    pub kind: &'static str,
    /// `[H, W, C]`, or `[C]`.
    pub output_shape: Vec<usize>,
    /// All parameters.
    pub parameters: usize,
    /// Those that training moves.
    pub trainable: usize,
}

/// The network.
#[derive(Debug, Clone)]
pub struct MiniXception {
    conv1: Conv2d,
    norm1: BatchNorm,
    conv2: Conv2d,
    norm2: BatchNorm,
    modules: Vec<Module>,
    head: Conv2d,
    config: Config,
}

impl MiniXception {
    /// The network with parameters from `vb`.
    ///
    /// # Errors
    ///
    /// If `vb` lacks a parameter or holds it in another shape, or `config` asks for no classes or too small an input.
    pub fn new(config: Config, vb: VarBuilder<'_>) -> Result<Self> {
        if config.input_size < 12 || config.classes == 0 {
            bail!(
                "mini_xception: expected an input size of at least 12 and at least one class, found {} and {}",
                config.input_size,
                config.classes
            );
        }
        let conv = Conv2dConfig::default();
        let mut channels = STEM;
        let mut modules = Vec::with_capacity(MODULES.len());
        for (i, channels_out) in MODULES.into_iter().enumerate() {
            modules.push(Module::new(channels, channels_out, vb.pp("modules").pp(i))?);
            channels = channels_out;
        }
        let head = Conv2dConfig {
            padding: Padding::Same,
            bias: true,
            ..conv
        };
        Ok(Self {
            conv1: Conv2d::new(1, STEM, conv, vb.pp("conv1"))?,
            norm1: BatchNorm::new(STEM, relu(), vb.pp("norm1"))?,
            conv2: Conv2d::new(STEM, STEM, conv, vb.pp("conv2"))?,
            norm2: BatchNorm::new(STEM, relu(), vb.pp("norm2"))?,
            modules,
            head: Conv2d::new(channels, config.classes, head, vb.pp("head"))?,
            config,
        })
    }

    /// The logits `[N, classes]` of faces `[N, H, W, 1]` in [-1, 1]. With `train` the batch norms use the batch's
    /// statistics and gradients can be taken.
    ///
    /// # Errors
    ///
    /// If `xs` has another shape than this.
    pub fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let xs = self.norm1.forward(&self.conv1.forward(xs)?, train)?;
        let mut xs = self.norm2.forward(&self.conv2.forward(&xs)?, train)?;
        for module in &self.modules {
            xs = module.forward(&xs, train)?;
        }
        self.head.forward(&xs)?.mean((1, 2))
    }

    /// The layers in the order of their work.
    pub fn layers(&self) -> Vec<LayerSummary> {
        let mut rows = Rows::default();
        let size = self.config.input_size;
        rows.push("input", "Input", &[size, size, 1], 0, 0);
        let size = self.conv1.output_size(size);
        rows.conv("conv1", &self.conv1, size);
        rows.norm("norm1", &self.norm1, size, STEM);
        let mut size = self.conv2.output_size(size);
        rows.conv("conv2", &self.conv2, size);
        rows.norm("norm2", &self.norm2, size, STEM);
        for (i, module) in self.modules.iter().enumerate() {
            size = module.describe(&format!("modules.{i}"), size, &mut rows);
        }
        rows.conv("head", &self.head, size);
        rows.push(
            "average",
            "GlobalAveragePooling",
            &[self.config.classes],
            0,
            0,
        );
        rows.0
    }
}

fn relu() -> BatchNormConfig {
    BatchNormConfig {
        activation: Activation::Relu,
        ..BatchNormConfig::default()
    }
}

/// Two separable convolutions and a max-pooling beside a 1×1 convolution with stride 2; the halves are added.
///
/// There is no ReLU behind the second separable convolution, nor behind the addition.
#[derive(Debug, Clone)]
struct Module {
    residual: Conv2d,
    residual_norm: BatchNorm,
    separable1: SeparableConv2d,
    norm1: BatchNorm,
    separable2: SeparableConv2d,
    norm2: BatchNorm,
}

impl Module {
    fn new(channels_in: usize, channels_out: usize, vb: VarBuilder<'_>) -> Result<Self> {
        let residual = Conv2dConfig {
            kernel: 1,
            stride: 2,
            padding: Padding::Same,
            bias: false,
        };
        let linear = BatchNormConfig::default();
        Ok(Self {
            residual: Conv2d::new(channels_in, channels_out, residual, vb.pp("residual.conv"))?,
            residual_norm: BatchNorm::new(channels_out, linear, vb.pp("residual.norm"))?,
            separable1: SeparableConv2d::new(channels_in, channels_out, vb.pp("separable1"))?,
            norm1: BatchNorm::new(channels_out, relu(), vb.pp("norm1"))?,
            separable2: SeparableConv2d::new(channels_out, channels_out, vb.pp("separable2"))?,
            norm2: BatchNorm::new(channels_out, linear, vb.pp("norm2"))?,
        })
    }

    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let residual = self
            .residual_norm
            .forward(&self.residual.forward(xs)?, train)?;
        let xs = self.norm1.forward(&self.separable1.forward(xs)?, train)?;
        let xs = self.norm2.forward(&self.separable2.forward(&xs)?, train)?;
        max_pool_3x3_stride_2(&xs)? + residual
    }

    /// Adds its layers to `rows` and returns the size of its output.
    fn describe(&self, path: &str, size: usize, rows: &mut Rows) -> usize {
        let channels = self.separable2.channels_out();
        let half = self.residual.output_size(size);
        rows.conv(&format!("{path}.residual.conv"), &self.residual, half);
        rows.norm(
            &format!("{path}.residual.norm"),
            &self.residual_norm,
            half,
            channels,
        );
        rows.separable(&format!("{path}.separable1"), &self.separable1, size);
        rows.norm(&format!("{path}.norm1"), &self.norm1, size, channels);
        rows.separable(&format!("{path}.separable2"), &self.separable2, size);
        rows.norm(&format!("{path}.norm2"), &self.norm2, size, channels);
        rows.push(
            &format!("{path}.pool"),
            "MaxPooling",
            &[half, half, channels],
            0,
            0,
        );
        rows.push(&format!("{path}.add"), "Add", &[half, half, channels], 0, 0);
        half
    }
}

#[derive(Default)]
struct Rows(Vec<LayerSummary>);

impl Rows {
    fn push(
        &mut self,
        name: &str,
        kind: &'static str,
        shape: &[usize],
        parameters: usize,
        fixed: usize,
    ) {
        self.0.push(LayerSummary {
            name: name.to_owned(),
            kind,
            output_shape: shape.to_vec(),
            parameters,
            trainable: parameters - fixed,
        });
    }

    fn conv(&mut self, name: &str, conv: &Conv2d, size: usize) {
        self.push(
            name,
            "Conv2d",
            &[size, size, conv.weight_dims()[0]],
            conv.parameter_count(),
            0,
        );
    }

    fn separable(&mut self, name: &str, conv: &SeparableConv2d, size: usize) {
        self.push(
            name,
            "SeparableConv2d",
            &[size, size, conv.channels_out()],
            conv.parameter_count(),
            0,
        );
    }

    fn norm(&mut self, name: &str, norm: &BatchNorm, size: usize, channels: usize) {
        let kind = "BatchNorm";
        self.push(
            name,
            kind,
            &[size, size, channels],
            norm.parameter_count(),
            norm.statistic_count(),
        );
    }
}
