//! Exports networks as ONNX files for ONNX Runtime, OpenCV and others.
//!
//! The model of a classifier maps `faces` `[N, 1, H, W]`, grey and in [-1, 1], to `logits` `[N, labels]` and the outputs of
//! its other heads, if there are any; that of a detector maps a `picture` of the same form to the values of all grid cells, `places`, and their `landmarks`, if it has learnt them. N is any number. The model's metadata holds
//! labels, input size, normalisation and temperature under the keys of the weights file.
//!
//! Batch norms are folded into the convolutions before them, which is exact except for rounding.

mod integers;
mod lower;
mod proto;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::Result;
use emotion_models::face_net::{LANDMARK_VALUES, STRIDES, VALUES, grid_cells};
use emotion_models::graph::Quantization;
use emotion_models::inference::Precision;
use emotion_models::preprocess::Landmarks;
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
    let size = metadata.input_size;
    let outputs = outputs(metadata).into_iter().zip(&metadata.heads);
    let texts: Vec<String> = outputs
        .map(|(output, &head)| {
            let (count, meaning) = match metadata.architecture.task() {
                Task::Classification => classification(metadata, output, head),
                Task::Detection => detection(size, head),
            };
            format!("{output} [N, {count}]: {meaning}")
        })
        .collect();
    format!(
        "{} [N, 1, {size}, {size}], grey, 0 to 255 mapped to -1 to 1; {}",
        input(metadata.architecture.task()),
        texts.join("; ")
    )
}

/// The number of values of a classifier's output, and what they stand for.
fn classification(metadata: &Metadata, output: &str, head: Head) -> (usize, String) {
    let temperature = metadata.temperature;
    let labels = metadata.labels.join(", ");
    let meaning = match head {
        Head::People => {
            format!("softmax({output} / {temperature}) are the probabilities that people give")
        }
        Head::Cover => {
            format!("sigmoid({output}) is the probability that the mouth or the eyes are covered")
        }
        Head::Turned => {
            format!("sigmoid({output}) is the probability that the face is turned in the plane")
        }
        _ => format!("softmax({output} / {temperature}) are the probabilities of {labels}"),
    };
    (head.outputs(metadata.labels.len()), meaning)
}

/// The same of a detector's output for pictures of `size`² pixels.
fn detection(size: usize, head: Head) -> (usize, String) {
    let places = grid_cells(size, size).count();
    let [fine, middle, coarse] = STRIDES;
    let (count, meaning) = match head {
        Head::Landmarks => (
            LANDMARK_VALUES,
            format!(
                "how far {} lie to the right of the place's centre and below it, in strides",
                Landmarks::NAMES.join(", ")
            ),
        ),
        _ => (
            VALUES,
            "the logit of a face, how far its centre lies to the right of the place's and below it, and the \
             logarithms of its width and height, in strides"
                .to_owned(),
        ),
    };
    let meaning = format!(
        "{count} values for each place of the maps with strides of {fine}, {middle} and {coarse}, row by row: {meaning}"
    );
    (count * places, meaning)
}

/// The contents of an ONNX file with the network of `weights`.
///
/// # Errors
///
/// Never in practice: weights fit their network.
pub fn encode(weights: &Weights) -> Result<Vec<u8>> {
    Ok(model(weights, None)?.encode_to_vec())
}

/// The same with the integers of a quantised network, as pairs of `QuantizeLinear` and `DequantizeLinear`.
///
/// # Errors
///
/// If the weights are not quantised.
pub fn encode_integers(weights: &Weights) -> Result<Vec<u8>> {
    let weights = weights.expect_precision(Precision::Int8)?;
    Ok(model(weights, weights.quantization())?.encode_to_vec())
}

fn model(weights: &Weights, quantization: Option<&Quantization>) -> Result<proto::ModelProto> {
    let metadata = weights.metadata();
    // Sorted, so that the same weights give the same file.
    let entries: BTreeMap<_, _> = metadata.to_map().into_iter().collect();
    Ok(proto::ModelProto {
        ir_version: IR_VERSION,
        producer_name: env!("CARGO_PKG_NAME").to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: format!("{}: {}", metadata.name, description(metadata)),
        graph: Some(lower::graph(metadata, &weights.folded()?, quantization)),
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
