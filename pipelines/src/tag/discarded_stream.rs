//! Streams that nobody needs.

use gst::prelude::*;

/// Links `pad` to a sink, because an unlinked stream would end the others with an error.
pub(super) fn discard(pipeline: &gst::Pipeline, pad: &gst::Pad) {
    let Ok(sink) = gst::ElementFactory::make("fakesink")
        .property("sync", false)
        .property("async", false)
        .build()
    else {
        return;
    };
    if pipeline.add(&sink).is_ok()
        && sink.sync_state_with_parent().is_ok()
        && let Some(entry) = sink.static_pad("sink")
    {
        // An unlinked pad ends the stream with an error that says so.
        let _ = pad.link(&entry);
    }
}
