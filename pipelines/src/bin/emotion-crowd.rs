//! Analyses many cameras and streams at once and publishes the faces and their emotions.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use emotion_pipelines::crowd::log::{self, LogFormat};
use emotion_pipelines::crowd::{self, config};
use emotion_pipelines::shard::Shard;

/// Finds faces and their emotions on many cameras and streams at once.
///
/// Publishes JSON Lines, MQTT messages and Prometheus metrics, and serves a page with live pictures and charts. A TOML
/// file configures it; relative paths in the file start at the current folder. Ctrl-C or SIGTERM ends the program, SIGHUP
/// makes it read the file again.
#[derive(Parser)]
#[command(name = "emotion-crowd", version)]
struct Arguments {
    /// The configuration file; --example prints one with every setting explained
    #[arg(required_unless_present = "example", value_name = "CONFIG.toml")]
    config: Option<PathBuf>,
    /// Print an example configuration
    #[arg(long, exclusive = true)]
    example: bool,
    /// Check the configuration and exit
    #[arg(long)]
    check: bool,
    /// Watch only a part of the sources in the file, such as 3/10: others run elsewhere
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// How the lines of the log look
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    log_format: LogFormat,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !arguments.check {
        log::start(arguments.log_format);
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if arguments.check => {
            eprintln!("emotion-crowd: {error:#}");
            ExitCode::FAILURE
        }
        Err(error) => {
            log::error("emotion-crowd", &format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
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
