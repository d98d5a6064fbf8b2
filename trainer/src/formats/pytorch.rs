//! Reads networks that PyTorch trained: a safetensors file whose tensors are named and shaped as ours.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use emotion_models::weights::{Architecture, Head, Normalization, WeightTensor, WeightTensors};
use emotion_models::{Emotion, Metadata, Weights};
use safetensors::SafeTensors;

use crate::data::FACE_SIZE;

/// Reads the file at `path`, which holds a classifier of this architecture for FER-2013's emotions. Its heads are those
/// that it has tensors for.
///
/// # Errors
///
/// When the file cannot be read, or its tensors do not fit the network.
pub fn import(path: &Path, architecture: Architecture, name: &str) -> Result<Weights> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| format!("{shown}: cannot be read"))?;
    let file = SafeTensors::deserialize(&bytes)
        .with_context(|| format!("{shown}: not a whole safetensors file"))?;
    let (_, header) = SafeTensors::read_metadata(&bytes)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let labels = Emotion::names();
    if let Some(found) = metadata.get("labels") {
        let expected = serde_json::to_string(&labels)?;
        ensure!(
            *found == expected,
            "{shown}: its labels are {found}, expected {expected}: choose a network for the same emotions in this order"
        );
    }
    let input_size = match metadata.get("input_size") {
        Some(size) => size.parse().with_context(|| {
            format!("{shown}: its input_size is {size}, expected a number of pixels")
        })?,
        None => FACE_SIZE,
    };
    let mut tensors = WeightTensors::new();
    for (name, view) in file.iter() {
        let tensor = WeightTensor::from_view(&view);
        let tensor = tensor
            .with_context(|| format!("{shown}: {name} is {}, expected F32 or F16", view.dtype()))?;
        tensors.insert(name.to_owned(), tensor);
    }
    let has = |head: &Head| tensors.contains_key(&format!("{}.weight", head.name()));
    let metadata = Metadata {
        name: name.to_owned(),
        architecture,
        labels,
        heads: architecture.heads().iter().copied().filter(has).collect(),
        input_size,
        normalization: Normalization::SymmetricUnit,
        temperature: 1.0,
        threshold: None,
        training: format!(
            "imported from {}",
            path.file_name().unwrap_or_default().display()
        ),
    };
    Ok(Weights::new(&shown, metadata, tensors)?)
}
