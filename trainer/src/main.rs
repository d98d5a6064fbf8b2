//! `emotion-trainer`: see `emotion-trainer --help`.

use std::process::ExitCode;

use clap::Parser;
use emotion_trainer::cli::Cli;
use emotion_trainer::commands;
use emotion_trainer::run::interrupt::{EXIT_STATUS, Interrupted};

// A training step frees and asks again for the same large activations: the system's allocator
// returns them to the kernel and maps them anew each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match commands::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("emotion-trainer: {error:#}");
            if error.is::<Interrupted>() {
                ExitCode::from(EXIT_STATUS)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}
