//! Elements between a source and a sink of the bench.

use anyhow::Result;
use gst_check::Harness;
use gst_video::VideoInfo;

/// The elements of a line in the syntax of `gst-launch-1.0`, one or several, which get frames like these.
pub(crate) fn harness(line: &str, info: &VideoInfo) -> Result<Harness> {
    let mut harness = if line.contains('!') {
        Harness::new_parse(line)
    } else {
        let element = gst::parse::launch(line)?;
        Harness::with_element(&element, Some("sink"), Some("src"))
    };
    harness.set_src_caps(info.to_caps()?);
    Ok(harness)
}
