//! What `make run` shows: faces and emotions on a camera, a video or the made clip.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use gst::prelude::*;
use gstemotion::face;

use crate::{
    camera,
    clip::{self, Clip},
    encoding_profile::EncodingProfile,
    launch_line::LaunchLine,
    runner::{self, RunEnd, StopFlag},
    window,
};

/// Where the pictures come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DemoInput {
    /// The first camera that opens, else the made clip.
    Any,
    /// This Video4Linux device.
    Camera(PathBuf),
    /// This video file.
    File(PathBuf),
    /// The made clip.
    Clip,
}

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the pictures come from.
    pub input: DemoInput,
    /// The folder for the results.
    pub output: PathBuf,
    /// Whether to show a window.
    pub window: bool,
    /// The plugin's file for the line that is printed; `None` where it is installed.
    pub plugin: Option<PathBuf>,
}

/// Runs the demo and tells `out` about it, a line each second.
///
/// Results appear in the output folder when they are complete: `annotated.mp4` (or the best container there is),
/// `faces.jsonl`, and `clip.mp4` where the clip was made.
///
/// # Errors
///
/// When a file cannot be read or written, or an element of the pipeline fails.
pub fn run(options: &Options, stop: &StopFlag, out: &mut impl Write) -> anyhow::Result<()> {
    let results = PendingOutputs::new(&options.output)?;
    let recording = EncodingProfile::best()?;
    let input = match &options.input {
        DemoInput::Any => choose(out)?,
        chosen => chosen.clone(),
    };
    let Some(source) = open(&input, recording, &results, stop, out)? else {
        writeln!(out, "Stopped.")?;
        return Ok(());
    };

    let (video, records) = (format!("annotated.{}", recording.extension), "faces.jsonl");
    let annotated = |video: &Path, records: &Path| {
        let line = source
            .clone()
            .words("! facedetect ! emotionclassify ! emotionpublish");
        let line = line
            .path("location", records)
            .words("! emotionoverlay name=overlay ! tee name=annotated");
        recording.append(line.words("annotated. ! queue !"), video)
    };
    // Cameras set the pace; from a file every picture is shown when it is ready.
    let in_time = matches!(input, DemoInput::Camera(_));
    let mut shown = annotated(&options.output.join(&video), &options.output.join(records));
    let mut line = annotated(&results.unfinished(&video), &results.unfinished(records));
    let mut how_to_stop = "Press Ctrl-C to stop.";
    if options.window {
        shown = window::append_plainly(shown.words("annotated. !"), in_time);
        line = window::append(line.words("annotated. !"), in_time);
        how_to_stop = "Close the window or press Ctrl-C to stop.";
    }
    writeln!(
        out,
        "By hand: {}\n\n{how_to_stop}",
        by_hand(&shown, options.plugin.as_deref())
    )?;

    let pipeline = line.launch()?;
    window::close_means_stop(&pipeline, stop)?;
    let seen = watch(&pipeline)?;
    let started = Instant::now();
    let mut told = 0;
    let end = runner::run(&pipeline, stop, |running| {
        if running.as_secs() > told {
            told = running.as_secs();
            // A closed terminal must not end the recording.
            let _ = writeln!(out, "{told:>4} s  {}", locked(&seen).now());
        }
    })?;

    let stopped = if end == RunEnd::Stopped {
        "Stopped: "
    } else {
        ""
    };
    writeln!(
        out,
        "\n{stopped}{}",
        locked(&seen).summary(started.elapsed())
    )?;
    writeln!(
        out,
        "  {}  the video with what was found",
        results.finish(&video)?.display()
    )?;
    writeln!(
        out,
        "  {}  one JSON object for each frame",
        results.finish(records)?.display()
    )?;
    Ok(())
}

/// The line that gives the pictures of `input`, or none when the user stopped the making of the clip.
fn open(
    input: &DemoInput,
    recording: &EncodingProfile,
    results: &PendingOutputs,
    stop: &StopFlag,
    out: &mut impl Write,
) -> anyhow::Result<Option<LaunchLine>> {
    let file = match input {
        DemoInput::Camera(device) => {
            writeln!(out, "Camera {}", device.display())?;
            return Ok(Some(
                LaunchLine::default()
                    .words("v4l2src")
                    .path("device", device),
            ));
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
            let name = format!("clip.{}", recording.extension);
            if make_clip(recording, &results.unfinished(&name), stop)? == RunEnd::Stopped {
                return Ok(None);
            }
            let file = results.finish(&name)?;
            writeln!(
                out,
                "Made {}: a portrait, moved, scaled and doubled, {} frames",
                file.display(),
                clip::FRAMES
            )?;
            file
        }
    };
    Ok(Some(
        LaunchLine::default()
            .words("filesrc")
            .path("location", &file)
            .words("! decodebin ! videoconvert"),
    ))
}

fn choose(out: &mut impl Write) -> anyhow::Result<DemoInput> {
    let found = camera::probe();
    if let Some(device) = found.usable {
        return Ok(DemoInput::Camera(device));
    }
    for device in &found.forbidden {
        writeln!(
            out,
            "{}: not allowed to open it; as a member of the group video you are: sudo usermod -aG video $USER, then log in anew",
            device.display()
        )?;
    }
    writeln!(
        out,
        "No camera found: here is a made clip instead (--input VIDEO takes a video of yours)."
    )?;
    Ok(DemoInput::Clip)
}

/// The shell command that does the same.
fn by_hand(line: &LaunchLine, plugin: Option<&Path>) -> String {
    let command = LaunchLine::default().words("gst-launch-1.0 -e");
    // Loaded by name the plugin's facedetect wins over GStreamer's own, and nothing needs to be installed.
    let command = plugin.map_or(command.clone(), |plugin| {
        command.path("--gst-plugin-load", plugin)
    });
    format!("{command} {line}")
}

/// Draws the clip and encodes it into `file`.
fn make_clip(recording: &EncodingProfile, file: &Path, stop: &StopFlag) -> anyhow::Result<RunEnd> {
    let line = LaunchLine::default().words("appsrc name=drawn !");
    let pipeline = recording.append(line, file).launch()?;
    let drawn = pipeline
        .by_name("drawn")
        .and_then(|element| element.downcast::<gst_app::AppSrc>().ok())
        .context("appsrc is an AppSrc")?;
    Clip::new()?.feed(&drawn, 0..clip::FRAMES);
    runner::run(&pipeline, stop, |_| {}).context("the clip cannot be made")
}

/// The output folder. Files grow in a hidden folder inside it and move out when they are complete.
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
                    "{}: the results cannot be written there; --out names another folder",
                    folder.display()
                )
            })?;
        Ok(Self {
            folder: folder.to_owned(),
            hidden,
        })
    }

    fn unfinished(&self, name: &str) -> PathBuf {
        self.hidden.path().join(name)
    }

    fn finish(&self, name: &str) -> anyhow::Result<PathBuf> {
        let file = self.folder.join(name);
        fs::rename(self.unfinished(name), &file)
            .with_context(|| format!("{}: cannot be completed", file.display()))?;
        Ok(file)
    }
}

/// What went by so far.
#[derive(Debug, Default)]
struct DemoSummary {
    frames: usize,
    with_faces: usize,
    most_faces: usize,
    labels: BTreeMap<String, usize>,
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
            self.latest.push(format!(
                "{} {:.0} %",
                emotion.label,
                emotion.confidence * 100.0
            ));
        }
    }

    fn now(&self) -> impl fmt::Display {
        let faces = if self.latest.is_empty() {
            "no face".to_owned()
        } else {
            self.latest.join(", ")
        };
        format!("{:>5} frames  {faces}", self.frames)
    }

    fn summary(&self, took: Duration) -> impl fmt::Display {
        let mut labels: Vec<_> = self.labels.iter().collect();
        labels.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let labels: Vec<_> = labels
            .into_iter()
            .map(|(label, count)| format!("{label} {count}"))
            .collect();
        format!(
            "{} frames in {:.1} s ({:.1} a second), {} of them with faces, at most {} at once{}{}",
            self.frames,
            took.as_secs_f64(),
            self.frames as f64 / took.as_secs_f64(),
            self.with_faces,
            self.most_faces,
            if labels.is_empty() { "" } else { "; " },
            labels.join(", ")
        )
    }
}

/// Reads the metadata of every frame as it reaches the overlay.
fn watch(pipeline: &gst::Pipeline) -> anyhow::Result<Arc<Mutex<DemoSummary>>> {
    let pad = pipeline
        .by_name("overlay")
        .and_then(|overlay| overlay.static_pad("sink"))
        .context("the overlay has a way in")?;
    let seen = Arc::new(Mutex::new(DemoSummary::default()));
    let writer = seen.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(buffer) = info.buffer() {
            locked(&writer).add(&face::faces(buffer));
        }
        gst::PadProbeReturn::Ok
    });
    Ok(seen)
}

fn locked(seen: &Mutex<DemoSummary>) -> std::sync::MutexGuard<'_, DemoSummary> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_appear_when_they_are_complete_and_leave_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let results = PendingOutputs::new(folder.path()).expect("it is writable");
        fs::write(results.unfinished("a"), "whole").expect("it is writable");
        fs::write(results.unfinished("b"), "half").expect("it is writable");
        assert!(!folder.path().join("a").exists());
        results.finish("a").expect("it is there");
        drop(results);
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
            by_hand(&line, Some(Path::new("/t/libgstemotion.so"))),
            "gst-launch-1.0 -e --gst-plugin-load=/t/libgstemotion.so videotestsrc ! facedetect ! fakesink"
        );
    }
}
