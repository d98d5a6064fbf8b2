//! The settings of `facedetect`.

use emotion_detect::{Options, track};
use gst::glib;

use super::region::RegionSetting;
use crate::pixels::PixelGrid;
use crate::precision::PrecisionChoice;

/// What finds the faces.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionFaceDetector")]
#[repr(u32)]
pub enum DetectorKind {
    /// This plugin's own.
    #[default]
    #[enum_value(name = "The plugin's own network", nick = "network")]
    Network,
    /// OpenCV's.
    #[enum_value(name = "A cascade of OpenCV, Haar or LBP", nick = "cascade")]
    Cascade,
}

/// Which messages the element posts on the bus.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionFaceNotify")]
#[repr(u32)]
pub enum PostMessages {
    /// No messages.
    #[default]
    #[enum_value(name = "None", nick = "none")]
    None,
    /// `face-appeared`, `face-lost` and `faces-changed`.
    #[enum_value(name = "When faces come and go", nick = "change")]
    Change,
    /// These, and `faces` with all of them.
    #[enum_value(name = "The faces of every frame as well", nick = "frame")]
    Frame,
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) detector: DetectorKind,
    pub(super) model_location: Option<String>,
    pub(super) precision: PrecisionChoice,
    pub(super) cascade_file: Option<String>,
    pub(super) threads: u32,
    /// Without the region; [`options_for`](Self::options_for) adds it.
    pub(super) options: Options,
    pub(super) region: Option<RegionSetting>,
    /// The value of the property `region`.
    pub(super) region_text: Option<String>,
    pub(super) is_tracking: bool,
    pub(super) is_asynchronous: bool,
    pub(super) skips_late: bool,
    pub(super) tracking: track::Options,
    pub(super) post_messages: PostMessages,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            detector: DetectorKind::default(),
            model_location: None,
            precision: PrecisionChoice::default(),
            cascade_file: None,
            threads: 1,
            options: Options::default(),
            region: None,
            region_text: None,
            is_tracking: true,
            is_asynchronous: false,
            skips_late: true,
            tracking: track::Options::default(),
            post_messages: PostMessages::default(),
        }
    }
}

impl Settings {
    /// Whether no frame waits for a detection.
    pub(super) fn searches_in_background(&self) -> bool {
        self.is_asynchronous && self.is_tracking
    }

    /// Settings that have no effect with the chosen detector or mode, with the remedy for each.
    pub(super) fn ignored(&self) -> impl Iterator<Item = &'static str> {
        let file = match self.detector {
            DetectorKind::Network if self.cascade_file.is_some() => Some(
                "the network does not use cascade-file: set detector=cascade for the cascade, or unset cascade-file",
            ),
            DetectorKind::Cascade if self.model_location.is_some() => Some(
                "a cascade does not use model-location: set detector=network for the network, or unset model-location",
            ),
            _ => None,
        };
        let mode = (self.is_asynchronous && !self.is_tracking).then_some(
            "asynchronous needs tracking, which carries the faces meanwhile; detecting on each frame instead",
        );
        file.into_iter().chain(mode)
    }

    /// The detection options for frames in the square pixels of `grid`.
    pub(super) fn options_for(&self, grid: &PixelGrid) -> Options {
        let (width, height) = grid.frame();
        let region = |region: RegionSetting| {
            grid.to_square(region.in_frame(width as usize, height as usize))
        };
        Options {
            region: self.region.map(region),
            ..self.options
        }
    }
}
