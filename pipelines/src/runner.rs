//! Runs a pipeline until its stream ends, an element fails, or the user stops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use gst::prelude::*;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// How long a stopped pipeline may take to finish its files.
const FINISH_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a running pipeline reports progress and checks the [`StopFlag`].
const TICK: gst::ClockTime = gst::ClockTime::from_mseconds(100);
/// The exit status of a program that Ctrl-C ended, as shells report it: 128 + SIGINT.
pub const INTERRUPTED: u8 = 130;
/// The exit status of a program that another attempt may complete, EX_TEMPFAIL of `sysexits.h`.
pub const TRY_AGAIN: u8 = 75;

/// A request to stop or to do something else, shared between threads.
#[derive(Clone, Debug, Default)]
pub struct StopFlag {
    is_set: Arc<AtomicBool>,
    /// Whether SIGTERM was the reason.
    is_terminated: Arc<AtomicBool>,
}

impl StopFlag {
    /// Requests the stop.
    pub fn set(&self) {
        self.is_set.store(true, Ordering::SeqCst);
    }

    /// Whether a stop was requested.
    pub fn is_set(&self) -> bool {
        self.is_set.load(Ordering::SeqCst)
    }

    /// Whether SIGTERM has requested it, as a system does that needs the machine for something else.
    pub fn is_terminated(&self) -> bool {
        self.is_terminated.load(Ordering::SeqCst)
    }

    /// Whether it was requested; the request is then forgotten.
    pub fn take(&self) -> bool {
        self.is_set.swap(false, Ordering::SeqCst)
    }

    /// Sets the flag on SIGINT (Ctrl-C), SIGTERM and SIGHUP. A SIGHUP that is ignored, as under `nohup`, stays so.
    ///
    /// The second Ctrl-C ends the program at once. A second SIGTERM does not: programs that end others may send several.
    ///
    /// # Errors
    ///
    /// If the system refuses a signal handler.
    pub fn set_on_signal(&self) -> anyhow::Result<()> {
        self.set_on_interrupt()?;
        self.set_on_hang_up()
    }

    /// Sets the flag on SIGHUP, unless that is ignored, as under `nohup`.
    ///
    /// # Errors
    ///
    /// If the system refuses a signal handler.
    pub fn set_on_hang_up(&self) -> anyhow::Result<()> {
        if !is_ignored(SIGHUP) {
            flag::register(SIGHUP, self.is_set.clone()).context("cannot handle SIGHUP")?;
        }
        Ok(())
    }

    /// As [`set_on_signal`](Self::set_on_signal), but leaves SIGHUP alone.
    ///
    /// # Errors
    ///
    /// If the system refuses a signal handler.
    pub fn set_on_interrupt(&self) -> anyhow::Result<()> {
        let interrupted = Arc::new(AtomicBool::new(false));
        flag::register_conditional_shutdown(SIGINT, INTERRUPTED.into(), interrupted.clone())
            .and_then(|_| flag::register(SIGINT, interrupted))
            .and_then(|_| flag::register(SIGINT, self.is_set.clone()))
            .and_then(|_| flag::register(SIGTERM, self.is_terminated.clone()))
            .and_then(|_| flag::register(SIGTERM, self.is_set.clone()))
            .context("cannot handle Ctrl-C")?;
        Ok(())
    }
}

/// Whether this process was started with `signal` ignored; false where the system does not tell.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// How a run ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// The source reached its end.
    EndOfStream,
    /// The [`StopFlag`] was set.
    Stopped,
}

/// Plays `pipeline` to its end and calls `tick` with the elapsed time several times a second.
///
/// When `stop` is set the pipeline gets an end of stream, so that its files are finished. The pipeline is shut down in any
/// case.
///
/// # Errors
///
/// The first error that an element posts, with the element's name; or if the files are not finished in time after a stop.
pub fn run(
    pipeline: &gst::Pipeline,
    stop: &StopFlag,
    mut tick: impl FnMut(Duration),
) -> anyhow::Result<RunEnd> {
    let started = Instant::now();
    let mut stopped: Option<Instant> = None;
    play(pipeline, &[gst::MessageType::Latency], |message| {
        match message.map(|message| message.view()) {
            Some(gst::MessageView::Latency(_)) => {
                // Fails while the pipeline starts, which asks for the latency itself.
                let _ = pipeline.recalculate_latency();
            }
            Some(gst::MessageView::Eos(_)) => {
                return Ok(Some(match stopped {
                    Some(_) => RunEnd::Stopped,
                    None => RunEnd::EndOfStream,
                }));
            }
            Some(gst::MessageView::Error(error)) => {
                bail!("{}", described(error.src(), &error.error(), error.debug()))
            }
            Some(gst::MessageView::Warning(warning)) => {
                let warning = described(warning.src(), &warning.error(), None);
                eprintln!("warning: {warning}");
            }
            _ => tick(started.elapsed()),
        }
        match stopped {
            None if stop.is_set() => {
                pipeline.send_event(gst::event::Eos::new());
                stopped = Some(Instant::now());
            }
            Some(at) if at.elapsed() > FINISH_TIMEOUT => bail!(
                "the files were not finished within {} s",
                FINISH_TIMEOUT.as_secs()
            ),
            _ => {}
        }
        Ok(None)
    })
}

/// Plays `pipeline` and calls `step` with each end of stream, error, warning and message of the types `more`, and without
/// a message after [`TICK`], until `step` returns a value. The pipeline is shut down in any case.
///
/// # Errors
///
/// Those of `step`; or if the pipeline does not start and no element posts a reason.
pub(crate) fn play<T>(
    pipeline: &gst::Pipeline,
    more: &[gst::MessageType],
    mut step: impl FnMut(Option<&gst::Message>) -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let types = [
        gst::MessageType::Eos,
        gst::MessageType::Error,
        gst::MessageType::Warning,
    ];
    let types = [&types, more].concat();
    let _shut_down = ShutDown(pipeline);
    let bus = pipeline.bus().context("the pipeline has no bus")?;
    // An element that fails to start posts the reason on the bus.
    let has_failed = pipeline.set_state(gst::State::Playing).is_err();
    loop {
        let message = bus.timed_pop_filtered(TICK, &types);
        if message.is_none() && has_failed {
            bail!("the pipeline does not start; GST_DEBUG=3 shows more");
        }
        if let Some(result) = step(message.as_ref())? {
            return Ok(result);
        }
    }
}

/// Sets the pipeline to Null when dropped, to release devices and files.
struct ShutDown<'a>(&'a gst::Pipeline);

impl Drop for ShutDown<'_> {
    fn drop(&mut self) {
        // A pipeline that fails to stop has already posted the reason.
        let _ = self.0.set_state(gst::State::Null);
    }
}

/// An element's error in one line: the element if it is known, the message, and the informative part of the debug text.
pub(crate) fn described(
    source: Option<&gst::Object>,
    error: &gst::glib::Error,
    debug: Option<gst::glib::GString>,
) -> String {
    let element = source
        .map(|source| format!("{}: ", source.name()))
        .unwrap_or_default();
    let detail = debug.as_deref().and_then(|debug| {
        // The first line is a position in the element's source code.
        debug
            .lines()
            .skip(1)
            .map(str::trim)
            .find(|line| !line.is_empty() && !error.message().contains(line))
    });
    let detail = detail.map(|detail| format!(" ({detail})"));
    format!("{element}{}{}", error.message(), detail.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launch_line::LaunchLine;

    fn pipeline(words: &str) -> gst::Pipeline {
        gst::init().expect("GStreamer starts");
        LaunchLine::default()
            .words(words)
            .launch()
            .expect("core elements exist")
    }

    #[test]
    fn a_source_that_ends_ends_the_run() {
        let end = run(
            &pipeline("fakesrc num-buffers=3 ! fakesink"),
            &StopFlag::default(),
            |_| {},
        )
        .expect("it plays");
        assert_eq!(end, RunEnd::EndOfStream);
    }

    #[test]
    fn a_stop_ends_an_endless_source() {
        let stop = StopFlag::default();
        let end = run(&pipeline("fakesrc is-live=true ! fakesink"), &stop, |_| {
            stop.set()
        })
        .expect("it plays");
        assert_eq!(end, RunEnd::Stopped);
    }

    #[test]
    fn an_error_names_the_element_and_the_file() {
        let error = run(
            &pipeline("filesrc name=input location=/nowhere.mp4 ! fakesink"),
            &StopFlag::default(),
            |_| {},
        )
        .expect_err("there is no such file");
        let text = format!("{error:#}");
        assert!(
            text.contains("input") && text.contains("/nowhere.mp4"),
            "{text}"
        );
    }
}
