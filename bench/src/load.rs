//! From a weights file to a network that is ready, beside ONNX Runtime.

use std::hint::black_box;

use anyhow::Result;
use emotion_models::Classifier;
use emotion_models::weights::Architecture;
use emotion_trainer::formats::onnx;
use serde_json::json;

use crate::Args;
use crate::engine::untrained;
use crate::measure::in_turn;
use crate::peer::Peer;
use crate::report::{Outcome, Unit};

/// Calls of a turn.
const CALLS: usize = 10;

/// The network whose weights are loaded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comparison(Architecture);

/// All of them.
pub(crate) fn comparisons() -> impl Iterator<Item = Comparison> {
    Architecture::CLASSIFIERS.iter().copied().map(Comparison)
}

impl Comparison {
    pub(crate) fn name(self) -> String {
        format!("load/{}", self.0)
    }

    pub(crate) fn measure(self, args: &Args) -> Result<Vec<Outcome>> {
        let weights = untrained(self.0)?;
        let folder = tempfile::tempdir()?;
        let [model, file] =
            ["model.onnx", "model.safetensors"].map(|name| folder.path().join(name));
        std::fs::write(&model, onnx::encode(&weights)?)?;
        weights.save(&file)?;
        let task = json!({ "runtime": "onnxruntime", "model": model });
        let (mut peer, about) = Peer::start(&args.python, "infer.py", &task)?;
        let [ours, theirs] = in_turn(args.rounds.get(), CALLS, &mut peer, || {
            black_box(Classifier::load(&file)?);
            Ok(())
        })?;
        Ok(vec![Outcome {
            name: self.name(),
            ours,
            peer: theirs,
            peer_name: about.name,
            unit: Unit::Milliseconds,
            peak: None,
        }])
    }
}
