//! Shows faces and their emotions on a camera, a video or the built-in clip, and writes an annotated video and one JSON
//! line per frame.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use clap::Parser;
use emotion_pipelines::{
    camera_mode::{self, FrameSize, WantedMode},
    demo::{self, DemoInput, Options},
    runner::StopFlag,
    window,
};

/// Shows faces and their emotions on your camera, or on the built-in clip if there is none.
///
/// Writes an annotated video and one JSON line per frame.
#[derive(Parser)]
#[command(name = "emotion-demo", version)]
struct Arguments {
    /// Use this camera, such as /dev/video0
    #[arg(long, value_name = "DEVICE", conflicts_with_all = ["input", "clip"])]
    camera: Option<PathBuf>,
    /// The size of the camera's pictures, such as 640x480: the nearest that it has [default: 1280x720]
    #[arg(long, value_name = "WIDTHxHEIGHT")]
    size: Option<FrameSize>,
    /// The camera's pictures a second: the nearest that it has [default: 24 or more]
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    rate: Option<f64>,
    /// Print the beginning of the line for gst-launch-1.0 that opens this camera in its best mode, and end
    #[arg(long, value_name = "DEVICE", conflicts_with_all = ["camera", "input", "clip"])]
    print_camera: Option<PathBuf>,
    /// Use this video file
    #[arg(long, value_name = "VIDEO", conflicts_with = "clip")]
    input: Option<PathBuf>,
    /// Use the built-in clip even if there is a camera
    #[arg(long)]
    clip: bool,
    /// The folder for the results
    #[arg(long, value_name = "FOLDER", default_value = "out")]
    out: PathBuf,
    /// Do not open a window
    #[arg(long)]
    no_window: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("emotion-demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    emotion_pipelines::init()?;
    let mode = WantedMode {
        size: arguments.size,
        rate: arguments.rate,
    };
    if let Some(device) = arguments.print_camera {
        let (line, chosen) = demo::camera_line(&device, mode)?;
        eprintln!("{}: {chosen}", device.display());
        return Ok(writeln!(std::io::stdout(), "{line}")?);
    }
    let stop = StopFlag::default();
    stop.set_on_signal()?;
    let input = match (arguments.camera, arguments.input, arguments.clip) {
        (Some(device), ..) => DemoInput::Camera(device),
        (None, Some(file), _) => DemoInput::File(file),
        (None, None, true) => DemoInput::Clip,
        (None, None, false) => DemoInput::Any,
    };
    let options = Options {
        input,
        mode,
        output: arguments.out,
        window: !arguments.no_window && window::has_display(),
        plugin: plugin_beside_program(),
    };
    demo::run(&options, &stop, &mut std::io::stdout().lock())
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().map_err(|_| "expected a number".to_owned())?;
    camera_mode::checked_rate(rate)
}

fn plugin_beside_program() -> Option<PathBuf> {
    let plugin = std::env::current_exe()
        .ok()?
        .with_file_name("libgstemotion.so");
    plugin.is_file().then_some(plugin)
}
