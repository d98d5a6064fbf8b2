//! GStreamer elements that find faces, classify their emotions, count people in zones, draw and publish them.
//!
//! The elements know each other only through the metadata of [`face`], one region of interest for each face, and of [`zones`]. Any element
//! may therefore be left out, replaced by another that writes regions of interest of type `face`, or moved behind a
//! conversion.

#[cfg(feature = "v1_24")]
mod analytics;
mod analyzer;
pub mod back_off;
pub mod broker;
mod bus;
pub mod emotionclassify;
pub mod emotionoverlay;
pub mod emotionpublish;
pub mod emotionzones;
pub mod face;
pub mod facedetect;
pub mod facedetect_alias;
mod foreign;
pub mod frame_time;
pub mod kafka;
mod lateness;
pub mod luma;
pub mod mqtt;
mod network_info;
mod pads;
mod pixels;
mod precision;
mod property;
pub mod record;
mod stats;
mod work_latency;
pub mod zones;

use gst::glib;

fn plugin_init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    facedetect::register(plugin)?;
    facedetect_alias::register(plugin)?;
    emotionclassify::register(plugin)?;
    emotionzones::register(plugin)?;
    emotionoverlay::register(plugin)?;
    emotionpublish::register(plugin)?;
    Ok(())
}

/// Registers the elements in the calling process, for a program that links this crate instead of installing the
/// plugin. Call it once, after `gst::init`.
///
/// # Errors
/// If GStreamer refuses the plugin.
pub use definition::plugin_register_static;

// The macro's items carry neither documentation nor safety comments.
#[allow(missing_docs, clippy::undocumented_unsafe_blocks)]
mod definition {
    use super::plugin_init;

    gst::plugin_define!(
        emotion,
        env!("CARGO_PKG_DESCRIPTION"),
        plugin_init,
        concat!(env!("CARGO_PKG_VERSION"), "-", env!("COMMIT_ID")),
        "MIT/X11",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_REPOSITORY"),
        env!("BUILD_REL_DATE")
    );
}
