//! `emotion-demo`.

use std::path::PathBuf;

use clap::Parser;

/// Shows faces and their emotions on your camera, or on the built-in clip if there is none.
///
/// Writes an annotated video and one JSON line per frame.
#[derive(Parser)]
#[command(name = "emotion-demo", version)]
pub struct DemoArgs {
    /// Use this camera, such as /dev/video0
    #[arg(long, value_name = "DEVICE", conflicts_with_all = ["input", "clip"])]
    pub camera: Option<PathBuf>,
    /// Use this video file
    #[arg(long, value_name = "VIDEO", conflicts_with = "clip")]
    pub input: Option<PathBuf>,
    /// Use the built-in clip even if there is a camera
    #[arg(long)]
    pub clip: bool,
    /// The folder for the results
    #[arg(long, value_name = "FOLDER", default_value = "out")]
    pub out: PathBuf,
    /// Do not open a window
    #[arg(long)]
    pub no_window: bool,
}
