//! Inference in integers of eight bits, compared with OpenVINO in bfloat16, with OpenVINO in integers, to which its NNCF
//! quantises the network or which it takes from our file, and with our own floats on the same instructions.

use std::hint::black_box;

use anyhow::{Context, Result, ensure};
use emotion_models::graph::FoldedNetwork;
use emotion_models::inference::{self, InferenceExecutor, Precision};
use emotion_models::weights::{Architecture, QuantizationReport};
use emotion_models::{Instructions, Weights};
use emotion_trainer::formats::onnx;
use emotion_trainer::quantization::statistics::{ClipMethod, Statistics};
use emotion_trainer::quantization::{QuantizedNetwork, quantize};
use serde_json::json;

use crate::args::Args;
use crate::comparison::Comparison;
use crate::engine::{FACES, FACES_PER_TURN, SIZE, noise, untrained};
use crate::measure::{Turns, max_difference, timed};
use crate::peer::PythonPeer;
use crate::report::{Measurement, Unit};

/// Largest difference between the logits of two sides, as a share of the largest logit.
const TOLERANCE: f32 = 0.1;

/// One comparison for each classifier and number of faces.
pub(crate) fn comparisons() -> Vec<Comparison> {
    let compare = |architecture: Architecture, faces: usize| {
        let name = format!("engine-int8/{architecture}/{faces}");
        Comparison::new(name, move |_, args| measure(args, architecture, faces))
    };
    let of_network = |&architecture| FACES.map(|faces| compare(architecture, faces));
    Architecture::CLASSIFIERS
        .iter()
        .flat_map(of_network)
        .collect()
}

fn measure(args: &Args, architecture: Architecture, count: usize) -> Result<Vec<Measurement>> {
    let floats = untrained(architecture)?;
    let faces = noise(count * SIZE * SIZE);
    let weights = quantized(&floats, &floats.folded()?, &noise(SIZE * SIZE))?;
    let folder = tempfile::tempdir()?;
    let [in_floats, in_integers] = ["floats", "integers"].map(|name| folder.path().join(name));
    std::fs::write(&in_floats, onnx::encode(&floats)?)?;
    std::fs::write(&in_integers, onnx::encode_integers(&weights)?)?;

    let instructions = args.instructions()?;
    let engine = |weights: &Weights, precision| -> Result<InferenceExecutor> {
        let network = weights.folded()?;
        Ok(InferenceExecutor::from_network(
            &network,
            instructions,
            precision,
        ))
    };
    let mut ours = engine(&weights, Precision::Int8)?;
    let mut own = engine(&floats, Precision::F32)?;
    let mut logits = vec![0.0; count * ours.classes()];
    ours.run(&faces, &mut logits)?;
    let largest = logits.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
    let mut peers = Vec::new();
    for (kind, runtime, model) in [
        ("engine-int8", "openvino", &in_floats),
        ("engine-int8-peer", "nncf", &in_floats),
        ("engine-int8-qdq", "openvino", &in_integers),
    ] {
        let task = json!({
            "runtime": runtime,
            "model": model,
            "faces": faces,
            "shape": [count, 1, SIZE, SIZE],
        });
        let (peer, about) = PythonPeer::start(&args.python, "infer.py", &task)?;
        let difference = max_difference(&logits, &about.output);
        ensure!(
            difference < TOLERANCE * largest,
            "{}: its logits differ from ours in int8 by {difference}, the largest is {largest}",
            about.name
        );
        let about = match kind {
            "engine-int8-qdq" => format!("{}, our file in int8", about.name),
            _ => about.name,
        };
        peers.push((peer, kind, about, Turns::default()));
    }

    let calls = FACES_PER_TURN / count;
    let [mut integers, mut in_f32] = [Turns::default(), Turns::default()];
    for _ in 0..args.rounds.get() {
        for (engine, turns) in [(&mut ours, &mut integers), (&mut own, &mut in_f32)] {
            turns.push(timed(calls, || {
                Ok(engine.run(black_box(&faces), black_box(&mut logits))?)
            })?);
        }
        for (peer, _, _, turns) in &mut peers {
            turns.push(peer.median(calls)?);
        }
    }
    let mut theirs: Vec<_> = peers
        .into_iter()
        .map(|(_, kind, about, turns)| (kind, about, turns))
        .collect();
    let own = format!("our own f32 on {instructions}");
    theirs.push(("engine-int8-f32", own, in_f32));
    let measurements = theirs.into_iter().map(|(kind, about, turns)| {
        let turns = [integers.clone(), turns].map(|turns| turns.per(count));
        let name = format!("{kind}/{architecture}/{count}/{instructions}");
        Measurement::new(name, Unit::Microseconds, turns, about)
    });
    Ok(measurements.collect())
}

/// The weights in integers, of a network as it is served, with the ranges that one picture makes: the time does not depend on
/// the values.
fn quantized(weights: &Weights, network: &FoldedNetwork, picture: &[f32]) -> Result<Weights> {
    let mut executor =
        InferenceExecutor::from_network(network, Instructions::best(), Precision::F32);
    let picture = |_| Ok::<_, inference::Error>(picture.to_vec());
    let statistics = Statistics::collect(&mut executor, 1, picture)?;
    let QuantizedNetwork {
        tensors,
        quantization,
    } = quantize(network, &statistics, ClipMethod::Max);
    let report = QuantizationReport {
        data: "noise".to_owned(),
        figures: std::collections::BTreeMap::new(),
        allowed: 0.0,
    };
    let metadata = weights.metadata().clone();
    Weights::quantized("untrained", metadata, tensors, quantization, report)
        .context("cannot quantise")
}
