//! The operations of networks: what each computes, the shape of its output and the parameters it needs.

use super::parameter::{Initialization, Parameter};

/// Applied to the result of a convolution, a batch norm or an addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// None.
    Linear,
    /// max(0, y); its derivative at 0 is 0.
    Relu,
}

/// Treatment of the border of a convolution's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// The output holds only the positions where the whole kernel lies inside.
    Valid,
    /// Zeros on every side, so that the output has the size of the input divided by the stride, rounded up.
    Same,
}

/// Settings of a dense convolution: `y[i, j, o] = bias[o] + Σ weight[o, c, r, k] · x[s·i + r, s·j + k, c]` with stride s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv2dConfig {
    /// Output channels.
    pub channels: usize,
    /// Width and height of the kernel: 1 or 3.
    pub kernel: usize,
    /// Step between outputs: 1 or 2.
    pub stride: usize,
    /// Treatment of the border.
    pub padding: Padding,
    /// Whether a bias is added.
    pub bias: bool,
    /// Applied to the result.
    pub activation: Activation,
}

impl Conv2dConfig {
    /// A 3×3 convolution with stride 1, without padding, bias or activation.
    pub const fn new(channels: usize) -> Self {
        Self {
            channels,
            kernel: 3,
            stride: 1,
            padding: Padding::Valid,
            bias: false,
            activation: Activation::Linear,
        }
    }

    /// A 1×1 convolution with bias.
    pub const fn pointwise(channels: usize) -> Self {
        Self {
            kernel: 1,
            padding: Padding::Same,
            bias: true,
            ..Self::new(channels)
        }
    }

    /// A 1×1 convolution with stride 2, which fits the input of a block to its halved output.
    pub(super) const fn projection(channels: usize) -> Self {
        Self {
            stride: 2,
            bias: false,
            ..Self::pointwise(channels)
        }
    }

    /// Zeros on each side of the input.
    pub const fn border(&self) -> usize {
        match self.padding {
            Padding::Valid => 0,
            Padding::Same => self.kernel / 2,
        }
    }

    /// Height or width of the output for an input of that `size`.
    fn output_size(&self, size: usize) -> usize {
        (size + 2 * self.border() - self.kernel) / self.stride + 1
    }

    fn fits(&self, [height, width, _]: [usize; 3]) -> bool {
        let is_known = matches!((self.kernel, self.stride), (1 | 3, 1 | 2));
        is_known && height.min(width) + 2 * self.border() >= self.kernel
    }
}

/// Settings of a separable convolution (Chollet 2017).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeparableConv2dConfig {
    /// Output channels.
    pub channels: usize,
    /// Step between outputs: 1 or 2.
    pub stride: usize,
    /// Whether the 1×1 convolution adds a bias.
    pub bias: bool,
    /// Applied to the result.
    pub activation: Activation,
}

/// Settings of a batch norm: `y = weight · (x − mean) / √(variance + ε) + bias`, per channel (Ioffe and Szegedy 2015).
///
/// In training, mean and variance are those of the batch over `[N, H, W]`; else they are the running ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormConfig {
    /// Added to the variance.
    pub eps: f64,
    /// Weight of a batch in the running statistics.
    pub momentum: f64,
    /// Applied to the result.
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

/// What a node computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op {
    /// Nothing: the input, a picture `[H, W, 1]` in [-1, 1].
    Input,
    /// A dense convolution. Parameters: `weight` `[out, in, kernel, kernel]`, and `bias` `[out]` if it has one.
    Conv2d(Conv2dConfig),
    /// A 3×3 convolution of each channel by itself, padded by one zero on every side, then a 1×1 convolution across
    /// channels. Parameters: `depthwise.weight` `[in, 1, 3, 3]`, `pointwise.weight` `[out, in, 1, 1]`, and
    /// `pointwise.bias` `[out]` if it has one.
    SeparableConv2d(SeparableConv2dConfig),
    /// Batch normalisation. Parameters, each `[C]`: `weight`, `bias`, `running_mean`, `running_var`.
    BatchNorm(BatchNormConfig),
    /// The largest value in windows of 3×3 with stride 2, padded as TensorFlow's "same": an odd pixel of padding stands
    /// behind, and padding is never the largest.
    MaxPool,
    /// The sum of two inputs.
    Add(Activation),
    /// Each pixel four times, for twice the width and height.
    Upsample,
    /// The mean over height and width, `[1, 1, C]`.
    GlobalAverage,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// Each channel of the first input, `[H, W, C]`, times the second input's value for it, `[1, 1, C]`.
    ScaleChannels,
}

impl Op {
    /// The name of its kind, as Keras' summaries have it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Input => "Input",
            Self::Conv2d(_) => "Conv2d",
            Self::SeparableConv2d(_) => "SeparableConv2d",
            Self::BatchNorm(_) => "BatchNorm",
            Self::MaxPool => "MaxPooling",
            Self::Add(_) => "Add",
            Self::Upsample => "UpSampling",
            Self::GlobalAverage => "GlobalAveragePooling",
            Self::Sigmoid => "Sigmoid",
            Self::ScaleChannels => "Multiply",
        }
    }

    /// What is applied to its result.
    pub const fn activation(&self) -> Activation {
        match self {
            Self::Conv2d(Conv2dConfig { activation, .. })
            | Self::SeparableConv2d(SeparableConv2dConfig { activation, .. })
            | Self::BatchNorm(BatchNormConfig { activation, .. })
            | Self::Add(activation) => *activation,
            _ => Activation::Linear,
        }
    }

    /// The name of a parameter, `weight` or `bias`, of the convolution across channels in a node of this name.
    pub fn kernel(&self, node: &str, parameter: &str) -> String {
        match self {
            Self::SeparableConv2d(_) => format!("{node}.pointwise.{parameter}"),
            _ => format!("{node}.{parameter}"),
        }
    }

    /// `[H, W, C]` of the output for inputs of these shapes; none if they do not fit.
    pub(super) fn output_shape(&self, inputs: &[[usize; 3]]) -> Option<[usize; 3]> {
        match (self, inputs) {
            (Self::Conv2d(config), &[input @ [height, width, _]]) if config.fits(input) => {
                let [height, width] = [height, width].map(|size| config.output_size(size));
                Some([height, width, config.channels])
            }
            (Self::SeparableConv2d(config), &[[height, width, _]])
                if matches!(config.stride, 1 | 2) =>
            {
                let [height, width] = [height, width].map(|size| size.div_ceil(config.stride));
                Some([height, width, config.channels])
            }
            (Self::BatchNorm(_) | Self::Sigmoid, &[shape]) => Some(shape),
            (Self::MaxPool, &[[height, width, channels]]) => {
                Some([height.div_ceil(2), width.div_ceil(2), channels])
            }
            (Self::Add(_), &[shape, other]) if shape == other => Some(shape),
            (Self::Upsample, &[[height, width, channels]]) => {
                Some([2 * height, 2 * width, channels])
            }
            (Self::GlobalAverage, &[[_, _, channels]]) => Some([1, 1, channels]),
            (Self::ScaleChannels, &[shape, factors]) if factors == [1, 1, shape[2]] => Some(shape),
            _ => None,
        }
    }

    /// The parameters of a node with this name and `channels_in` input channels.
    pub(super) fn parameters(&self, node: &str, channels_in: usize) -> Vec<Parameter> {
        let parameter = |name: &str, shape: &[usize], init| Parameter {
            name: format!("{node}.{name}"),
            shape: shape.to_vec(),
            init,
            trained: !name.starts_with("running"),
        };
        let bias = |name: &str, channels, has_bias: bool| {
            has_bias.then(|| parameter(name, &[channels], Initialization::Constant(0.0)))
        };
        match *self {
            Self::Conv2d(config) => {
                let (channels, kernel) = (config.channels, config.kernel);
                let area = kernel * kernel;
                let init = Initialization::glorot(channels_in * area, channels * area);
                let shape = [channels, channels_in, kernel, kernel];
                let weight = parameter("weight", &shape, init);
                let bias = bias("bias", channels, config.bias);
                [weight].into_iter().chain(bias).collect()
            }
            Self::SeparableConv2d(config) => {
                let channels = config.channels;
                // The fans of a depthwise kernel as Keras counts them: [3, 3, in, 1].
                let depthwise = Initialization::glorot(9 * channels_in, 9);
                let pointwise = Initialization::glorot(channels_in, channels);
                let weights = [
                    parameter("depthwise.weight", &[channels_in, 1, 3, 3], depthwise),
                    parameter(
                        "pointwise.weight",
                        &[channels, channels_in, 1, 1],
                        pointwise,
                    ),
                ];
                let bias = bias("pointwise.bias", channels, config.bias);
                weights.into_iter().chain(bias).collect()
            }
            Self::BatchNorm(_) => [
                ("weight", 1.0),
                ("bias", 0.0),
                ("running_mean", 0.0),
                ("running_var", 1.0),
            ]
            .map(|(name, value)| parameter(name, &[channels_in], Initialization::Constant(value)))
            .into(),
            _ => Vec::new(),
        }
    }

    /// Multiplications of a weight with an activation for each pixel of the output.
    pub(super) fn multiply_adds(&self, channels_in: usize) -> usize {
        match self {
            Self::Conv2d(config) => config.kernel * config.kernel * channels_in * config.channels,
            Self::SeparableConv2d(config) => (9 + config.channels) * channels_in,
            _ => 0,
        }
    }
}
