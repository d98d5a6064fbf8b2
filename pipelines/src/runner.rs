//! Runs a pipeline to its end, to its error, or until it is told to stop.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, bail};
use gst::prelude::*;

/// How long a stopped pipeline may take to finish its files.
const FINISH: gst::ClockTime = gst::ClockTime::from_seconds(10);
/// How often a running pipeline looks up from its work.
const TICK: gst::ClockTime = gst::ClockTime::from_mseconds(100);

/// A wish to stop that any thread can utter.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Utters the wish.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was uttered.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Utters the wish on Ctrl-C and on a request to terminate; the second one ends the program at once.
    ///
    /// # Errors
    ///
    /// When the program already handles these signals.
    pub fn set_on_signal(&self) -> anyhow::Result<()> {
        let stop = self.clone();
        ctrlc::set_handler(move || {
            if stop.is_set() {
                std::process::exit(130);
            }
            stop.set();
        })
        .context("Ctrl-C cannot be handled")
    }
}

/// How a run ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// The source came to its end.
    EndOfStream,
    /// [`StopFlag`] was set; the files are finished.
    Stopped,
}

/// Plays `pipeline` and calls `tick` with the time that it has been running, several times a second.
///
/// The pipeline is shut down whatever happens.
///
/// # Errors
///
/// The first error that an element posts, with the element's name; or when the files cannot be finished after a stop.
pub fn run(
    pipeline: &gst::Pipeline,
    stop: &StopFlag,
    mut tick: impl FnMut(Duration),
) -> anyhow::Result<RunEnd> {
    let shut_down = ShutDown(pipeline);
    let bus = pipeline.bus().context("a pipeline has a bus")?;
    // Where an element refuses, its own message says why: it stands on the bus.
    let refused = pipeline.set_state(gst::State::Playing).is_err();
    if refused && !bus.have_pending() {
        bail!("the pipeline does not start, and no element says why; GST_DEBUG=3 shows more");
    }

    let started = std::time::Instant::now();
    let mut ending: Option<gst::ClockTime> = None;
    loop {
        let message = bus.timed_pop_filtered(
            TICK,
            &[
                gst::MessageType::Eos,
                gst::MessageType::Error,
                gst::MessageType::Warning,
            ],
        );
        match message.as_ref().map(|message| message.view()) {
            Some(gst::MessageView::Eos(_)) => break,
            Some(gst::MessageView::Error(error)) => {
                bail!("{}", described(error.src(), &error.error(), error.debug()))
            }
            Some(gst::MessageView::Warning(warning)) => {
                eprintln!(
                    "warning: {}",
                    described(warning.src(), &warning.error(), None)
                );
            }
            _ if refused => bail!("the pipeline does not start; GST_DEBUG=3 shows more"),
            _ => tick(started.elapsed()),
        }
        match &mut ending {
            None if stop.is_set() => {
                pipeline.send_event(gst::event::Eos::new());
                ending = Some(FINISH);
            }
            Some(left) if message.is_none() => {
                let Some(less) = left.checked_sub(TICK) else {
                    bail!("the files could not be finished within {FINISH}")
                };
                *left = less;
            }
            _ => {}
        }
    }
    drop(shut_down);
    Ok(if ending.is_some() {
        RunEnd::Stopped
    } else {
        RunEnd::EndOfStream
    })
}

/// Takes the pipeline to Null when dropped, so that devices and files are let go.
struct ShutDown<'a>(&'a gst::Pipeline);

impl Drop for ShutDown<'_> {
    fn drop(&mut self) {
        // A pipeline that cannot even stop has already posted why.
        let _ = self.0.set_state(gst::State::Null);
    }
}

/// An element's message in one line: who, if that is known, what, and the part of the debug text that says more.
pub(crate) fn described(
    source: Option<&gst::Object>,
    error: &gst::glib::Error,
    debug: Option<gst::glib::GString>,
) -> String {
    let who = source
        .map(|source| format!("{}: ", source.name()))
        .unwrap_or_default();
    let detail = debug.as_deref().and_then(|debug| {
        // The first line is a place in the source code of the element.
        debug
            .lines()
            .skip(1)
            .map(str::trim)
            .find(|line| !line.is_empty() && !error.message().contains(line))
    });
    match detail {
        Some(detail) => format!("{who}{} ({detail})", error.message()),
        None => format!("{who}{}", error.message()),
    }
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
    fn a_wish_to_stop_ends_an_endless_source() {
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
