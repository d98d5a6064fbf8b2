//! `emotion-crowd`.

use std::path::PathBuf;

use clap::Parser;

use crate::crowd::log::LogFormat;
use crate::shard::Shard;

/// Finds faces and their emotions on many cameras and streams at once.
///
/// Publishes JSON Lines, MQTT messages and Prometheus metrics, and serves a page with live pictures and charts. A TOML
/// file configures it; relative paths in the file start at the current folder. Ctrl-C or SIGTERM ends the program, SIGHUP
/// makes it read the file again.
#[derive(Parser)]
#[command(name = "emotion-crowd", version)]
pub struct CrowdArgs {
    /// The configuration file; --example prints one with every setting explained
    #[arg(required_unless_present = "example", value_name = "CONFIG.toml")]
    pub config: Option<PathBuf>,
    /// Print an example configuration
    #[arg(long, exclusive = true)]
    pub example: bool,
    /// Check the configuration and exit
    #[arg(long)]
    pub check: bool,
    /// Watch only a part of the sources in the file, such as 3/10: others run elsewhere
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    /// How the lines of the log look
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub log_format: LogFormat,
}
