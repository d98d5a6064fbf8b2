//! A video window that can be closed without damaging the other outputs of the pipeline.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Context as _;
use gst::prelude::*;
use gst_video::NavigationEvent;

use crate::{launch_line::LaunchLine, runner::StopFlag};

const NAME: &str = "window";

/// Whether this session has a display.
pub fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .into_iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Appends a sink that shows video: with `in_time` by its timestamps, otherwise each frame as soon as it is there.
#[must_use]
pub fn append(line: LaunchLine, in_time: bool) -> LaunchLine {
    line.words(&format!("bin.( name={NAME} {} )", sink(in_time)))
}

/// Appends the same sink without the bin that [`stop_on_close`] needs, for a line that people read.
#[must_use]
pub fn append_plain(line: LaunchLine, in_time: bool) -> LaunchLine {
    line.words(&sink(in_time))
}

fn sink(in_time: bool) -> String {
    format!("queue ! videoconvert ! autovideosink sync={in_time}")
}

/// Sets `stop` when the user closes the window, which GStreamer reports as an error.
///
/// Does nothing if the pipeline has no window.
///
/// # Errors
///
/// If the window was not added by [`append`].
pub fn stop_on_close(pipeline: &gst::Pipeline, stop: &StopFlag) -> anyhow::Result<()> {
    let Some(window) = pipeline.by_name(NAME) else {
        return Ok(());
    };
    let pad = entry(&window)?;
    let bus = pipeline.bus().context("the pipeline has no bus")?;

    // The closed window would return an error for the next frame, and that would end the recording as well. So nothing
    // may reach it any more.
    let closed = Arc::new(AtomicBool::new(false));
    let is_closed = closed.clone();
    pad.add_probe(
        gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM,
        move |_, _| match is_closed.load(Ordering::SeqCst) {
            true => gst::PadProbeReturn::Drop,
            false => gst::PadProbeReturn::Ok,
        },
    );

    let (stop, pipeline) = (stop.clone(), pipeline.downgrade());
    bus.set_sync_handler(move |_, message| {
        let gst::MessageView::Error(error) = message.view() else {
            return gst::BusSyncReply::Pass;
        };
        let is_from_window = error
            .src()
            .is_some_and(|source| source.has_as_ancestor(&window));
        if !is_from_window || !error.error().matches(gst::ResourceError::NotFound) {
            return gst::BusSyncReply::Pass;
        }
        if !closed.swap(true, Ordering::SeqCst)
            && let Some(pipeline) = pipeline.upgrade()
        {
            let (window, stop) = (window.clone(), stop.clone());
            // This is the window's own thread, which cannot wait for its own end.
            pipeline.call_async(move |pipeline| {
                if let Err(error) = pipeline.remove(&window).and_then(|()| {
                    window
                        .set_state(gst::State::Null)
                        .map(drop)
                        .map_err(|_| gst::glib::bool_error!("it does not stop"))
                }) {
                    eprintln!("warning: the closed window cannot be removed: {error}");
                }
                stop.set();
            });
        }
        gst::BusSyncReply::Drop
    });
    Ok(())
}

/// Calls `act` when the user presses `key` in the window, in the thread of the window.
///
/// Does nothing if the pipeline has no window.
///
/// # Errors
///
/// If the window was not added by [`append`].
pub fn on_key(
    pipeline: &gst::Pipeline,
    key: &'static str,
    act: impl Fn(&gst::Pipeline) + Send + Sync + 'static,
) -> anyhow::Result<()> {
    let Some(window) = pipeline.by_name(NAME) else {
        return Ok(());
    };
    let pipeline = pipeline.downgrade();
    // Sinks send what happens in their window upstream.
    entry(&window)?.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
        let event = info.event().map(|event| NavigationEvent::parse(event));
        if let Some(Ok(NavigationEvent::KeyPress { key: pressed, .. })) = event
            && pressed == key
            && let Some(pipeline) = pipeline.upgrade()
        {
            act(&pipeline);
        }
        gst::PadProbeReturn::Ok
    });
    Ok(())
}

fn entry(window: &gst::Element) -> anyhow::Result<gst::Pad> {
    let mut pads = window.iterate_sink_pads().into_iter().flatten();
    pads.next().context("the window has no sink pad")
}

#[cfg(test)]
mod tests;
