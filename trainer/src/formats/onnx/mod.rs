//! Exports networks as ONNX files for ONNX Runtime, OpenCV and others.
//!
//! The model of a classifier maps `faces` `[N, 1, H, W]`, grey and in [-1, 1], to `logits` `[N, labels]` and the outputs of its other heads, if there are any; that of a detector
//! maps a `picture` of the same form to the values of all grid cells, `places`. N is any number. The model's metadata holds
//! labels, input size, normalisation and temperature under the keys of the weights file.
//!
//! Batch norms are folded into the convolutions before them, which is exact except for rounding.

mod lower;
mod proto;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::Result;
use emotion_models::face_net::{STRIDES, VALUES, grid_cells};
use emotion_models::weights::{Head, Task};
use emotion_models::{Metadata, Weights};
use prost::Message;

pub use lower::{input, outputs};

/// The version of the operator set.
pub const OPSET: i64 = 13;
/// The version of the file format that belongs to [`OPSET`].
const IR_VERSION: i64 = 7;

/// Describes inputs and outputs of the model of weights with this metadata.
pub fn description(metadata: &Metadata) -> String {
    let task = metadata.architecture.task();
    let size = metadata.input_size;
    let result = match task {
        Task::Classification => classification(metadata),
        Task::Detection => {
            let [fine, middle, coarse] = STRIDES;
            format!(
                "places [N, {}]: {VALUES} values for each place of the maps with strides of {fine}, {middle} and {coarse}, row by \
                 row: the logit of a face, how far its centre lies to the right of the place's and below it, and the \
                 logarithms of its width and height, in strides",
                VALUES * grid_cells(size, size).count(),
            )
        }
    };
    format!(
        "{} [N, 1, {size}, {size}], grey, 0 to 255 mapped to -1 to 1; {result}",
        input(task)
    )
}

fn classification(metadata: &Metadata) -> String {
    let outputs = outputs(metadata).into_iter().zip(&metadata.heads);
    let texts = outputs.map(|(output, head)| {
        let count = head.outputs(metadata.labels.len());
        let meaning = match head {
            Head::Labels => format!(
                "softmax({output} / {}) are the probabilities of {}",
                metadata.temperature,
                metadata.labels.join(", ")
            ),
            Head::People => format!(
                "softmax({output} / {}) are those that people give",
                metadata.temperature
            ),
            Head::Cover => {
                format!(
                    "sigmoid({output}) is the probability that the mouth or the eyes are covered"
                )
            }
        };
        format!("{output} [N, {count}]: {meaning}")
    });
    texts.collect::<Vec<_>>().join("; ")
}

/// The contents of an ONNX file with the network of `weights`.
///
/// # Errors
///
/// Never in practice: weights fit their network.
pub fn encode(weights: &Weights) -> Result<Vec<u8>> {
    Ok(model(weights)?.encode_to_vec())
}

fn model(weights: &Weights) -> Result<proto::ModelProto> {
    let metadata = weights.metadata();
    // Sorted, so that the same weights give the same file.
    let entries: BTreeMap<_, _> = metadata.to_map().into_iter().collect();
    Ok(proto::ModelProto {
        ir_version: IR_VERSION,
        producer_name: env!("CARGO_PKG_NAME").to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: format!("{}: {}", metadata.name, description(metadata)),
        graph: Some(lower::graph(metadata, &weights.folded()?)),
        opset_import: vec![proto::OperatorSetIdProto {
            domain: String::new(),
            version: OPSET,
        }],
        metadata_props: entries
            .into_iter()
            .map(|(key, value)| proto::StringStringEntryProto { key, value })
            .collect(),
    })
}
