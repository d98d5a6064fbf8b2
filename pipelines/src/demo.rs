//! The program behind `make run`: shows faces and emotions on a camera, a video or the built-in clip.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use emotion_models::atomic_file;
use gst::prelude::*;
use gstemotion::face;

use crate::{
    baseline, camera,
    camera_mode::{self, WantedMode},
    clip::{self, Clip},
    encoding_profile::{EncodingProfile, EncodingQuality},
    launch_line::LaunchLine,
    runner::{self, RunEnd, StopFlag},
    window,
};

/// The key that says that all faces are at rest.
const BASELINE_KEY: &str = "b";

/// The source of the video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DemoInput {
    /// The first camera that opens, otherwise the built-in clip.
    Any,
    /// This Video4Linux device.
    Camera(PathBuf),
    /// This video file.
    File(PathBuf),
    /// The built-in clip.
    Clip,
}

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The source of the video.
    pub input: DemoInput,
    /// The mode of a camera.
    pub mode: WantedMode,
    /// The folder for the results.
    pub output: PathBuf,
    /// Whether to open a window.
    pub window: bool,
    /// The plugin file to load in the printed command; `None` if the plugin is installed.
    pub plugin: Option<PathBuf>,
}

/// Runs the demo and prints a line each second to `out`.
///
/// The results appear in the output folder when they are complete: `annotated.mp4` (or the best container that can be
/// written), `faces.jsonl`, and `clip.mp4` if the built-in clip was rendered.
///
/// # Errors
///
/// If a file cannot be read or written, or an element of the pipeline fails.
pub fn run(options: &Options, stop: &StopFlag, out: &mut impl Write) -> anyhow::Result<()> {
    let outputs = PendingOutputs::new(&options.output)?;
    let encoding = EncodingProfile::best()?;
    let input = match &options.input {
        DemoInput::Any => find_camera(out)?,
        chosen => chosen.clone(),
    };
    let Some(source) = open(&input, options.mode, encoding, &outputs, stop, out)? else {
        writeln!(out, "Stopped.")?;
        return Ok(());
    };

    let (video, records) = (format!("annotated.{}", encoding.extension), "faces.jsonl");
    let annotated = |video: &Path, records: &Path| {
        let line = source
            .clone()
            .words("! facedetect ! emotionclassify ! emotionpublish");
        let line = line
            .path("location", records)
            .words("! emotionoverlay name=overlay ! tee name=annotated");
        encoding.append(
            line.words("annotated. ! queue !"),
            EncodingQuality::default(),
            video,
        )
    };
    // A camera sets its own pace; the frames of a file are shown as soon as they are ready.
    let in_time = matches!(input, DemoInput::Camera(_));
    let mut printed = annotated(&options.output.join(&video), &options.output.join(records));
    let mut line = annotated(&outputs.pending(&video), &outputs.pending(records));
    let mut how_to_stop = "Press Ctrl-C to stop.";
    if options.window {
        printed = window::append_plain(printed.words("annotated. !"), in_time);
        line = window::append(line.words("annotated. !"), in_time);
        how_to_stop = "Press b in the window while the faces are at rest: that is taken for neutral.\n\
                       Close the window or press Ctrl-C to stop.";
    }
    writeln!(
        out,
        "By hand: {}\n\n{how_to_stop}",
        shell_command(&printed, options.plugin.as_deref())
    )?;

    let pipeline = line.launch()?;
    window::stop_on_close(&pipeline, stop)?;
    window::on_key(&pipeline, BASELINE_KEY, |pipeline| {
        baseline::learn(pipeline);
    })?;
    let summary = summarize(&pipeline)?;
    let started = Instant::now();
    let mut printed_second = 0;
    let end = runner::run(&pipeline, stop, |elapsed| {
        if elapsed.as_secs() > printed_second {
            printed_second = elapsed.as_secs();
            // A closed terminal must not end the recording.
            let _ = writeln!(out, "{printed_second:>4} s  {}", locked(&summary).current());
        }
    })?;

    let stopped = if end == RunEnd::Stopped {
        "Stopped: "
    } else {
        ""
    };
    writeln!(
        out,
        "\n{stopped}{}\n  {}  the annotated video\n  {}  one JSON object for each frame",
        locked(&summary).total(started.elapsed()),
        outputs.finish(&video)?.display(),
        outputs.finish(records)?.display()
    )?;
    Ok(())
}

/// The beginning of the launch line for `input`, or `None` if the user stopped the rendering of the clip.
fn open(
    input: &DemoInput,
    mode: WantedMode,
    encoding: &EncodingProfile,
    outputs: &PendingOutputs,
    stop: &StopFlag,
    out: &mut impl Write,
) -> anyhow::Result<Option<LaunchLine>> {
    let file = match input {
        DemoInput::Camera(device) => {
            let (line, mode) = camera_line(device, mode)?;
            writeln!(out, "Camera {}: {mode}", device.display())?;
            return Ok(Some(line));
        }
        DemoInput::File(file) => {
            anyhow::ensure!(
                file.is_file(),
                "{}: there is no such video file",
                file.display()
            );
            writeln!(out, "Video {}", file.display())?;
            file.clone()
        }
        DemoInput::Any | DemoInput::Clip => {
            let name = format!("clip.{}", encoding.extension);
            if render_clip(encoding, &outputs.pending(&name), stop)? == RunEnd::Stopped {
                return Ok(None);
            }
            let file = outputs.finish(&name)?;
            writeln!(
                out,
                "Rendered {}: a portrait, moved, scaled and doubled, {} frames",
                file.display(),
                clip::FRAMES
            )?;
            file
        }
    };
    let line = LaunchLine::default().words("filesrc");
    Ok(Some(
        line.path("location", &file)
            // Phones store upright videos rotated and say so in a tag.
            .words("! decodebin ! videoconvert ! videoflip video-direction=auto"),
    ))
}

/// The beginning of the launch line for a camera, and the mode that was chosen, in words.
///
/// # Errors
///
/// If the camera cannot be opened.
pub fn camera_line(device: &Path, wanted: WantedMode) -> anyhow::Result<(LaunchLine, String)> {
    let modes = camera_mode::modes(device)?;
    Ok(match camera_mode::choose(&modes, wanted) {
        Some(mode) => (mode.launch_line(device), mode.to_string()),
        // Whatever it delivers.
        None => {
            let line = LaunchLine::default().words("v4l2src");
            let line = line.path("device", device).words("! decodebin");
            (line, "its own choice of mode".to_owned())
        }
    })
}

fn find_camera(out: &mut impl Write) -> anyhow::Result<DemoInput> {
    let probe = camera::probe();
    if let Some(device) = probe.usable {
        return Ok(DemoInput::Camera(device));
    }
    for device in &probe.forbidden {
        writeln!(
            out,
            "{}: no permission to open it; join the group video: sudo usermod -aG video $USER, then log in again",
            device.display()
        )?;
    }
    writeln!(
        out,
        "No camera found: using the built-in clip (--input VIDEO uses a video of yours)."
    )?;
    Ok(DemoInput::Clip)
}

/// The shell command that runs the same pipeline.
fn shell_command(line: &LaunchLine, plugin: Option<&Path>) -> String {
    let command = LaunchLine::default().words("gst-launch-1.0 -e");
    // Loaded by name the plugin's facedetect takes precedence over GStreamer's own, and nothing has to be installed.
    let command = plugin.map_or(command.clone(), |plugin| {
        command.path("--gst-plugin-load", plugin)
    });
    format!("{command} {line}")
}

/// Renders the built-in clip and encodes it into `file`.
fn render_clip(encoding: &EncodingProfile, file: &Path, stop: &StopFlag) -> anyhow::Result<RunEnd> {
    let line = LaunchLine::default().words("appsrc name=frames !");
    let pipeline = encoding
        .append(line, EncodingQuality::default(), file)
        .launch()?;
    let frames = pipeline
        .by_name("frames")
        .and_then(|element| element.downcast::<gst_app::AppSrc>().ok())
        .context("the element frames is no appsrc")?;
    Clip::new()?.feed(&frames, 0..clip::FRAMES);
    runner::run(&pipeline, stop, |_| {}).context("cannot render the built-in clip")
}

/// The output folder. Files grow in a hidden folder inside it and are moved out when they are complete.
struct PendingOutputs {
    folder: PathBuf,
    hidden: tempfile::TempDir,
}

impl PendingOutputs {
    fn new(folder: &Path) -> anyhow::Result<Self> {
        let hidden = fs::create_dir_all(folder)
            .and_then(|()| {
                tempfile::Builder::new()
                    .prefix(".unfinished-")
                    .tempdir_in(folder)
            })
            .with_context(|| {
                format!(
                    "{}: cannot write the results there; --out names another folder",
                    folder.display()
                )
            })?;
        Ok(Self {
            folder: folder.to_owned(),
            hidden,
        })
    }

    fn pending(&self, name: &str) -> PathBuf {
        self.hidden.path().join(name)
    }

    fn finish(&self, name: &str) -> anyhow::Result<PathBuf> {
        let file = self.folder.join(name);
        atomic_file::rename(&self.pending(name), &file)
            .with_context(|| format!("{}: cannot complete the file", file.display()))?;
        Ok(file)
    }
}

/// Counts of the frames so far.
#[derive(Debug, Default)]
struct DemoSummary {
    frames: usize,
    with_faces: usize,
    most_faces: usize,
    labels: BTreeMap<String, usize>,
    /// The emotions in the last frame, as text.
    latest: Vec<String>,
}

impl DemoSummary {
    fn add(&mut self, faces: &[face::Face]) {
        self.frames += 1;
        self.with_faces += usize::from(!faces.is_empty());
        self.most_faces = self.most_faces.max(faces.len());
        self.latest.clear();
        for emotion in faces.iter().filter_map(|face| face.emotion.as_ref()) {
            *self.labels.entry(emotion.label.clone()).or_default() += 1;
            let percent = emotion.confidence * 100.0;
            self.latest.push(match emotion.is_uncertain() {
                true => emotion.label.clone(),
                false => format!("{} {percent:.0} %", emotion.label),
            });
        }
    }

    fn current(&self) -> impl fmt::Display {
        let faces = match &self.latest[..] {
            [] => "no face".to_owned(),
            latest => latest.join(", "),
        };
        format!("{:>5} frames  {faces}", self.frames)
    }

    fn total(&self, elapsed: Duration) -> impl fmt::Display {
        let mut labels: Vec<_> = self.labels.iter().collect();
        labels.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let labels: Vec<_> = labels
            .into_iter()
            .map(|(label, count)| format!("{label} {count}"))
            .collect();
        format!(
            "{} frames in {:.1} s ({:.1} a second), {} of them with faces, at most {} at once{}{}",
            self.frames,
            elapsed.as_secs_f64(),
            self.frames as f64 / elapsed.as_secs_f64(),
            self.with_faces,
            self.most_faces,
            if labels.is_empty() { "" } else { "; " },
            labels.join(", ")
        )
    }
}

/// Summarizes the face metadata of the frames that reach the overlay.
fn summarize(pipeline: &gst::Pipeline) -> anyhow::Result<Arc<Mutex<DemoSummary>>> {
    let pad = pipeline
        .by_name("overlay")
        .and_then(|overlay| overlay.static_pad("sink"))
        .context("the overlay has no sink pad")?;
    let summary = Arc::new(Mutex::new(DemoSummary::default()));
    let writer = summary.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(buffer) = info.buffer() {
            locked(&writer).add(&face::faces(buffer));
        }
        gst::PadProbeReturn::Ok
    });
    Ok(summary)
}

fn locked(summary: &Mutex<DemoSummary>) -> MutexGuard<'_, DemoSummary> {
    summary.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_appear_when_they_are_complete_and_leave_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let outputs = PendingOutputs::new(folder.path()).expect("it is writable");
        fs::write(outputs.pending("a"), "whole").expect("it is writable");
        fs::write(outputs.pending("b"), "half").expect("it is writable");
        assert!(!folder.path().join("a").exists());
        outputs.finish("a").expect("it is there");
        drop(outputs);
        let names: Vec<_> = fs::read_dir(folder.path())
            .expect("it exists")
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        assert_eq!(names, ["a"]);
    }

    #[test]
    fn the_printed_command_loads_the_plugin_of_this_build() {
        let line = LaunchLine::default().words("videotestsrc ! facedetect ! fakesink");
        assert_eq!(
            shell_command(&line, Some(Path::new("/t/libgstemotion.so"))),
            "gst-launch-1.0 -e --gst-plugin-load=/t/libgstemotion.so videotestsrc ! facedetect ! fakesink"
        );
    }
}
