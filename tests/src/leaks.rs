//! Objects of GStreamer that are left when a process ends, as its `leaks` tracer counts them.

use std::sync::Once;

use gst::glib::prelude::*;

/// Fails this process at its end if objects of GStreamer are left then.
///
/// It does so where `GST_TRACERS=leaks` was set when GStreamer started, as `make test` sets it.
pub fn watch() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        if leaks_tracer().is_some() {
            // SAFETY: the function has the type that atexit expects, and does not unwind.
            let status = unsafe { libc::atexit(end) };
            assert_eq!(status, 0, "there is no memory");
        }
    });
}

fn leaks_tracer() -> Option<gst::Tracer> {
    let mut tracers = gst::active_tracers().into_iter();
    tracers.find(|tracer| tracer.type_().name() == "GstLeaksTracer")
}

/// The objects that are left, in words.
fn left() -> Vec<String> {
    let live =
        leaks_tracer().map(|tracer| tracer.emit_by_name::<gst::Structure>("get-live-objects", &[]));
    let list = live.and_then(|live| live.get::<gst::List>("live-objects-list").ok());
    list.iter()
        .flat_map(|list| list.iter())
        .filter_map(|object| object.get::<gst::Structure>().ok())
        .map(|object| object.to_string())
        .collect()
}

extern "C" fn end() {
    let left = left();
    if !left.is_empty() {
        eprintln!(
            "{} objects of GStreamer are left:\n{}",
            left.len(),
            left.join("\n")
        );
        // SAFETY: it ends the process, in which no other thread of the test runs any more.
        unsafe { libc::_exit(101) };
    }
}
