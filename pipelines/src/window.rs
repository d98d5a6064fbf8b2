//! A window that its user may close without spoiling what else the pipeline does.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Context as _;
use gst::prelude::*;

use crate::{launch_line::LaunchLine, runner::StopFlag};

const NAME: &str = "window";

/// Whether this session can show a window.
pub fn display_is_there() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .into_iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Appends a sink that shows video; `in_time` at the speed of its timestamps, else as fast as it comes.
#[must_use]
pub fn append(line: LaunchLine, in_time: bool) -> LaunchLine {
    line.words(&format!("bin.( name={NAME} {} )", sink(in_time)))
}

/// The same without the bin that [`close_means_stop`] needs: for people to read.
#[must_use]
pub fn append_plainly(line: LaunchLine, in_time: bool) -> LaunchLine {
    line.words(&sink(in_time))
}

fn sink(in_time: bool) -> String {
    format!("queue ! videoconvert ! autovideosink sync={in_time}")
}

/// Turns the closing of the window, which is an error to GStreamer, into a wish to stop.
///
/// Does nothing where the pipeline has no window.
///
/// # Errors
///
/// When the pipeline was not made with [`append`].
pub fn close_means_stop(pipeline: &gst::Pipeline, stop: &StopFlag) -> anyhow::Result<()> {
    let Some(window) = pipeline.by_name(NAME) else {
        return Ok(());
    };
    let entry = window
        .iterate_sink_pads()
        .into_iter()
        .flatten()
        .next()
        .context("the window has no way in")?;
    let bus = pipeline.bus().context("a pipeline has a bus")?;

    // The closed window refuses the next picture, and a refusal would end the recording too: nothing may reach it any more.
    let closed = Arc::new(AtomicBool::new(false));
    let is_closed = closed.clone();
    entry.add_probe(
        gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM,
        move |_, _| {
            if is_closed.load(Ordering::SeqCst) {
                gst::PadProbeReturn::Drop
            } else {
                gst::PadProbeReturn::Ok
            }
        },
    );

    let (stop, pipeline) = (stop.clone(), pipeline.downgrade());
    bus.set_sync_handler(move |_, message| {
        let gst::MessageView::Error(error) = message.view() else {
            return gst::BusSyncReply::Pass;
        };
        let of_window = error
            .src()
            .is_some_and(|source| source.has_as_ancestor(&window));
        if !of_window || !error.error().matches(gst::ResourceError::NotFound) {
            return gst::BusSyncReply::Pass;
        }
        if !closed.swap(true, Ordering::SeqCst)
            && let Some(pipeline) = pipeline.upgrade()
        {
            let (window, stop) = (window.clone(), stop.clone());
            // Not from here: this is the window's own thread, which cannot wait for its own end.
            pipeline.call_async(move |pipeline| {
                if let Err(error) = pipeline.remove(&window).and_then(|()| {
                    window
                        .set_state(gst::State::Null)
                        .map(drop)
                        .map_err(|_| gst::glib::bool_error!("it does not stop"))
                }) {
                    eprintln!("warning: the closed window cannot be taken away: {error}");
                }
                stop.set();
            });
        }
        gst::BusSyncReply::Drop
    });
    Ok(())
}

#[cfg(test)]
mod tests;
