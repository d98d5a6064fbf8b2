//! Runs the few operators of exported models the slow and plain way, from nothing but what stands in the file.

use std::collections::HashMap;

use super::super::proto::{AttributeProto, DataType, GraphProto, NodeProto, TensorProto};

/// `[C, H, W]` of one face.
#[derive(Clone)]
struct Map {
    shape: [usize; 3],
    values: Vec<f32>,
}

impl Map {
    /// The value at `y`, `x`, none outside.
    fn at(&self, channel: usize, y: i64, x: i64) -> Option<f32> {
        let [_, height, width] = self.shape;
        let (y, x) = (usize::try_from(y).ok()?, usize::try_from(x).ok()?);
        (y < height && x < width).then(|| self.values[(channel * height + y) * width + x])
    }
}

/// The values of the graph's outputs, one after the other, for one face, `[H, W]` values.
pub(super) fn run(graph: &GraphProto, face: &[f32], size: usize) -> Vec<f32> {
    let input = Map {
        shape: [1, size, size],
        values: face.to_vec(),
    };
    let mut maps = HashMap::from([(graph.input[0].name.as_str(), input)]);
    let mut constant = graph.initializer.clone();
    for node in &graph.node {
        let is_constant = |name: &String| constant.iter().any(|tensor| tensor.name == *name);
        if node.op_type == "DequantizeLinear" && is_constant(&node.input[0]) {
            constant.push(dequantized(node, &constant));
            continue;
        }
        let inputs: Vec<&Map> = node
            .input
            .iter()
            .filter_map(|name| maps.get(name.as_str()))
            .collect();
        let constants: Vec<&TensorProto> = node
            .input
            .iter()
            .filter_map(|name| constant.iter().find(|tensor| tensor.name == *name))
            .collect();
        // An empty name stands for an input that is left out.
        let named = node.input.iter().filter(|name| !name.is_empty());
        assert_eq!(
            inputs.len() + constants.len(),
            named.count(),
            "{}: an input is not there yet",
            node.name
        );
        let output = match node.op_type.as_str() {
            "Conv" => conv(node, inputs[0], &constants),
            "MaxPool" => max_pool(node, inputs[0]),
            "QuantizeLinear" => {
                let (scale, zero_point) = scale_of(&constants);
                map_values(inputs[0], |value| {
                    ((value / scale).round_ties_even() + zero_point).clamp(0.0, 255.0)
                })
            }
            "DequantizeLinear" => {
                let (scale, zero_point) = scale_of(&constants);
                map_values(inputs[0], |value| (value - zero_point) * scale)
            }
            "Relu" => map_values(inputs[0], |value| value.max(0.0)),
            "Sigmoid" => map_values(inputs[0], |value| 1.0 / (1.0 + (-value).exp())),
            "Add" => add(inputs[0], inputs[1]),
            "Mul" => scale(inputs[0], inputs[1]),
            "GlobalAveragePool" => global_average(inputs[0]),
            "Resize" => doubled(inputs[0]),
            "Transpose" => channels_last(inputs[0]),
            "Concat" => joined(&inputs),
            "Flatten" => inputs[0].clone(),
            other => panic!("unexpected operator {other}"),
        };
        maps.insert(&node.output[0], output);
    }
    let outputs = graph
        .output
        .iter()
        .map(|output| &maps[output.name.as_str()]);
    outputs.flat_map(|map| map.values.clone()).collect()
}

/// Scale and zero point of an activation.
fn scale_of(constants: &[&TensorProto]) -> (f32, f32) {
    let [scale, zero_point] = constants else {
        panic!("{constants:?}")
    };
    assert_eq!(zero_point.data_type, i32::from(DataType::Uint8));
    (floats(scale)[0], f32::from(zero_point.raw_data[0]))
}

/// The floats of integer constants with a scale for each index of the first axis.
fn dequantized(node: &NodeProto, constants: &[TensorProto]) -> TensorProto {
    let find = |index: usize| {
        let mut tensors = constants.iter();
        tensors
            .find(|tensor| tensor.name == node.input[index])
            .unwrap()
    };
    let (integers, scales) = (find(0), floats(find(1)));
    assert!(find(2).raw_data.iter().all(|&byte| byte == 0));
    let values: Vec<f32> = if integers.data_type == i32::from(DataType::Int8) {
        let bytes = integers.raw_data.iter();
        bytes.map(|&byte| f32::from(byte.cast_signed())).collect()
    } else {
        let values = integers.raw_data.as_chunks().0.iter();
        values
            .map(|&bytes| i32::from_le_bytes(bytes) as f32)
            .collect()
    };
    let channel = values.len() / scales.len();
    let scaled = values.iter().enumerate();
    let scaled: Vec<f32> = scaled
        .map(|(i, value)| value * scales[i / channel])
        .collect();
    let dims: Vec<usize> = integers.dims.iter().map(|&dim| dim as usize).collect();
    TensorProto::floats(&node.output[0], &dims, &scaled)
}

/// Twice as wide and high, each pixel four times.
fn doubled(map: &Map) -> Map {
    let [channels, height, width] = map.shape;
    let rows = map.values.chunks_exact(width);
    let wide = rows.map(|row| row.iter().flat_map(|&value| [value; 2]).collect::<Vec<_>>());
    Map {
        shape: [channels, 2 * height, 2 * width],
        values: wide.flat_map(|row| row.repeat(2)).collect(),
    }
}

/// `[C, H, W]` as `[H, W, C]`.
fn channels_last(map: &Map) -> Map {
    let [channels, height, width] = map.shape;
    let area = height * width;
    let values = (0..area).flat_map(|pixel| (0..channels).map(move |c| (c, pixel)));
    Map {
        shape: [height, width, channels],
        values: values
            .map(|(c, pixel)| map.values[c * area + pixel])
            .collect(),
    }
}

/// Rows of values one after the other.
fn joined(maps: &[&Map]) -> Map {
    let values: Vec<f32> = maps.iter().flat_map(|map| map.values.clone()).collect();
    Map {
        shape: [values.len(), 1, 1],
        values,
    }
}

pub(super) fn attribute<'a>(node: &'a NodeProto, name: &str) -> &'a AttributeProto {
    let found = node
        .attribute
        .iter()
        .find(|attribute| attribute.name == name);
    found.unwrap_or_else(|| panic!("{} has no {name}", node.name))
}

pub(super) fn floats(tensor: &TensorProto) -> Vec<f32> {
    let (values, []) = tensor.raw_data.as_chunks() else {
        panic!("{}: cut off", tensor.name)
    };
    values
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect()
}

/// Output height and width, and where the window of an output begins.
struct Windows {
    output: [usize; 2],
    stride: i64,
    kernel: i64,
    pads: [i64; 2],
}

impl Windows {
    fn new(node: &NodeProto, shape: [usize; 3]) -> Self {
        let kernel = attribute(node, "kernel_shape").ints[0];
        let stride = attribute(node, "strides").ints[0];
        let pads = &attribute(node, "pads").ints;
        let output = [0, 1].map(|axis| {
            let padded = shape[axis + 1] as i64 + pads[axis] + pads[axis + 2];
            ((padded - kernel) / stride + 1) as usize
        });
        Self {
            output,
            stride,
            kernel,
            pads: [pads[0], pads[1]],
        }
    }

    /// A value for each channel and output, from the places of its window: index of the tap, y and x in the input.
    fn map(&self, channels: usize, f: impl Fn(usize, &[(usize, i64, i64)]) -> f32) -> Map {
        let [height, width] = self.output;
        let mut values = Vec::with_capacity(channels * height * width);
        for channel in 0..channels {
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y as i64, x as i64))) {
                let place = |tap: i64| {
                    let (row, column) = (tap / self.kernel, tap % self.kernel);
                    (
                        tap as usize,
                        y * self.stride - self.pads[0] + row,
                        x * self.stride - self.pads[1] + column,
                    )
                };
                let places: Vec<_> = (0..self.kernel * self.kernel).map(place).collect();
                values.push(f(channel, &places));
            }
        }
        Map {
            shape: [channels, height, width],
            values,
        }
    }
}

fn conv(node: &NodeProto, input: &Map, constants: &[&TensorProto]) -> Map {
    let weight = floats(constants[0]);
    let bias = constants.get(1).map(|bias| floats(bias));
    let &[channels, channels_in, height, width] = &constants[0].dims[..] else {
        panic!("{}: {:?}", node.name, constants[0].dims)
    };
    let (channels, channels_in) = (channels as usize, channels_in as usize);
    let taps = (height * width) as usize;
    let groups = attribute(node, "group").i.unwrap() as usize;
    Windows::new(node, input.shape).map(channels, |channel, places| {
        let first = channel / (channels / groups) * channels_in;
        let mut sum = bias.as_ref().map_or(0.0, |bias| f64::from(bias[channel]));
        for c in 0..channels_in {
            for &(tap, y, x) in places {
                let weight = weight[(channel * channels_in + c) * taps + tap];
                let value = input.at(first + c, y, x).unwrap_or(0.0);
                sum += f64::from(weight) * f64::from(value);
            }
        }
        sum as f32
    })
}

fn max_pool(node: &NodeProto, input: &Map) -> Map {
    Windows::new(node, input.shape).map(input.shape[0], |channel, places| {
        let values = places
            .iter()
            .filter_map(|&(_, y, x)| input.at(channel, y, x));
        values.fold(f32::NEG_INFINITY, f32::max)
    })
}

fn map_values(input: &Map, f: impl Fn(f32) -> f32) -> Map {
    Map {
        shape: input.shape,
        values: input.values.iter().map(|&value| f(value)).collect(),
    }
}

fn add(left: &Map, right: &Map) -> Map {
    assert_eq!(left.shape, right.shape);
    let pairs = left.values.iter().zip(&right.values);
    Map {
        shape: left.shape,
        values: pairs.map(|(left, right)| left + right).collect(),
    }
}

/// Each channel times its factor, `[C, 1, 1]`.
fn scale(input: &Map, factors: &Map) -> Map {
    let [channels, height, width] = input.shape;
    assert_eq!(factors.shape, [channels, 1, 1]);
    let channels = input.values.chunks_exact(height * width);
    let scaled = channels
        .zip(&factors.values)
        .flat_map(|(channel, factor)| channel.iter().map(move |value| value * factor));
    Map {
        shape: input.shape,
        values: scaled.collect(),
    }
}

fn global_average(input: &Map) -> Map {
    let [channels, height, width] = input.shape;
    let means = input.values.chunks_exact(height * width).map(|channel| {
        let sum: f64 = channel.iter().map(|&value| f64::from(value)).sum();
        (sum / channel.len() as f64) as f32
    });
    Map {
        shape: [channels, 1, 1],
        values: means.collect(),
    }
}
