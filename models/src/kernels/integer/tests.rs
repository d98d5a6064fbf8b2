//! The loops against sums written out, on every instruction set.

use pulp::WithSimd;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::Instructions;
use crate::kernels::Map;

const ZERO_POINT: u8 = 117;

/// Weights of which no two neighbours exceed 16 bits with any activations.
fn weights(count: usize, rng: &mut ChaCha8Rng) -> Vec<i8> {
    (0..count)
        .map(|_| match rng.random_range(0..8) {
            // The largest that there may be.
            0 => 64,
            1 => -64,
            _ => rng.random_range(-63..63),
        })
        .collect()
}

fn activations(count: usize, rng: &mut ChaCha8Rng) -> Vec<u8> {
    (0..count)
        .map(|_| match rng.random_range(0..4) {
            0 => 255,
            _ => rng.random_range(0..=255),
        })
        .collect()
}

/// A convolution from one map to another.
struct Case {
    channels: [usize; 2],
    taps: usize,
    stride: usize,
    width: usize,
    height: usize,
}

impl Case {
    const fn new(channels: [usize; 2], taps: usize, stride: usize, width: usize) -> Self {
        Self {
            channels,
            taps,
            stride,
            width,
            height: 3,
        }
    }
}

#[test]
fn products_are_the_same_on_every_instruction_set_and_those_written_out() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for case in [
        Case::new([16, 8], 1, 1, 1),
        Case::new([8, 8], 3, 1, 7),
        Case::new([32, 16], 1, 1, 5),
        Case::new([48, 48], 1, 1, 24),
        Case::new([64, 48], 1, 2, 6),
        Case::new([80, 4], 3, 1, 13),
        Case::new([128, 256], 1, 1, 6),
    ] {
        let Case {
            channels: [channels_out, channels_in],
            taps,
            stride,
            width,
            height,
        } = case;
        let kernel = weights(channels_out * channels_in * taps * taps, &mut rng);
        let row_in = (stride * (width - 1) + taps) * channels_in;
        let x = activations((stride * (height - 1) + taps) * row_in, &mut rng);
        let bias: Vec<i32> = (0..channels_out).map(|o| 100 * o as i32 - 700).collect();
        let multipliers: Vec<f32> = (0..channels_out)
            .map(|o| 0.002 / (o + 1) as f32 + 0.0001)
            .collect();
        let output = Map::bordered([height, width, channels_out]);
        let add = activations(output.len(), &mut rng);
        for add in [None, Some(&add[..])] {
            let requantization = Requantization {
                add: add.map(|add| &add[output.span(0, height)]),
                add_multiplier: 0.37,
                offset: 3.0,
            };
            let expected: Vec<u8> = (0..output.size())
                .map(|index| {
                    let (pixel, o) = (index / channels_out, index % channels_out);
                    let (row, column) = (pixel / width, pixel % width);
                    let mut sum = bias[o];
                    for (i, &weight) in kernel[o * channels_in * taps * taps..]
                        [..channels_in * taps * taps]
                        .iter()
                        .enumerate()
                    {
                        let (c, r, k) = (i / (taps * taps), i / taps % taps, i % taps);
                        let at =
                            (stride * row + r) * row_in + (stride * column + k) * channels_in + c;
                        sum += i32::from(weight) * (i32::from(x[at]) - i32::from(ZERO_POINT));
                    }
                    let mut value = sum as f32 * multipliers[o];
                    if let Some(add) = add {
                        value += f32::from(add[output.at(column, row) + o]) * 0.37;
                    }
                    (value + 3.0).round_ties_even().clamp(0.0, 255.0) as u8
                })
                .collect();
            assert!(expected.contains(&0) || expected.iter().any(|&value| value > 0));
            for instructions in Instructions::all() {
                let weights = PackedQuads::new(
                    instructions,
                    &kernel,
                    [channels_out, channels_in],
                    taps,
                    &bias,
                    &multipliers,
                    ZERO_POINT,
                );
                let mut out = vec![7; output.len()];
                IntegerProducts {
                    x: &x,
                    row_in,
                    stride,
                    weights: &weights,
                    requantization,
                    out: &mut out[output.span(0, height)],
                    row_out: output.stride(),
                    width_out: width,
                }
                .run();
                let found: Vec<u8> = (0..height)
                    .flat_map(|row| out[output.at(0, row)..][..output.row()].to_vec())
                    .collect();
                assert_eq!(
                    found, expected,
                    "{instructions}: {channels_in} to {channels_out}"
                );
                // The border stays as it was.
                let border = out[..output.at(0, 0)]
                    .iter()
                    .chain(&out[output.at(width, height - 1)..]);
                assert!(border.copied().all(|value| value == 7), "{instructions}");
            }
        }
    }
}

#[test]
fn depthwise_sums_are_the_same_on_every_instruction_set_and_those_written_out() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for (channels, stride, width) in [
        (8, 1, 5),
        (16, 2, 4),
        (32, 1, 1),
        (48, 1, 6),
        (64, 1, 3),
        (96, 1, 4),
        (128, 2, 3),
        (24, 1, 3),
        (16, 1, 7),
        (32, 1, 5),
        (8, 2, 3),
    ] {
        let height = 3;
        let taps = weights(9 * channels, &mut rng);
        let row_in = (stride * (width - 1) + 3) * channels;
        let len = (stride * (height - 1) + 3) * row_in;
        let x = activations(len + SLACK, &mut rng);
        let bias: Vec<i32> = (0..channels).map(|c| 50 * c as i32 - 300).collect();
        let multipliers: Vec<f32> = (0..channels)
            .map(|c| 0.01 / (c + 1) as f32 + 0.001)
            .collect();
        let expected: Vec<u8> = (0..height * width * channels)
            .map(|index| {
                let (pixel, c) = (index / channels, index % channels);
                let (row, column) = (pixel / width, pixel % width);
                let products = (0..9).map(|tap| {
                    let at = (stride * row + tap / 3) * row_in
                        + (stride * column + tap % 3) * channels
                        + c;
                    i32::from(taps[c * 9 + tap]) * (i32::from(x[at]) - i32::from(ZERO_POINT))
                });
                let sum = bias[c] + products.sum::<i32>();
                let value = sum as f32 * multipliers[c] + 100.0;
                value.round_ties_even().clamp(0.0, 255.0) as u8
            })
            .collect();
        for instructions in Instructions::all() {
            let weights =
                PackedTaps::new(instructions, &taps, stride, &bias, &multipliers, ZERO_POINT);
            let mut out = vec![0; expected.len() + SLACK];
            IntegerDepthwise {
                x: &x,
                row_in,
                weights: &weights,
                offset: 100.0,
                out: &mut out,
                width,
            }
            .run();
            let found = &out[..expected.len()];
            assert_eq!(
                found, expected,
                "{instructions}: {channels} channels, stride {stride}"
            );
        }
    }
}

#[test]
fn values_are_rounded_to_the_nearest_even_and_kept_within_a_byte() {
    let values = [-1e30, -0.6, 0.5, 1.5, 2.5, 254.5, 255.4, 1e30, 77.2];
    let expected = [0, 0, 0, 2, 2, 254, 255, 255, 77];
    assert_eq!(values.map(saturate), expected);
    for instructions in Instructions::all() {
        let mut out = [9; 9];
        quantize(instructions, &values, 1.0, 0, &mut out);
        assert_eq!(out, expected, "{instructions}");
    }
}

#[test]
fn operations_without_weights_are_the_same_on_every_instruction_set() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for channels in [4, 8, 48] {
        let input = Map::bordered([5, 7, channels]);
        let x = activations(input.len(), &mut rng);
        let results = |instructions: Instructions| {
            let mut all = Vec::new();
            let mut means = vec![0.0; channels];
            channel_means(instructions, &x, input, 0.1, ZERO_POINT, &mut means);
            all.extend(means.iter().map(|mean| mean.to_bits()));
            for (output, operation) in [
                (Map::bordered([3, 4, channels]), 0),
                (Map::bordered([10, 14, channels]), 1),
                (input, 2),
                (input, 3),
            ] {
                let add: Vec<u8> = (0..output.len()).map(|i| (i * 37 % 256) as u8).collect();
                let mut out = vec![5; output.len()];
                let first = output.padded(0, 1);
                let requantization = Requantization {
                    add: Some(&add[first..]),
                    add_multiplier: 0.41,
                    offset: -17.3,
                };
                let below = &mut out[first..];
                let multiplier = 0.83;
                let factors: Vec<f32> = (0..channels).map(|c| 0.1 * c as f32).collect();
                match operation {
                    0 => instructions.dispatch(
                        channels,
                        IntegerMaxPool {
                            x: &x,
                            input,
                            multiplier,
                            requantization,
                            out: below,
                            output,
                        },
                    ),
                    1 => instructions.dispatch(
                        channels,
                        IntegerUpsample {
                            x: &x,
                            input,
                            multiplier,
                            requantization,
                            rows: 0..10,
                            out: below,
                            output,
                        },
                    ),
                    2 => instructions.dispatch(
                        channels,
                        IntegerScale {
                            x: &x,
                            factors: &factors,
                            zero_point: ZERO_POINT,
                            multiplier,
                            requantization,
                            map: input,
                            rows: 0..5,
                            out: below,
                        },
                    ),
                    _ => instructions.dispatch(
                        channels,
                        IntegerAdd {
                            x: &x[first..],
                            multiplier,
                            requantization,
                            out: &mut below[..5 * input.stride()],
                        },
                    ),
                }
                all.extend(out.into_iter().map(u32::from));
            }
            all
        };
        let expected = results(Instructions::PORTABLE);
        for instructions in Instructions::all() {
            assert_eq!(results(instructions), expected, "{instructions}");
        }
        // A pixel by hand.
        let mut out = vec![0; channels];
        IntegerAdd {
            x: &x[input.at(0, 0)..],
            multiplier: 0.5,
            requantization: Requantization {
                add: None,
                add_multiplier: 0.0,
                offset: 1.0,
            },
            out: &mut out,
        }
        .with_simd(pulp::Scalar);
        let halves = x[input.at(0, 0)..].iter().zip(&out);
        for (&x, &half) in halves.take(channels) {
            let expected = (f32::from(x) * 0.5 + 1.0).round_ties_even() as u8;
            assert_eq!(half, expected);
        }
    }
}
