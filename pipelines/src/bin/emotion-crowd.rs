//! Analyses many cameras and streams at once and publishes the faces and their emotions.

use std::process::ExitCode;

use clap::Parser;
use emotion_pipelines::cli::CrowdArgs;
use emotion_pipelines::crowd::log;
use emotion_pipelines::crowd::{self, config};

fn main() -> ExitCode {
    let arguments = CrowdArgs::parse();
    let failed = |error: &anyhow::Error| {
        eprintln!("emotion-crowd: {error:#}");
        ExitCode::FAILURE
    };
    if !arguments.check
        && let Err(error) = log::start(arguments.log_format)
    {
        return failed(&error);
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if arguments.check => failed(&error),
        Err(error) => {
            log::error("emotion-crowd", &format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &CrowdArgs) -> anyhow::Result<()> {
    use std::io::Write as _;

    let Some(path) = &arguments.config else {
        // A reader that closes the pipe early is no error.
        let _ = std::io::stdout().write_all(config::EXAMPLE.as_bytes());
        return Ok(());
    };
    emotion_pipelines::init()?;
    let config = crowd::load(path, arguments.shard)?;
    if arguments.check {
        return Ok(());
    }
    let signals = crowd::Signals::default();
    signals.stop.set_on_interrupt()?;
    signals.reload.set_on_hang_up()?;
    crowd::run(config, &signals)
}
