//! Inference on one thread beside ONNX Runtime, OpenCV and Candle's own layers, all with the same weights.

use std::hint::black_box;

use anyhow::{Result, ensure};
use emotion_models::inference::{InferenceExecutor, Precision};
use emotion_models::weights::{Architecture, Normalization};
use emotion_models::{Emotion, Metadata, Weights};
use emotion_trainer::formats::onnx;
use emotion_trainer::run::network::Network;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::Args;
use crate::measure::{Turns, apart, median, timed};
use crate::peak::peak;
use crate::peer::Peer;
use crate::report::{Outcome, Unit};
use crate::stock::Stock;

/// Faces of a call.
const FACES: [usize; 3] = [1, 8, 32];
/// Faces of a turn, so that one takes long enough to be timed well.
const FACES_PER_TURN: usize = 256;
/// Width and height of a face.
pub(crate) const SIZE: usize = 48;
/// How far the logits of two sides may lie apart.
const TOLERANCE: f32 = 1e-3;
/// The same in bfloat16, of the largest logit.
const BF16_TOLERANCE: f32 = 0.03;

/// A network and the number of faces that it gets at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comparison {
    architecture: Architecture,
    faces: usize,
}

/// All of them.
pub(crate) fn comparisons() -> impl Iterator<Item = Comparison> {
    Architecture::CLASSIFIERS.iter().flat_map(|&architecture| {
        FACES.map(|faces| Comparison {
            architecture,
            faces,
        })
    })
}

impl Comparison {
    pub(crate) fn name(self) -> String {
        format!("engine/{}/{}", self.architecture, self.faces)
    }

    pub(crate) fn measure(self, args: &Args) -> Result<Vec<Outcome>> {
        let weights = untrained(self.architecture)?;
        let folder = tempfile::tempdir()?;
        let model = folder.path().join("model.onnx");
        std::fs::write(&model, onnx::encode(&weights)?)?;
        let faces = noise(self.faces * SIZE * SIZE);

        let mut engines = Precision::ALL
            .into_iter()
            .filter(|precision| precision.is_available())
            .map(|precision| InferenceExecutor::with_precision(&weights, precision))
            .collect::<Result<Vec<_>, _>>()?;
        let stock = Stock::new(&weights)?;
        let mut peers = Vec::new();
        for runtime in ["onnxruntime", "opencv"] {
            let task = json!({
                "runtime": runtime,
                "model": model,
                "faces": faces,
                "shape": [self.faces, 1, SIZE, SIZE],
            });
            peers.push(Peer::start(&args.python, "infer.py", &task)?);
        }

        let mut logits = vec![0.0; self.faces * Emotion::ALL.len()];
        let found = peers
            .iter()
            .map(|(_, about)| (about.name.as_str(), about.output.clone()));
        let stock_logits = ("stock Candle", stock.run(&faces)?);
        let theirs: Vec<_> = found.chain([stock_logits]).collect();
        for engine in &mut engines {
            engine.run(&faces, &mut logits)?;
            let largest = logits.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
            let tolerance = match engine.precision() {
                Precision::F32 => TOLERANCE,
                Precision::Bf16 => BF16_TOLERANCE * largest,
            };
            for (name, theirs) in &theirs {
                let apart = apart(&logits, theirs);
                ensure!(
                    apart < tolerance,
                    "{name}: the logits are {apart} apart from ours in {}",
                    engine.precision()
                );
            }
        }

        let calls = FACES_PER_TURN / self.faces;
        let mut ours = vec![Turns::default(); engines.len()];
        let mut theirs = vec![Turns::default(); peers.len()];
        let mut candle = Turns::default();
        for _ in 0..args.rounds.get() {
            for (engine, turns) in engines.iter_mut().zip(&mut ours) {
                turns.push(timed(calls, || {
                    Ok(engine.run(black_box(&faces), black_box(&mut logits))?)
                })?);
            }
            for ((peer, _), turns) in peers.iter_mut().zip(&mut theirs) {
                turns.push(median(&peer.turn(calls)?));
            }
            // It is slow enough to be timed by a few calls.
            candle.push(timed(calls.div_ceil(32), || {
                stock.run(black_box(&faces)).map(drop)
            })?);
        }
        let multiply_adds = self
            .architecture
            .graph(SIZE, Emotion::ALL.len())?
            .multiply_adds();
        let names = peers.into_iter().map(|(_, about)| about.name);
        let names = names.chain(["stock Candle".to_owned()]);
        let theirs: Vec<_> = names.zip(theirs.into_iter().chain([candle])).collect();
        let outcomes = engines.iter().zip(ours).flat_map(|(engine, ours)| {
            let precision = engine.precision();
            let ours = ours.per(self.faces);
            // What is measured is the peak in f32.
            let share = multiply_adds as f64 / ours.median() / peak();
            theirs.iter().map(move |(peer_name, peer)| Outcome {
                name: format!("{}/{precision}", self.name()),
                ours: ours.clone(),
                peer: peer.clone().per(self.faces),
                peer_name: peer_name.clone(),
                unit: Unit::Microseconds,
                peak: (precision == Precision::F32).then_some(share),
            })
        });
        Ok(outcomes.collect())
    }
}

/// Weights as they are before training: the time does not depend on them.
pub(crate) fn untrained(architecture: Architecture) -> Result<Weights> {
    let metadata = Metadata {
        name: architecture.name().to_owned(),
        architecture,
        labels: Emotion::names(),
        input_size: SIZE,
        normalization: Normalization::SymmetricUnit,
        temperature: 1.0,
        training: "none".to_owned(),
    };
    let tensors = Network::new(architecture, SIZE, 1)?.parameters.snapshot()?;
    Ok(Weights::new("untrained", metadata, tensors)?)
}

pub(crate) fn noise(count: usize) -> Vec<f32> {
    let mut generator = ChaCha8Rng::seed_from_u64(1);
    (0..count)
        .map(|_| generator.random_range(-1.0..1.0))
        .collect()
}
