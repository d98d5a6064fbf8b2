//! Shows faces and their emotions on a camera, a video or the built-in clip, and writes an annotated video and one JSON
//! line per frame.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use clap::Parser;
use emotion_pipelines::{
    camera_mode::WantedMode,
    cli::DemoArgs,
    demo::{self, DemoInput, Options},
    runner::StopFlag,
    trace, window,
};

fn main() -> ExitCode {
    let arguments = DemoArgs::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("emotion-demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: DemoArgs) -> anyhow::Result<()> {
    trace::start()?;
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

fn plugin_beside_program() -> Option<PathBuf> {
    let plugin = std::env::current_exe()
        .ok()?
        .with_file_name("libgstemotion.so");
    plugin.is_file().then_some(plugin)
}
