//! The layers against straightforward f64 sums, stock Candle where that is right, and finite differences.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::VarBuilder;
use emotion_models::layers::{
    Activation, BatchNorm, BatchNormConfig, Conv2d, Conv2dConfig, Padding, SeparableConv2d,
    max_pool_3x3_stride_2,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Values uniform in ±1.
fn random(rng: &mut ChaCha8Rng, shape: &[usize]) -> Var {
    let values: Vec<f32> = (0..shape.iter().product())
        .map(|_| rng.random_range(-1.0f32..1.0))
        .collect();
    Var::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(7)
}

fn builder(parameters: &[(&str, &Var)]) -> VarBuilder<'static> {
    let tensors: HashMap<String, Tensor> = parameters
        .iter()
        .map(|(name, var)| ((*name).to_owned(), var.as_tensor().clone()))
        .collect();
    VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu)
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f32) {
    assert_eq!(found.dims(), expected.dims());
    for (i, (f, e)) in values(found).iter().zip(values(expected)).enumerate() {
        assert!(
            (f - e).abs() <= tolerance * (1.0 + e.abs()),
            "value {i}: found {f}, expected {e}"
        );
    }
}

/// Compares the gradient of `Σ weights · f()` by every variable with central differences along random directions.
///
/// The sum is taken in f64. `step` may be large where `f` is linear in each variable: there the differences are exact
/// but for rounding.
fn assert_gradients(
    f: impl Fn() -> Result<Tensor>,
    variables: &[(&str, &Var)],
    step: f64,
    tolerance: f64,
) {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let output = f().unwrap();
    let weights = random(&mut rng, output.dims());
    let loss = |output: &Tensor| -> f64 {
        values(output)
            .iter()
            .zip(values(&weights))
            .map(|(y, w)| f64::from(*y) * f64::from(w))
            .sum()
    };
    let gradients = (output * weights.as_tensor())
        .unwrap()
        .sum_all()
        .unwrap()
        .backward()
        .unwrap();
    for (name, variable) in variables {
        let gradient = gradients
            .get(variable)
            .unwrap_or_else(|| panic!("no gradient of {name}"));
        let original = variable.as_tensor().copy().unwrap();
        for _ in 0..4 {
            let direction = random(&mut rng, variable.dims());
            let expected: f64 = values(gradient)
                .iter()
                .zip(values(&direction))
                .map(|(g, d)| f64::from(*g) * f64::from(d))
                .sum();
            let moved = |sign: f64| {
                variable
                    .set(&(&original + (direction.as_tensor() * (sign * step)).unwrap()).unwrap())
                    .unwrap();
                loss(&f().unwrap())
            };
            let found = (moved(1.0) - moved(-1.0)) / (2.0 * step);
            variable.set(&original).unwrap();
            let scale = values(gradient)
                .iter()
                .map(|g| f64::from(g.abs()))
                .sum::<f64>()
                / 4.0;
            assert!(
                (found - expected).abs() <= tolerance * (scale + 1.0),
                "{name}: gradient {expected}, differences {found}, scale {scale}"
            );
        }
    }
}

/// Stock Candle's convolution of `[N, H, W, C]`; its forward and backward passes are right, if slow. Its backward pass
/// refuses stride 2 on odd sizes, so it has stride 1, and of the result every second pixel is taken.
fn stock_conv(
    xs: &Tensor,
    weight: &Tensor,
    padding: usize,
    stride: usize,
    groups: usize,
) -> Result<Tensor> {
    let ys = xs
        .permute((0, 3, 1, 2))?
        .contiguous()?
        .conv2d(weight, padding, 1, 1, groups)?
        .permute((0, 2, 3, 1))?
        .contiguous()?;
    every(stride, &ys)
}

/// Each `stride`th pixel of each `stride`th row.
fn every(stride: usize, xs: &Tensor) -> Result<Tensor> {
    let mut xs = xs.clone();
    for dim in [1, 2] {
        let size = xs.dims()[dim] as u32;
        let chosen = Tensor::arange_step(0, size, stride as u32, &Device::Cpu)?;
        xs = xs.index_select(&chosen, dim)?;
    }
    Ok(xs)
}

const GEOMETRIES: [(usize, usize, Padding); 6] = [
    (3, 1, Padding::Valid),
    (3, 1, Padding::Same),
    (1, 1, Padding::Same),
    (1, 2, Padding::Same),
    (3, 2, Padding::Same),
    (3, 2, Padding::Valid),
];
/// Input and output channels that fill vectors exactly, not at all, and in part.
const CHANNELS: [(usize, usize); 5] = [(1, 8), (8, 8), (8, 16), (3, 7), (24, 9)];
/// Height, width.
const SIZES: [(usize, usize); 3] = [(3, 3), (7, 12), (10, 9)];

#[test]
fn convolutions_agree_with_stock_candle_forward_and_backward() {
    let mut rng = rng();
    for (kernel, stride, padding) in GEOMETRIES {
        for (channels_in, channels_out) in CHANNELS {
            for (height, width) in SIZES {
                let xs = random(&mut rng, &[5, height, width, channels_in]);
                let weight = random(&mut rng, &[channels_out, channels_in, kernel, kernel]);
                let bias = random(&mut rng, &[channels_out]);
                let config = Conv2dConfig {
                    kernel,
                    stride,
                    padding,
                    bias: true,
                };
                let vb = builder(&[("weight", &weight), ("bias", &bias)]);
                let conv = Conv2d::new(channels_in, channels_out, config, vb).unwrap();
                let border = if padding == Padding::Same {
                    kernel / 2
                } else {
                    0
                };

                let found = conv.forward(&xs).unwrap();
                let expected = stock_conv(&xs, &weight, border, stride, 1).unwrap();
                let expected = expected.broadcast_add(&bias).unwrap();
                assert_close(&found, &expected, 1e-4);

                let found = found.sqr().unwrap().sum_all().unwrap().backward().unwrap();
                let expected = expected
                    .sqr()
                    .unwrap()
                    .sum_all()
                    .unwrap()
                    .backward()
                    .unwrap();
                for variable in [&xs, &weight, &bias] {
                    assert_close(
                        found.get(variable).unwrap(),
                        expected.get(variable).unwrap(),
                        1e-3,
                    );
                }
            }
        }
    }
}

#[test]
fn separable_convolutions_agree_with_stock_candle_forward_and_backward() {
    let mut rng = rng();
    for (channels_in, channels_out) in CHANNELS {
        for (stride, (height, width)) in SIZES.into_iter().flat_map(|size| [(1, size), (2, size)]) {
            let xs = random(&mut rng, &[3, height, width, channels_in]);
            let depthwise = random(&mut rng, &[channels_in, 1, 3, 3]);
            let pointwise = random(&mut rng, &[channels_out, channels_in, 1, 1]);
            let vb = builder(&[
                ("depthwise.weight", &depthwise),
                ("pointwise.weight", &pointwise),
            ]);
            let conv = SeparableConv2d::new(channels_in, channels_out, stride, vb).unwrap();

            let found = conv.forward(&xs).unwrap();
            let between = stock_conv(&xs, &depthwise, 1, 1, channels_in).unwrap();
            let between = every(stride, &between).unwrap();
            let expected = stock_conv(&between, &pointwise, 0, 1, 1).unwrap();
            assert_close(&found, &expected, 1e-4);

            let found = found.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            let expected = expected
                .sqr()
                .unwrap()
                .sum_all()
                .unwrap()
                .backward()
                .unwrap();
            for variable in [&xs, &depthwise, &pointwise] {
                assert_close(
                    found.get(variable).unwrap(),
                    expected.get(variable).unwrap(),
                    1e-3,
                );
            }
        }
    }
}

#[test]
fn gradients_of_convolutions_agree_with_finite_differences() {
    let mut rng = rng();
    for (kernel, stride, padding) in GEOMETRIES {
        let xs = random(&mut rng, &[2, 6, 5, 4]);
        let weight = random(&mut rng, &[9, 4, kernel, kernel]);
        let config = Conv2dConfig {
            kernel,
            stride,
            padding,
            bias: false,
        };
        let conv = Conv2d::new(4, 9, config, builder(&[("weight", &weight)])).unwrap();
        assert_gradients(
            || conv.forward(&xs),
            &[("input", &xs), ("weight", &weight)],
            0.5,
            1e-5,
        );
    }
    let xs = random(&mut rng, &[2, 6, 5, 8]);
    let depthwise = random(&mut rng, &[8, 1, 3, 3]);
    let pointwise = random(&mut rng, &[16, 8, 1, 1]);
    let vb = builder(&[
        ("depthwise.weight", &depthwise),
        ("pointwise.weight", &pointwise),
    ]);
    let conv = SeparableConv2d::new(8, 16, 1, vb).unwrap();
    let variables = [
        ("input", &xs),
        ("depthwise", &depthwise),
        ("pointwise", &pointwise),
    ];
    assert_gradients(|| conv.forward(&xs), &variables, 0.5, 1e-5);
}

/// The largest values by the definition in TensorFlow's documentation of "SAME".
fn naive_max_pool(xs: &Tensor) -> Tensor {
    let (samples, height, width, channels) = xs.dims4().unwrap();
    let x = values(xs);
    let (height_out, width_out) = (height.div_ceil(2), width.div_ceil(2));
    let before =
        |size: usize, outputs: usize| (((outputs - 1) * 2 + 3).saturating_sub(size) / 2) as isize;
    let mut out = Vec::new();
    for n in 0..samples {
        for i in 0..height_out as isize {
            for j in 0..width_out as isize {
                for c in 0..channels {
                    let mut best = f32::NEG_INFINITY;
                    for (r, k) in (0..9).map(|tap| (tap / 3, tap % 3)) {
                        let row = 2 * i + r - before(height, height_out);
                        let column = 2 * j + k - before(width, width_out);
                        if (0..height as isize).contains(&row)
                            && (0..width as isize).contains(&column)
                        {
                            let at = ((n * height + row as usize) * width + column as usize)
                                * channels
                                + c;
                            best = best.max(x[at]);
                        }
                    }
                    out.push(best);
                }
            }
        }
    }
    Tensor::from_vec(
        out,
        (samples, height_out, width_out, channels),
        &Device::Cpu,
    )
    .unwrap()
}

#[test]
fn max_pooling_pads_as_tensorflow_does_and_keeps_negative_values() {
    let mut rng = rng();
    for (height, width) in [(44, 44), (11, 11), (6, 6), (5, 8), (1, 1), (2, 3)] {
        let xs = random(&mut rng, &[2, height, width, 8]);
        let xs = (xs.as_tensor() - 2.0).unwrap();
        assert_close(
            &max_pool_3x3_stride_2(&xs).unwrap(),
            &naive_max_pool(&xs),
            0.0,
        );
    }
}

#[test]
fn max_pooling_sends_the_gradient_to_the_winner_of_each_window() {
    // One channel, 4×4: the even size is padded behind, so that windows begin at rows and columns 0 and 2.
    let x: [f32; 16] = [
        1., 2., 3., 0., 4., 9., 5., 0., 6., 7., 8., 0., 0., 0., 0., 10.,
    ];
    let xs = Var::from_vec(x.to_vec(), (1, 4, 4, 1), &Device::Cpu).unwrap();
    let ys = max_pool_3x3_stride_2(&xs).unwrap();
    assert_eq!(values(&ys), [9., 8., 8., 10.]);
    let weights = Tensor::new(&[1f32, 2., 3., 4.], &Device::Cpu)
        .unwrap()
        .reshape((1, 2, 2, 1))
        .unwrap();
    let gradients = (ys * weights)
        .unwrap()
        .sum_all()
        .unwrap()
        .backward()
        .unwrap();
    let mut expected = [0.0; 16];
    (expected[5], expected[10], expected[15]) = (1.0, 5.0, 4.0);
    assert_eq!(values(gradients.get(&xs).unwrap()), expected);
}

#[test]
fn gradients_of_max_pooling_agree_with_finite_differences() {
    let mut rng = rng();
    for (height, width) in [(44, 44), (11, 7), (1, 1)] {
        // A step below half the distance of any two values lets no winner change.
        let mut order: Vec<f32> = (0..2 * height * width * 3).map(|i| i as f32).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, rng.random_range(0..=i));
        }
        let xs = Var::from_vec(order, (2, height, width, 3), &Device::Cpu).unwrap();
        assert_gradients(|| max_pool_3x3_stride_2(&xs), &[("input", &xs)], 0.25, 1e-4);
    }
}

struct Norm {
    xs: Var,
    weight: Var,
    bias: Var,
    mean: Var,
    variance: Var,
    layer: BatchNorm,
}

fn norm(shape: &[usize], config: BatchNormConfig) -> Norm {
    let mut rng = rng();
    let channels = shape[3];
    let xs = random(&mut rng, shape);
    // Far from zero mean, so that a variance from differences of large sums would be seen.
    xs.set(&xs.affine(2.0, 30.0).unwrap()).unwrap();
    let [weight, bias, mean] = [0; 3].map(|_| random(&mut rng, &[channels]));
    let variance =
        Var::from_tensor(&random(&mut rng, &[channels]).affine(0.4, 0.6).unwrap()).unwrap();
    let vb = builder(&[
        ("weight", &weight),
        ("bias", &bias),
        ("running_mean", &mean),
        ("running_var", &variance),
    ]);
    let layer = BatchNorm::new(channels, config, vb).unwrap();
    Norm {
        xs,
        weight,
        bias,
        mean,
        variance,
        layer,
    }
}

#[test]
fn batch_norm_normalises_by_the_batch_in_training() {
    for channels in [8, 7] {
        let norm = norm(&[4, 5, 6, channels], BatchNormConfig::default());
        let found = norm.layer.forward(&norm.xs, true).unwrap();
        let x = norm.xs.as_tensor().to_dtype(DType::F64).unwrap();
        let mean = x.mean_keepdim((0, 1, 2)).unwrap();
        let centred = x.broadcast_sub(&mean).unwrap();
        let variance = centred.sqr().unwrap().mean_keepdim((0, 1, 2)).unwrap();
        let expected = centred
            .broadcast_div(&(variance + 1e-3).unwrap().sqrt().unwrap())
            .and_then(|x| x.to_dtype(DType::F32))
            .and_then(|x| x.broadcast_mul(&norm.weight))
            .and_then(|x| x.broadcast_add(&norm.bias))
            .unwrap();
        assert_close(&found, &expected, 2e-5);
    }
}

#[test]
fn batch_norm_moves_its_running_statistics_by_the_momentum() {
    let config = BatchNormConfig {
        momentum: 0.25,
        ..BatchNormConfig::default()
    };
    let norm = norm(&[2, 1, 3, 1], config);
    let x = values(&norm.xs);
    let (mean, variance) = (values(&norm.mean)[0], values(&norm.variance)[0]);
    norm.layer.forward(&norm.xs, true).unwrap();
    let batch_mean = x.iter().sum::<f32>() / 6.0;
    // Unbiased: divided by one less than the count.
    let batch_variance = x.iter().map(|x| (x - batch_mean).powi(2)).sum::<f32>() / 5.0;
    assert!((values(&norm.mean)[0] - (0.75 * mean + 0.25 * batch_mean)).abs() < 1e-4);
    assert!((values(&norm.variance)[0] - (0.75 * variance + 0.25 * batch_variance)).abs() < 1e-4);
}

#[test]
fn batch_norm_uses_its_running_statistics_outside_training_and_keeps_them() {
    let config = BatchNormConfig {
        activation: Activation::Relu,
        ..BatchNormConfig::default()
    };
    let norm = norm(&[3, 4, 2, 8], config);
    let before = (values(&norm.mean), values(&norm.variance));
    let found = norm.layer.forward(&norm.xs, false).unwrap();
    let expected = norm
        .xs
        .broadcast_sub(&norm.mean)
        .and_then(|x| x.broadcast_div(&(norm.variance.as_tensor() + 1e-3)?.sqrt()?))
        .and_then(|x| {
            x.broadcast_mul(&norm.weight)?
                .broadcast_add(&norm.bias)?
                .relu()
        })
        .unwrap();
    assert_close(&found, &expected, 1e-5);
    assert_eq!(before, (values(&norm.mean), values(&norm.variance)));
}

#[test]
fn gradients_of_batch_norm_agree_with_finite_differences() {
    for activation in [Activation::Linear, Activation::Relu] {
        let config = BatchNormConfig {
            activation,
            ..BatchNormConfig::default()
        };
        let norm = norm(&[2, 2, 3, 2], config);
        let f = || norm.layer.forward(&norm.xs, true);
        norm.xs.set(&norm.xs.affine(1.0, -30.0).unwrap()).unwrap();
        // The differences below must not cross the kink of the ReLU.
        norm.bias
            .set(&Tensor::new(&[0.3f32, -0.2], &Device::Cpu).unwrap())
            .unwrap();
        let linear = BatchNormConfig::default();
        let vb = [("weight", &norm.weight), ("bias", &norm.bias)];
        let vb = builder(
            &[
                &vb[..],
                &[
                    ("running_mean", &norm.mean),
                    ("running_var", &norm.variance),
                ],
            ]
            .concat(),
        );
        let before = BatchNorm::new(2, linear, vb)
            .unwrap()
            .forward(&norm.xs, true)
            .unwrap();
        assert!(
            values(&before).iter().all(|y| y.abs() > 0.01),
            "{:?}",
            values(&before)
        );

        let variables = [
            ("weight", &norm.weight),
            ("bias", &norm.bias),
            ("input", &norm.xs),
        ];
        assert_gradients(f, &variables, 1e-3, 1e-3);
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let mut rng = rng();
    let xs = random(&mut rng, &[33, 9, 9, 8]);
    let depthwise = random(&mut rng, &[8, 1, 3, 3]);
    let pointwise = random(&mut rng, &[16, 8, 1, 1]);
    let vb = builder(&[
        ("depthwise.weight", &depthwise),
        ("pointwise.weight", &pointwise),
    ]);
    let conv = SeparableConv2d::new(8, 16, 1, vb).unwrap();
    let gradients = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let ys = conv.forward(&xs).unwrap().sqr().unwrap().sum_all().unwrap();
            let gradients = ys.backward().unwrap();
            [&xs, &depthwise, &pointwise].map(|variable| values(gradients.get(variable).unwrap()))
        })
    };
    assert_eq!(gradients(1), gradients(4));
}

#[test]
fn wrong_inputs_are_refused_with_their_shapes() {
    let mut rng = rng();
    let weight = random(&mut rng, &[8, 4, 3, 3]);
    let conv = Conv2d::new(
        4,
        8,
        Conv2dConfig::default(),
        builder(&[("weight", &weight)]),
    )
    .unwrap();
    let message = |xs: &Tensor| conv.forward(xs).unwrap_err().to_string();
    assert!(
        message(&random(&mut rng, &[1, 6, 6, 3]))
            .contains("expected 4 input channels, found [1, 6, 6, 3]")
    );
    assert!(message(&random(&mut rng, &[1, 2, 6, 4])).contains("larger than the input"));
    assert!(message(&random(&mut rng, &[6, 6, 4])).contains("[N, H, W, C], found [6, 6, 4]"));
    let doubles = Tensor::zeros((1, 6, 6, 4), DType::F64, &Device::Cpu).unwrap();
    assert!(conv.forward(&doubles).is_err());
}
