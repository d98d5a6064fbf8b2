//! A training step of 32 faces beside PyTorch's.
//!
//! Ours is the trainer as it is: augmentation, mixing, network, optimiser and average of the weights. The peer gets its
//! faces ready made and keeps no average.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use emotion_models::Emotion;
use emotion_models::graph::{Graph, Node, Op};
use emotion_models::layers::{Activation, Padding};
use emotion_models::weights::Architecture;
use emotion_trainer::data::{FACE_SIZE, Faces};
use emotion_trainer::emotion::distillation::Teachers;
use emotion_trainer::emotion::recipe::Recipe;
use emotion_trainer::emotion::task::EmotionTask;
use emotion_trainer::run::folder::RunFolder;
use emotion_trainer::run::progress::Progress;
use emotion_trainer::run::trainer::{Trainer, TrainingOutcome as RunOutcome};
use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::Args;
use crate::measure::{Turns, median};
use crate::peer::Peer;
use crate::report::{Outcome, Unit};

/// Faces in a step.
const BATCH: usize = 32;
/// Steps of a turn that are not timed: caches fill, and the augmentation's head start is used up.
const WARM_UP: usize = 8;
/// Steps of a turn that are timed.
const STEPS: usize = 24;
/// Threads of either side go on a while after its turn; so long they are left to it.
const PAUSE: Duration = Duration::from_millis(400);

/// What a network's training is measured by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comparison(Architecture);

/// All of them.
pub(crate) fn comparisons() -> impl Iterator<Item = Comparison> {
    Architecture::CLASSIFIERS.iter().copied().map(Comparison)
}

impl Comparison {
    pub(crate) fn name(self) -> String {
        format!("train/{}/step{BATCH}", self.0)
    }

    /// Trains for some steps and lets the peer do the same between them.
    pub(crate) fn measure(self, args: &Args) -> Result<Vec<Outcome>> {
        let mut settings = Recipe::Best.settings();
        settings.architecture = self.0;
        settings.batch = BATCH;
        let graph = self.0.graph(settings.input_size, Emotion::ALL.len())?;
        let task = json!({
            "threads": args.threads,
            "batch": BATCH,
            "graph": describe(&graph),
        });
        let (mut peer, introduction) = Peer::start(&args.python, "train.py", &task)?;
        let trained = graph.parameters().into_iter().filter(|p| p.trained);
        let parameters: usize = trained.map(|parameter| parameter.len()).sum();
        ensure!(
            introduction.parameters == parameters,
            "{} trains {} parameters of {}, expected {parameters}: the networks differ",
            introduction.name,
            introduction.parameters,
            self.0
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
        let mut turns = InTurn::new(rounds);
        let mut failure = None;
        let outcome = trainer.run(&Progress::hidden(), || {
            turns.stepped(&mut peer).unwrap_or_else(|error| {
                failure = Some(error);
                true
            })
        })?;
        if let Some(error) = failure {
            return Err(error);
        }
        ensure!(
            outcome == RunOutcome::Stopped,
            "training came to its end before all was measured"
        );
        Ok(vec![Outcome {
            name: self.name(),
            ours: turns.ours,
            peer: turns.theirs,
            peer_name: introduction.name,
            unit: Unit::Milliseconds,
            peak: None,
        }])
    }
}

/// Both sides, turn by turn.
struct InTurn {
    rounds: usize,
    ours: Turns,
    theirs: Turns,
    /// Our steps since the peer's last turn.
    steps: Vec<f64>,
    stepped: Option<Instant>,
}

impl InTurn {
    fn new(rounds: usize) -> Self {
        Self {
            rounds,
            ours: Turns::default(),
            theirs: Turns::default(),
            steps: Vec::new(),
            stepped: None,
        }
    }

    /// One of our steps is done; lets the peer have its turn when ours is over. Says whether all rounds are done.
    fn stepped(&mut self, peer: &mut Peer) -> Result<bool> {
        let now = Instant::now();
        if let Some(before) = self.stepped.replace(now) {
            self.steps.push((now - before).as_secs_f64());
        }
        if self.steps.len() < WARM_UP + STEPS {
            return Ok(false);
        }
        // The mean, for a step may wait for faces that others found ready.
        let timed = &self.steps[WARM_UP..];
        self.ours.push(timed.iter().sum::<f64>() / STEPS as f64);
        sleep(PAUSE);
        self.theirs
            .push(median(&peer.turn(WARM_UP + STEPS)?[WARM_UP..]));
        sleep(PAUSE);
        self.steps.clear();
        self.stepped = None;
        Ok(self.ours.len() == self.rounds)
    }
}

/// Faces of noise: what they show makes no difference to the time.
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

/// The network as the peer reads it.
fn describe(graph: &Graph) -> Value {
    let nodes = graph.nodes();
    nodes
        .iter()
        .map(|node| describe_node(nodes, node))
        .collect()
}

fn describe_node(nodes: &[Node], node: &Node) -> Value {
    let relu = |activation| activation == Activation::Relu;
    let input = node.inputs.first().map(|&index| nodes[index].shape);
    let mut described = match node.op {
        Op::Input => json!({ "op": "input" }),
        Op::Conv2d(config) => json!({
            "op": "conv2d",
            "kernel": config.kernel,
            "stride": config.stride,
            "padding": match config.padding {
                Padding::Valid => 0,
                Padding::Same => config.kernel / 2,
            },
            "bias": config.bias,
        }),
        Op::SeparableConv2d { stride } => json!({ "op": "separable", "stride": stride }),
        Op::BatchNorm(config) => json!({
            "op": "batch_norm",
            "eps": config.eps,
            "momentum": config.momentum,
            "relu": relu(config.activation),
        }),
        // TensorFlow's "same" pads an even side at its end only.
        Op::MaxPool => {
            json!({ "op": "max_pool", "padding": input.map_or(0, |[side, ..]| side % 2) })
        }
        Op::Add(activation) => json!({ "op": "add", "relu": relu(activation) }),
        Op::Upsample => json!({ "op": "upsample" }),
        Op::GlobalAverage => json!({ "op": "average" }),
    };
    described["inputs"] = json!(node.inputs);
    described["channels"] = json!(node.shape[2]);
    described["channels_in"] = json!(input.map(|[.., channels]| channels));
    described["size"] = json!(node.shape[0]);
    described
}
