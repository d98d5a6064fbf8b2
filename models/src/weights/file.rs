//! Weights files.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use crate::{atomic_file, regular_file};

use super::checked::{Weights, mismatch};
use super::error::Error;
use super::metadata::Metadata;
use super::quantization_report::QuantizationReport;
use super::tensor::{WeightTensor, WeightTensors};

impl Weights {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or as [`from_bytes`](Self::from_bytes).
    pub fn load(path: &Path) -> Result<Self, Error> {
        let file = path.display().to_string();
        let bytes = regular_file::read(path).map_err(|source| Error::Read {
            file: file.clone(),
            source,
        })?;
        Self::from_bytes(&file, &bytes)
    }

    /// Reads the contents of a file, tensors of `F32` or `F16`; `file` names it in errors.
    ///
    /// # Errors
    ///
    /// If it is no weights file, or its tensors do not fit the network that its metadata name.
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Self, Error> {
        let format = |source| Error::Format {
            file: file.to_owned(),
            source,
        };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
        let empty = HashMap::new();
        let map = header.metadata().as_ref().unwrap_or(&empty);
        let metadata = Metadata::from_map(file, map)?;
        let views = SafeTensors::deserialize(bytes).map_err(format)?;
        if let Some(report) = map.get(QuantizationReport::KEY) {
            return Self::from_integers(file, metadata, &views, report);
        }
        let mut tensors = WeightTensors::new();
        for (name, view) in views.iter() {
            let Some(tensor) = WeightTensor::from_view(&view) else {
                let found = view.dtype().to_string();
                return Err(mismatch(file, &metadata, name, &found, "F32 or F16"));
            };
            tensors.insert(name.to_owned(), tensor);
        }
        Self::new(file, metadata, tensors)
    }

    /// The contents of a file with tensors of `F16`, half as large. Values are rounded to 11 bits.
    ///
    /// # Errors
    ///
    /// If a value is too large for `F16`, or the network is quantised.
    pub fn to_half_precision(&self) -> Result<Vec<u8>, Error> {
        let format = |source| Error::Format {
            file: self.file().to_owned(),
            source,
        };
        self.expect_floats()?;
        let mut halves = Vec::new();
        for (name, tensor) in self.tensors() {
            let bytes = tensor.to_half_precision().ok_or_else(|| Error::TooLarge {
                file: self.file().to_owned(),
                name: name.clone(),
            })?;
            halves.push((name, &tensor.shape, bytes));
        }
        let views = halves.iter().map(|(name, shape, bytes)| {
            Ok((name, TensorView::new(Dtype::F16, (*shape).clone(), bytes)?))
        });
        let views: Vec<_> = views.collect::<Result<_, _>>().map_err(format)?;
        serialize(views, Some(self.metadata().to_map())).map_err(format)
    }

    /// Writes the file, whole or not at all: in `F32` or, if the network is quantised, in `I8`, with `F16` for the floats that it
    /// stores exactly.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let write = |source| Error::Write {
            file: path.display().to_string(),
            source,
        };
        let bytes = match self.quantization().zip(self.quantization_report()) {
            None => serialize(self.tensors(), Some(self.metadata().to_map())),
            Some((quantization, report)) => self.integers_to_bytes(quantization, report),
        };
        let bytes = bytes.map_err(|error| write(io::Error::other(error)))?;
        atomic_file::write(path, &bytes).map_err(write)
    }
}
