//! Programs built from the emotion elements: `emotion-tag`, `emotion-crowd` and `emotion-demo`.
//!
//! Each program is a thin `main` over the modules here. The programs link the plugin and register it themselves, so they
//! run without an installed plugin. They describe their pipelines in the syntax of `gst-launch-1.0`
//! ([`launch_line::LaunchLine`]), so a pipeline can be printed, pasted into a shell and changed there.

pub mod archive;
pub mod baseline;
pub mod camera;
pub mod camera_mode;
pub mod cli;
pub mod clip;
pub mod crowd;
pub mod decoders;
pub mod demo;
pub mod encoding_profile;
mod html_page;
pub mod launch_line;
pub mod parquet_table;
pub mod runner;
pub mod shard;
pub mod tag;
pub mod trace;
pub mod window;

/// Initialises GStreamer and registers the emotion elements of this build.
///
/// They take precedence over elements of the same name from other plugins, such as GStreamer's own `facedetect`.
///
/// # Errors
///
/// If GStreamer cannot be initialised or rejects the plugin.
pub fn init() -> anyhow::Result<()> {
    use anyhow::Context as _;

    gst::init().context("GStreamer cannot be initialised")?;
    gstemotion::plugin_register_static().context("GStreamer rejects the emotion plugin")
}
