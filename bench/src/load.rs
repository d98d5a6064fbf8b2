//! Loading a weights file until the network is ready, compared with ONNX Runtime.

use std::hint::black_box;

use anyhow::Result;
use emotion_models::Classifier;
use emotion_models::weights::Architecture;
use emotion_trainer::formats::onnx;
use serde_json::json;

use crate::args::Args;
use crate::comparison::Comparison;
use crate::engine::untrained;
use crate::measure::{in_turn, timed};
use crate::peer::PythonPeer;
use crate::report::{Measurement, Unit};

/// Calls in a turn.
const CALLS: usize = 10;

/// One comparison for each classifier.
pub(crate) fn comparisons() -> Vec<Comparison> {
    let compare = |&architecture: &Architecture| {
        Comparison::new(format!("load/{architecture}"), move |name, args| {
            measure(name, args, architecture)
        })
    };
    Architecture::CLASSIFIERS.iter().map(compare).collect()
}

fn measure(name: &str, args: &Args, architecture: Architecture) -> Result<Vec<Measurement>> {
    let weights = untrained(architecture)?;
    let folder = tempfile::tempdir()?;
    let [model, file] = ["model.onnx", "model.safetensors"].map(|name| folder.path().join(name));
    std::fs::write(&model, onnx::encode(&weights)?)?;
    weights.save(&file)?;
    let task = json!({ "runtime": "onnxruntime", "model": model });
    let (mut peer, about) = PythonPeer::start(&args.python, "infer.py", &task)?;
    let load = || {
        black_box(Classifier::load(&file)?);
        Ok(())
    };
    let turns = in_turn(
        args.rounds.get(),
        || timed(CALLS, load),
        || peer.median(CALLS),
    )?;
    Ok(vec![Measurement::new(
        name,
        Unit::Milliseconds,
        turns,
        about.name,
    )])
}
