//! Files of quantised networks.

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors, serialize};

use super::checked::{Weights, mismatch};
use super::error::Error;
use super::metadata::Metadata;
use super::quantization_report::QuantizationReport;
use super::tensor::{WeightTensor, WeightTensors};
use crate::graph::{ActivationScale, Quantization, QuantizedWeights};

/// Ends the name of the scales of a tensor of integers.
const SCALES: &str = ".scales";
/// Ends the name of scale and zero point of an activation.
const ACTIVATION: &str = ".activation";

impl Weights {
    /// The same with another report; nothing changes if the network is not quantised.
    #[must_use]
    pub fn with_quantization_report(mut self, report: QuantizationReport) -> Self {
        if let Some((_, known)) = &mut self.quantized {
            *known = report;
        }
        self
    }

    /// The contents of a file with integers.
    pub(super) fn from_integers(
        file: &str,
        metadata: Metadata,
        views: &SafeTensors<'_>,
        report: &str,
    ) -> Result<Self, Error> {
        let report = serde_json::from_str(report).map_err(|error| Error::Metadata {
            file: file.to_owned(),
            key: QuantizationReport::KEY,
            expected: "a JSON object of data, figures and allowed".to_owned(),
            found: error.to_string(),
        })?;
        let mut quantization = Quantization::default();
        let mut tensors = WeightTensors::new();
        for (name, view) in views.iter() {
            let refuse = |found: String, expected: &str| {
                Err(mismatch(file, &metadata, name, &found, expected))
            };
            let is_companion = |end| {
                let of = name.strip_suffix(end);
                of.filter(|of| end == ACTIVATION || views.tensor(of).is_ok())
            };
            if is_companion(SCALES).is_some() {
                continue;
            }
            if view.dtype() == Dtype::I8 {
                let values = view.data().iter().map(|&byte| byte.cast_signed()).collect();
                let scales = views.tensor(&format!("{name}{SCALES}")).ok();
                let scales = scales.and_then(|scales| WeightTensor::from_view(&scales));
                let out = view.shape().first().copied();
                let Some(scales) = scales.filter(|scales| Some(scales.values.len()) == out) else {
                    return refuse("I8".to_owned(), "with as many scales as output channels");
                };
                let weights = QuantizedWeights {
                    values,
                    scales: scales.values,
                };
                let floats = WeightTensor {
                    shape: view.shape().to_vec(),
                    values: weights.to_floats(),
                };
                tensors.insert(name.to_owned(), floats);
                quantization.weights.insert(name.to_owned(), weights);
                continue;
            }
            let Some(tensor) = WeightTensor::from_view(&view) else {
                return refuse(view.dtype().to_string(), "I8, F32 or F16");
            };
            let Some(node) = is_companion(ACTIVATION) else {
                tensors.insert(name.to_owned(), tensor);
                continue;
            };
            let is_zero_point = |value: f32| value.fract() == 0.0 && (0.0..=255.0).contains(&value);
            let scale = match tensor.values[..] {
                [scale, zero_point] if is_zero_point(zero_point) => ActivationScale {
                    scale,
                    zero_point: zero_point as u8,
                },
                _ => {
                    let found = format!("{:?}", tensor.values);
                    return refuse(found, "a scale and a zero point from 0 to 255");
                }
            };
            quantization.activations.insert(node.to_owned(), scale);
        }
        Self::quantized(file, metadata, tensors, quantization, report)
    }

    /// The same to be written, in half precision where that changes no value.
    pub(super) fn integers_to_bytes(
        &self,
        quantization: &Quantization,
        report: &QuantizationReport,
    ) -> Result<Vec<u8>, SafeTensorError> {
        let floats = |values: &[f32]| -> Vec<u8> {
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        };
        let mut parts: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
        for (name, tensor) in self.tensors() {
            let shape = &tensor.shape;
            let Some(weights) = quantization.weights.get(name) else {
                let (dtype, bytes) = match tensor.to_exact_half_precision() {
                    Some(halves) => (Dtype::F16, halves),
                    None => (Dtype::F32, floats(&tensor.values)),
                };
                parts.push((name.clone(), dtype, shape.clone(), bytes));
                continue;
            };
            let integers = weights.values.iter().map(|&value| value.cast_unsigned());
            parts.push((name.clone(), Dtype::I8, shape.clone(), integers.collect()));
            let scales = &weights.scales;
            let name = format!("{name}{SCALES}");
            parts.push((name, Dtype::F32, vec![scales.len()], floats(scales)));
        }
        for (node, &ActivationScale { scale, zero_point }) in &quantization.activations {
            let values = floats(&[scale, f32::from(zero_point)]);
            parts.push((format!("{node}{ACTIVATION}"), Dtype::F32, vec![2], values));
        }
        let views = parts.iter().map(|(name, dtype, shape, bytes)| {
            Ok((name, TensorView::new(*dtype, shape.clone(), bytes)?))
        });
        let views: Vec<_> = views.collect::<Result<_, SafeTensorError>>()?;
        let mut map = self.metadata().to_map();
        let report = serde_json::json!(report).to_string();
        map.insert(QuantizationReport::KEY.to_owned(), report);
        serialize(views, Some(map))
    }
}
