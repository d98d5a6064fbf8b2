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

/// The same in half precision.
pub(super) struct HalfTensor {
    shape: Vec<usize>,
    values: Vec<f16>,
}

impl HalfTensor {
    pub(super) fn new(tensor: &WeightTensor) -> Self {
        Self {
            shape: tensor.shape.clone(),
            values: tensor.values.iter().copied().map(f16::from_f32).collect(),
        }
    }

    pub(super) fn is_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }
}

impl View for HalfTensor {
    fn dtype(&self) -> Dtype {
        Dtype::F16
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
