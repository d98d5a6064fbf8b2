//! `emotion-demo`.

use std::path::PathBuf;

use clap::Parser;

use crate::camera_mode::{self, FrameSize};

/// Shows faces and their emotions on your camera, or on the built-in clip if there is none.
///
/// Writes an annotated video and one JSON line per frame.
#[derive(Parser)]
#[command(name = "emotion-demo", version)]
pub struct DemoArgs {
    /// Use this camera, such as /dev/video0
    #[arg(long, value_name = "DEVICE", conflicts_with_all = ["input", "clip"])]
    pub camera: Option<PathBuf>,
    /// The size of the camera's pictures, such as 640x480: the nearest that it has [default: 1280x720]
    #[arg(long, value_name = "WIDTHxHEIGHT")]
    pub size: Option<FrameSize>,
    /// The camera's pictures a second: the nearest that it has [default: 24 or more]
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    pub rate: Option<f64>,
    /// Print the beginning of the line for gst-launch-1.0 that opens this camera in its best mode, and end
    #[arg(long, value_name = "DEVICE", conflicts_with_all = ["camera", "input", "clip"])]
    pub print_camera: Option<PathBuf>,
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

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().map_err(|_| "expected a number".to_owned())?;
    camera_mode::checked_rate(rate)
}
