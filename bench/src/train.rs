//! A training step of 32 faces, compared with PyTorch.
//!
//! Ours is the whole trainer: augmentation, mixing, network, optimiser and average of the weights. The peer gets prepared
//! faces and keeps no average.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use emotion_models::Emotion;
use emotion_models::graph::{Activation, Graph, Node, Op};
use emotion_models::weights::Architecture;
use emotion_trainer::data::{FACE_SIZE, Faces};
use emotion_trainer::emotion::distillation::Teachers;
use emotion_trainer::emotion::recipe::Recipe;
use emotion_trainer::emotion::task::EmotionTask;
use emotion_trainer::run::folder::RunFolder;
use emotion_trainer::run::progress::TrainingProgress;
use emotion_trainer::run::trainer::{Trainer, TrainingOutcome};
use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::args::Args;
use crate::comparison::Comparison;
use crate::measure::{Turns, median};
use crate::peer::PythonPeer;
use crate::report::{Measurement, Unit};

/// Faces in a step.
const BATCH: usize = 32;
/// Untimed steps at the beginning of a turn, in which caches fill and the augmentation loses its head start.
const WARM_UP: usize = 8;
/// Timed steps in a turn.
const STEPS: usize = 24;
/// Pause after a turn, in which the threads of that side come to rest.
const PAUSE: Duration = Duration::from_millis(400);

/// One comparison for each classifier.
pub(crate) fn comparisons() -> Vec<Comparison> {
    let compare = |&architecture: &Architecture| {
        let name = format!("train/{architecture}/step{BATCH}");
        Comparison::new(name, move |name, args| measure(name, args, architecture))
    };
    Architecture::CLASSIFIERS.iter().map(compare).collect()
}

/// Trains for some steps, between which the peer trains for as many.
fn measure(name: &str, args: &Args, architecture: Architecture) -> Result<Vec<Measurement>> {
    let mut settings = Recipe::Best.settings();
    settings.architecture = architecture;
    settings.common.batch = BATCH;
    let graph = architecture.graph(settings.input_size, Emotion::ALL.len())?;
    let task = json!({
        "threads": args.threads,
        "batch": BATCH,
        "graph": describe(&graph)?,
    });
    let (mut peer, introduction) = PythonPeer::start(&args.python, "train.py", &task)?;
    let trained = graph.parameters().into_iter().filter(|p| p.trained);
    let parameters: usize = trained.map(|parameter| parameter.len()).sum();
    ensure!(
        introduction.parameters == parameters,
        "{} trains {} parameters of {architecture}, expected {parameters}: the networks differ",
        introduction.name,
        introduction.parameters,
    );

    let rounds = args.rounds.get();
    let faces = Arc::new(noise((rounds + 1) * (WARM_UP + STEPS) * BATCH));
    let data = EmotionTask {
        training: Arc::clone(&faces),
        validation: faces,
        teachers: Teachers::default(),
    };
    let folder = tempfile::tempdir()?;
    let mut trainer = Trainer::new(settings, data, RunFolder::new(folder.path().join("run")))?;
    let mut turns = TrainingTurns::new(rounds);
    let mut failure = None;
    let outcome = trainer.run(&TrainingProgress::hidden(), || {
        turns.step_done(&mut peer).unwrap_or_else(|error| {
            failure = Some(error);
            true
        })
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    ensure!(
        outcome == TrainingOutcome::Stopped,
        "training ended before all turns were measured"
    );
    Ok(vec![Measurement::new(
        name,
        Unit::Milliseconds,
        [turns.ours, turns.theirs],
        introduction.name,
    )])
}

/// The times of both sides, turn by turn.
struct TrainingTurns {
    rounds: usize,
    ours: Turns,
    theirs: Turns,
    /// Our steps since the peer's last turn.
    steps: Vec<f64>,
    last_step: Option<Instant>,
}

impl TrainingTurns {
    fn new(rounds: usize) -> Self {
        Self {
            rounds,
            ours: Turns::default(),
            theirs: Turns::default(),
            steps: Vec::new(),
            last_step: None,
        }
    }

    /// Records that one of our steps is done, and runs the peer's turn when ours is over. Returns whether all rounds are
    /// done.
    fn step_done(&mut self, peer: &mut PythonPeer) -> Result<bool> {
        let now = Instant::now();
        if let Some(before) = self.last_step.replace(now) {
            self.steps.push((now - before).as_secs_f64());
        }
        if self.steps.len() < WARM_UP + STEPS {
            return Ok(false);
        }
        // The mean, because one step may wait for faces that later steps find ready.
        let timed = &self.steps[WARM_UP..];
        self.ours.push(timed.iter().sum::<f64>() / STEPS as f64);
        sleep(PAUSE);
        self.theirs
            .push(median(&peer.turn(WARM_UP + STEPS)?[WARM_UP..]));
        sleep(PAUSE);
        self.steps.clear();
        self.last_step = None;
        Ok(self.ours.len() == self.rounds)
    }
}

/// Faces of noise: the time does not depend on the pixels.
fn noise(count: usize) -> Faces {
    let mut generator = ChaCha8Rng::seed_from_u64(1);
    let mut faces = Faces::default();
    let mut pixels = [0; FACE_SIZE * FACE_SIZE];
    for label in Emotion::ALL.iter().cycle().take(count) {
        generator.fill(&mut pixels[..]);
        faces.push(&pixels, *label);
    }
    faces
}

/// The network in the form that the peer reads.
fn describe(graph: &Graph) -> Result<Value> {
    let nodes = graph.nodes();
    nodes
        .iter()
        .map(|node| describe_node(nodes, node))
        .collect()
}

fn describe_node(nodes: &[Node], node: &Node) -> Result<Value> {
    let input = node.inputs.first().map(|&index| nodes[index].shape);
    let mut described = match node.op {
        Op::Input => json!({ "op": "input" }),
        Op::Conv2d(config) => json!({
            "op": "conv2d",
            "kernel": config.kernel,
            "stride": config.stride,
            "padding": config.border(),
            "bias": config.bias,
        }),
        Op::SeparableConv2d(config) => json!({ "op": "separable", "stride": config.stride }),
        Op::BatchNorm(config) => json!({
            "op": "batch_norm",
            "eps": config.eps,
            "momentum": config.momentum,
        }),
        // The "same" padding of TensorFlow pads an even side at its end only.
        Op::MaxPool => {
            json!({ "op": "max_pool", "padding": input.map_or(0, |[side, ..]| side % 2) })
        }
        Op::Add(_) => json!({ "op": "add" }),
        Op::Upsample => json!({ "op": "upsample" }),
        Op::GlobalAverage => json!({ "op": "average" }),
        Op::Sigmoid => json!({ "op": "sigmoid" }),
        Op::ScaleChannels => json!({ "op": "scale_channels" }),
    };
    described["relu"] = json!(node.op.activation() == Activation::Relu);
    described["inputs"] = json!(node.inputs);
    described["channels"] = json!(node.shape[2]);
    described["channels_in"] = json!(input.map(|[.., channels]| channels));
    described["size"] = json!(node.shape[0]);
    Ok(described)
}
