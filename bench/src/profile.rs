//! Time of each step of inference.

use anyhow::Result;
use emotion_models::inference::{InferenceExecutor, Precision, StepTime};
use emotion_models::weights::Architecture;
use emotion_models::{Instructions, Weights};

use crate::engine::{SIZE, noise, untrained};
use crate::peak::peak;

/// Runs of each step of a classifier; the shortest counts.
const RUNS: usize = 2000;
/// The same for the detector.
const DETECTOR_RUNS: usize = 50;

/// Height and width of the detector's frame.
const FRAME: [usize; 2] = [480, 640];

/// Prints a table for each network in each precision.
pub(crate) fn print() -> Result<()> {
    for architecture in Architecture::CLASSIFIERS {
        let weights = untrained(architecture)?;
        for precision in [Precision::F32, Precision::Bf16] {
            if !precision.is_available() {
                continue;
            }
            let mut engine = InferenceExecutor::with_precision(&weights, precision)?;
            let mut logits = vec![0.0; engine.classes()];
            engine.run(&noise(SIZE * SIZE), &mut logits)?;
            let steps = engine.profile(RUNS);
            println!("{architecture}, {precision} on {}", engine.instructions());
            table(&steps);
        }
    }
    detector()
}

fn detector() -> Result<()> {
    let [height, width] = FRAME;
    let network = Weights::detector()?.folded_detector(height, width)?;
    for precision in [Precision::F32, Precision::Bf16] {
        if !precision.is_available() {
            continue;
        }
        let mut engine = InferenceExecutor::from_network(&network, Instructions::best(), precision);
        let mut values = vec![0.0; engine.classes()];
        engine.run(&noise(height * width), &mut values)?;
        let steps = engine.profile(DETECTOR_RUNS);
        println!(
            "face_net at {width}×{height}, {precision} on {}",
            engine.instructions()
        );
        table(&steps);
    }
    Ok(())
}

fn table(steps: &[StepTime]) {
    let row = |name: &str, multiply_adds: u64, seconds: f64, share: f64| {
        let rate = multiply_adds as f64 / seconds;
        println!(
            "  {name:<28} {:>7.2} M {:>8.2} µs {:>5.1} % {:>6.1} G/s {:>5.0} %",
            multiply_adds as f64 / 1e6,
            1e6 * seconds,
            100.0 * share,
            rate / 1e9,
            100.0 * rate / peak()
        );
    };
    let total: f64 = steps.iter().map(|step| step.time.as_secs_f64()).sum();
    println!(
        "  {:<28} {:>9} {:>11} {:>7} {:>10} {:>7}",
        "", "products", "time", "share", "rate", "of peak"
    );
    for step in steps {
        let seconds = step.time.as_secs_f64();
        row(&step.name, step.multiply_adds, seconds, seconds / total);
    }
    let all = steps.iter().map(|step| step.multiply_adds).sum();
    row("all", all, total, 1.0);
}
