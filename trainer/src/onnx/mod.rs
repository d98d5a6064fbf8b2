//! Networks as ONNX files, for ONNX Runtime, OpenCV and everything else that reads them.
//!
//! The model takes `faces` `[N, 1, H, W]`, grey and mapped to [-1, 1], and gives `logits` `[N, classes]`; N is any
//! number. What a program needs to serve them as they were trained (labels, input size, normalisation, temperature)
//! stands in the model's metadata under the keys of the weights file.
//!
//! Batch norms are folded into the convolutions in front of them, which is exact but for rounding and leaves one
//! operation where there were two.

mod lower;
mod proto;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::Result;
use emotion_models::Weights;
use prost::Message;

/// Name of the model's input.
pub const INPUT: &str = "faces";
/// Name of the model's output.
pub const OUTPUT: &str = "logits";
/// The version of the standard operators; all that are used are older than it.
pub const OPSET: i64 = 13;
/// The version of the file format that came with [`OPSET`].
const IR_VERSION: i64 = 7;

/// The contents of an ONNX file with the network of `weights`.
///
/// # Errors
///
/// Never in practice: weights fit their network.
pub fn encode(weights: &Weights) -> Result<Vec<u8>> {
    Ok(model(weights)?.encode_to_vec())
}

fn model(weights: &Weights) -> Result<proto::Model> {
    let metadata = weights.metadata();
    // In the order of their keys, so that the same weights give the same file.
    let entries: BTreeMap<_, _> = metadata.to_map().into_iter().collect();
    Ok(proto::Model {
        ir_version: IR_VERSION,
        producer_name: env!("CARGO_PKG_NAME").to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: format!(
            "{}: {INPUT} [N, 1, {size}, {size}], grey, 0 to 255 mapped to {}; softmax({OUTPUT} / {}) are the \
             probabilities of {}",
            metadata.name,
            entries["normalization"],
            metadata.temperature,
            metadata.labels.join(", "),
            size = metadata.input_size,
        ),
        graph: Some(lower::graph(weights)?),
        opset_import: vec![proto::OperatorSet {
            domain: String::new(),
            version: OPSET,
        }],
        metadata_props: entries
            .into_iter()
            .map(|(key, value)| proto::Entry { key, value })
            .collect(),
    })
}
