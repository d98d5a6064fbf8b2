//! Integers in ONNX: a pair of `QuantizeLinear` and `DequantizeLinear` where an activation is stored in eight bits, and
//! `DequantizeLinear` behind integer weights (QDQ). Runtimes compute what lies between in integers.

use emotion_models::graph::{ActivationScale, Quantization, QuantizedWeights};

use super::lower::Lowering;
use super::proto::{AttributeProto, DataType, TensorProto};

impl Lowering<'_> {
    /// The value of a node as it is stored: through integers if it has a scale.
    pub(super) fn stored(&mut self, name: &str, value: String) -> String {
        let scale = self.quantization.and_then(|it| it.activations.get(name));
        let Some(&ActivationScale { scale, zero_point }) = scale else {
            return value;
        };
        let scale = TensorProto::floats(&format!("{name}.scale"), &[], &[scale]);
        let zero_point_name = format!("{name}.zero_point");
        let zero_point =
            TensorProto::integers(&zero_point_name, DataType::Uint8, &[], vec![zero_point]);
        let [scale, zero_point] = [scale, zero_point].map(|tensor| self.constant(tensor));
        let inputs = vec![value, scale.clone(), zero_point.clone()];
        let integers = format!("{name}.integers");
        let integers = self.push(&integers, "QuantizeLinear", inputs, Vec::new());
        let inputs = vec![integers, scale, zero_point];
        let stored = format!("{name}.stored");
        self.push(&stored, "DequantizeLinear", inputs, Vec::new())
    }

    /// The weights and the biases of a convolution, `[out, in of a group, kernel, kernel]` and `[out]`, from their integers;
    /// none if it has none.
    pub(super) fn integers(
        &mut self,
        name: &str,
        parameter: &str,
        reads: &str,
        shape: [usize; 4],
        bias: &[f32],
    ) -> Option<Vec<String>> {
        let Quantization {
            weights,
            activations,
        } = self.quantization?;
        let QuantizedWeights { values, scales } = weights.get(parameter)?;
        let input = activations.get(reads)?;
        let bytes = values.iter().map(|&value| value.cast_unsigned()).collect();
        let weight = format!("{name}.weight");
        let weight = self.by_channel(&weight, DataType::Int8, &shape, bytes, scales, 1);
        let mut inputs = vec![weight];
        if !bias.is_empty() {
            // In units of the products, as sums are.
            let units: Vec<f32> = scales.iter().map(|&scale| scale * input.scale).collect();
            let integers = bias.iter().zip(&units).flat_map(|(&bias, &unit)| {
                let integer = (f64::from(bias) / f64::from(unit)).round_ties_even() as i32;
                integer.to_le_bytes()
            });
            let bytes = integers.collect();
            let shape = [bias.len()];
            let bias = format!("{name}.bias");
            inputs.push(self.by_channel(&bias, DataType::Int32, &shape, bytes, &units, 4));
        }
        Some(inputs)
    }

    /// Integers of `size` bytes with a scale for each index of the first axis.
    fn by_channel(
        &mut self,
        name: &str,
        data_type: DataType,
        shape: &[usize],
        bytes: Vec<u8>,
        scales: &[f32],
        size: usize,
    ) -> String {
        let zeros = vec![0; size * scales.len()];
        let tensors = [
            TensorProto::integers(&format!("{name}.integers"), data_type, shape, bytes),
            TensorProto::floats(&format!("{name}.scale"), &[scales.len()], scales),
            TensorProto::integers(
                &format!("{name}.zero_point"),
                data_type,
                &[scales.len()],
                zeros,
            ),
        ];
        let inputs = tensors.map(|tensor| self.constant(tensor)).to_vec();
        let axis = vec![AttributeProto::int("axis", 0)];
        self.push(name, "DequantizeLinear", inputs, axis)
    }
}
