//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use emotion_models::Instructions;

/// Compare the speed with that of others who do the same, both measured in turn in one run
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// Run only the comparisons whose names begin with NAME: `train`, `train/mini_xception`
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) only: String,

    /// Threads of either side in training; inference is measured on one
    #[arg(long, value_name = "N", default_value = "2")]
    pub(crate) threads: NonZeroUsize,

    /// Turns of either side; their median counts
    #[arg(long, value_name = "N", default_value = "11")]
    pub(crate) rounds: NonZeroUsize,

    /// Python interpreter with the packages of the peers
    #[arg(long, value_name = "FILE", default_value = "python3")]
    pub(crate) python: PathBuf,

    /// Weights of YuNet, face_detection_yunet_2023mar.onnx [default: peer/ in the folder EMOTION_DATA]
    #[arg(long, value_name = "FILE")]
    pub(crate) yunet: Option<PathBuf>,

    /// Instruction set of ours in engine-int8, such as avx2 [default: the fastest of the machine]
    #[arg(long, value_name = "NAME")]
    pub(crate) instructions: Option<String>,

    /// Instead of comparing, show the time of each step of inference, for one face and for one frame of the detector
    #[arg(long)]
    pub(crate) profile: bool,

    /// File for the results in JSON
    #[arg(long, value_name = "FILE", default_value = "target/bench.json")]
    pub(crate) out: PathBuf,
}

impl Args {
    /// The instruction set of ours.
    pub(crate) fn instructions(&self) -> Result<Instructions> {
        let Some(name) = &self.instructions else {
            return Ok(Instructions::best());
        };
        let all = Instructions::all();
        let found = all.iter().find(|instructions| instructions.name() == name);
        let names: Vec<&str> = all.iter().map(|instructions| instructions.name()).collect();
        found
            .copied()
            .with_context(|| format!("expected one of {}, found {name}", names.join(", ")))
    }
}
