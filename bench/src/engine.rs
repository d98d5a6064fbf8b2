//! Inference on one thread, compared with ONNX Runtime, OpenVINO, OpenCV and Candle's own layers, all with the same weights.

use std::hint::black_box;

use anyhow::{Result, ensure};
use emotion_models::inference::{InferenceExecutor, Precision};
use emotion_models::weights::{Architecture, Head, Normalization};
use emotion_models::{Emotion, Metadata, Weights};
use emotion_trainer::formats::onnx;
use emotion_trainer::run::network::Network;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::args::Args;
use crate::comparison::Comparison;
use crate::measure::{Turns, max_difference, timed};
use crate::peak::peak;
use crate::peer::PythonPeer;
use crate::report::{Measurement, Unit};
use crate::stock::StockNetwork;

/// Faces in a call.
pub(crate) const FACES: [usize; 3] = [1, 8, 32];
/// Faces in a turn, so that one takes long enough to be timed well.
pub(crate) const FACES_PER_TURN: usize = 256;
/// Width and height of a face in pixels.
pub(crate) const SIZE: usize = 48;
/// Largest difference between the logits of two sides.
const TOLERANCE: f32 = 1e-3;
/// The same in bfloat16, as a share of the largest logit.
const BF16_TOLERANCE: f32 = 0.03;

/// The peer that computes in bfloat16 where the processor has it.
const OPENVINO: &str = "openvino";
const STOCK: &str = "candle";

/// One comparison for each classifier and number of faces.
pub(crate) fn comparisons() -> Vec<Comparison> {
    let compare = |architecture: Architecture, faces: usize| {
        let name = format!("engine/{architecture}/{faces}");
        Comparison::new(name, move |name, args| {
            measure(name, args, architecture, faces)
        })
    };
    let of_network = |&architecture| FACES.map(|faces| compare(architecture, faces));
    Architecture::CLASSIFIERS
        .iter()
        .flat_map(of_network)
        .collect()
}

fn measure(
    name: &str,
    args: &Args,
    architecture: Architecture,
    count: usize,
) -> Result<Vec<Measurement>> {
    let weights = untrained(architecture)?;
    let folder = tempfile::tempdir()?;
    let model = folder.path().join("model.onnx");
    std::fs::write(&model, onnx::encode(&weights)?)?;
    let faces = noise(count * SIZE * SIZE);

    let mut engines = [Precision::F32, Precision::Bf16]
        .into_iter()
        .filter(|precision| precision.is_available())
        .map(|precision| InferenceExecutor::with_precision(&weights, precision))
        .collect::<Result<Vec<_>, _>>()?;
    let stock = StockNetwork::new(&weights)?;
    let mut peers = Vec::new();
    let mut expected = vec![(STOCK, "stock Candle".to_owned(), stock.run(&faces)?)];
    for runtime in ["onnxruntime", OPENVINO, "opencv"] {
        let task = json!({
            "runtime": runtime,
            "model": model,
            "faces": faces,
            "shape": [count, 1, SIZE, SIZE],
        });
        let (peer, about) = PythonPeer::start(&args.python, "infer.py", &task)?;
        peers.push((peer, runtime, about.name.clone(), Turns::default()));
        expected.push((runtime, about.name, about.output));
    }

    let mut logits = vec![0.0; count * Emotion::ALL.len()];
    for engine in &mut engines {
        engine.run(&faces, &mut logits)?;
        let largest = logits.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
        for (runtime, name, expected) in &expected {
            let is_exact = engine.precision() == Precision::F32 && *runtime != OPENVINO;
            let tolerance = if is_exact {
                TOLERANCE
            } else {
                BF16_TOLERANCE * largest
            };
            let difference = max_difference(&logits, expected);
            ensure!(
                difference < tolerance,
                "{name}: its logits differ from ours in {} by {difference}, expected less than {tolerance}",
                engine.precision()
            );
        }
    }

    let calls = FACES_PER_TURN / count;
    let mut ours = vec![Turns::default(); engines.len()];
    let mut candle = Turns::default();
    for _ in 0..args.rounds.get() {
        for (engine, turns) in engines.iter_mut().zip(&mut ours) {
            turns.push(timed(calls, || {
                Ok(engine.run(black_box(&faces), black_box(&mut logits))?)
            })?);
        }
        for (peer, _, _, turns) in &mut peers {
            turns.push(peer.median(calls)?);
        }
        // Candle is slow enough to be timed by a few calls.
        candle.push(timed(calls.div_ceil(32), || {
            stock.run(black_box(&faces)).map(drop)
        })?);
    }
    let multiply_adds = architecture
        .graph(SIZE, Emotion::ALL.len())?
        .multiply_adds();
    let mut theirs: Vec<(&str, String, Turns)> = peers
        .into_iter()
        .map(|(_, runtime, peer_name, turns)| (runtime, peer_name, turns.per(count)))
        .collect();
    theirs.push((STOCK, "stock Candle".to_owned(), candle.per(count)));
    let measurements = engines.iter().zip(ours).flat_map(|(engine, ours)| {
        let precision = engine.precision();
        let ours = ours.per(count);
        // The peak is measured in f32.
        let share = multiply_adds as f64 / ours.median() / peak();
        let peak = (precision == Precision::F32).then_some(share);
        theirs
            .iter()
            .map(move |(runtime, peer_name, theirs)| Measurement {
                peak,
                ..Measurement::new(
                    match *runtime {
                        OPENVINO => format!("engine-openvino/{architecture}/{count}/{precision}"),
                        _ => format!("{name}/{precision}"),
                    },
                    Unit::Microseconds,
                    [ours.clone(), theirs.clone()],
                    peer_name,
                )
            })
    });
    Ok(measurements.collect())
}

/// Untrained weights: the time does not depend on the values.
pub(crate) fn untrained(architecture: Architecture) -> Result<Weights> {
    let metadata = Metadata {
        name: architecture.name().to_owned(),
        architecture,
        labels: Emotion::names(),
        heads: vec![Head::Labels],
        threshold: None,
        input_size: SIZE,
        normalization: Normalization::SymmetricUnit,
        temperature: 1.0,
        training: "none".to_owned(),
    };
    let tensors = Network::new(architecture, SIZE, &[Head::Labels], 1)?
        .parameters
        .snapshot()?;
    Ok(Weights::new("untrained", metadata, tensors)?)
}

/// Uniform noise in [-1, 1).
pub(crate) fn noise(count: usize) -> Vec<f32> {
    let mut generator = ChaCha8Rng::seed_from_u64(1);
    (0..count)
        .map(|_| generator.random_range(-1.0..1.0))
        .collect()
}
