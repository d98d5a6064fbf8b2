//! Which decoders are used.

use gst::prelude::*;
use serde::{Deserialize, Serialize};

/// Which decoders are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Decoders {
    /// Those that GStreamer prefers: of the hardware, where there are some
    #[default]
    Auto,
    /// Of software alone: they give the same pictures on all machines
    Software,
}

impl Decoders {
    /// Sets up a `decodebin` or `uridecodebin`.
    pub(crate) fn set_up(self, decodebin: &gst::Element) {
        decodebin.set_property("force-sw-decoders", self == Self::Software);
    }
}
