//! Watches cameras: finds faces and their emotions on many streams at once, and publishes what it sees.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use emotion_pipelines::crowd::{self, config};
use emotion_pipelines::runner::StopFlag;

/// Finds faces and their emotions on many cameras and streams at once.
///
/// Publishes JSON Lines, MQTT and Prometheus metrics, and shows a page with live pictures and charts. What it does stands
/// in a TOML file; paths in it begin where the program is started. Ctrl-C or SIGTERM ends it.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The settings; --example prints all of them with what they do
    #[arg(required_unless_present = "example", value_name = "CONFIG.toml")]
    config: Option<PathBuf>,
    /// Print an example of the settings
    #[arg(long, exclusive = true)]
    example: bool,
    /// Only check the settings
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("emotion-crowd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    use std::io::Write as _;

    let Some(path) = &arguments.config else {
        // A reader that has seen enough is no error.
        let _ = std::io::stdout().write_all(config::EXAMPLE.as_bytes());
        return Ok(());
    };
    emotion_pipelines::init()?;
    let config = config::Config::load(path)?;
    if arguments.check {
        return Ok(());
    }
    let stop = StopFlag::default();
    stop.set_on_signal()?;
    crowd::run(config, &stop)
}
