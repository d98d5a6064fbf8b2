//! Quantises a network by the activations that pictures make.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use emotion_models::graph::FoldedNetwork;
use emotion_models::inference::{InferenceExecutor, Precision};
use emotion_models::weights::QuantizationReport;
use emotion_models::{Instructions, Weights};

use crate::cli::QuantizeArgs;
use crate::commands::common::thousands;
use crate::quantization::quantize;
use crate::quantization::statistics::Statistics;

/// The quantised weights, of a network as it is served, by the activations of pictures, of which `picture` gives each of
/// `count`.
pub(super) fn by_statistics(
    weights: &Weights,
    network: &FoldedNetwork,
    args: &QuantizeArgs,
    count: usize,
    what: &str,
    picture: impl FnMut(usize) -> Result<Vec<f32>>,
) -> Result<Weights> {
    let mut executor =
        InferenceExecutor::from_network(network, Instructions::best(), Precision::F32);
    let statistics = Statistics::collect(&mut executor, count, picture)?;
    let quantized = quantize(network, &statistics, args.clip_method());
    let mut metadata = weights.metadata().clone();
    metadata.training += &format!("; int8 by {} {what}", thousands(count));
    // What it loses is not known yet.
    let report = QuantizationReport {
        data: String::new(),
        figures: BTreeMap::new(),
        allowed: 0.0,
    };
    let out = args.out.display().to_string();
    let quantized = Weights::quantized(
        &out,
        metadata,
        quantized.tensors,
        quantized.quantization,
        report,
    );
    quantized.map_err(|error| anyhow!("{error}"))
}
