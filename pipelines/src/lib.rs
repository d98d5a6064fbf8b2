//! Programs made of the emotion elements.
//!
//! Each program is a thin `main` over the modules here. They link the plugin in and register it themselves, so that they run
//! without an installed plugin, and they describe their pipelines as `gst-launch-1.0` takes them ([`launch_line::LaunchLine`]): what a program
//! does can be printed, pasted into a shell and changed there.

pub mod camera;
pub mod clip;
pub mod crowd;
pub mod demo;
pub mod encoding_profile;
pub mod launch_line;
pub mod runner;
pub mod tag;
pub mod window;

/// Starts GStreamer and registers the emotion elements of this build.
///
/// From then on they win over elements of the same name from other plugins, GStreamer's own `facedetect` for one.
///
/// # Errors
///
/// When GStreamer cannot start or refuses the plugin.
pub fn init() -> anyhow::Result<()> {
    use anyhow::Context as _;

    gst::init().context("GStreamer does not start")?;
    gstemotion::plugin_register_static().context("GStreamer refuses the emotion plugin")
}
