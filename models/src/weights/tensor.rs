//! Values of parameters, as files hold them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use half::f16;
use safetensors::View;
use safetensors::tensor::{Dtype, TensorView};

/// Tensors by name.
pub type WeightTensors = BTreeMap<String, WeightTensor>;

/// The values of one parameter. It can be [serialized](safetensors::serialize).
#[derive(Debug, Clone, PartialEq)]
pub struct WeightTensor {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its values, row by row.
    pub values: Vec<f32>,
}

impl WeightTensor {
    /// The tensor in a safetensors file; none if its type is neither `F32` nor `F16`.
    pub fn from_view(view: &TensorView<'_>) -> Option<Self> {
        let data = view.data();
        let values = match view.dtype() {
            Dtype::F32 => {
                let values = data.as_chunks().0.iter();
                values.map(|&bytes| f32::from_le_bytes(bytes)).collect()
            }
            Dtype::F16 => {
                let values = data.as_chunks().0.iter();
                let value = |&bytes| f16::from_le_bytes(bytes).to_f32();
                values.map(value).collect()
            }
            _ => return None,
        };
        Some(Self {
            shape: view.shape().to_vec(),
            values,
        })
    }
}

impl WeightTensor {
    /// The same with values rounded to half precision, or as it is if one is too large for that.
    #[must_use]
    pub fn rounded_to_half_precision(mut self) -> Self {
        let rounded = self
            .values
            .iter()
            .map(|&value| f16::from_f32(value).to_f32());
        let rounded: Vec<f32> = rounded.collect();
        if rounded.iter().all(|value| value.is_finite()) {
            self.values = rounded;
        }
        self
    }

    /// Its values in half precision, as a file holds them; none if that would change one.
    pub(super) fn to_exact_half_precision(&self) -> Option<Vec<u8>> {
        let mut values = self.values.iter();
        let is_exact = values.all(|&value| f16::from_f32(value).to_f32() == value);
        is_exact.then(|| self.to_half_precision()).flatten()
    }

    /// Its values in half precision, as a file holds them; none if one is too large.
    pub(super) fn to_half_precision(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(size_of::<f16>() * self.values.len());
        for value in self.values.iter().copied().map(f16::from_f32) {
            if !value.is_finite() {
                return None;
            }
            bytes.extend(value.to_le_bytes());
        }
        Some(bytes)
    }
}

impl View for &WeightTensor {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let values = self.values.iter();
        values.flat_map(|value| value.to_le_bytes()).collect()
    }

    fn data_len(&self) -> usize {
        size_of_val(&self.values[..])
    }
}
