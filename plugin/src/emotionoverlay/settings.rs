//! The settings of `emotionoverlay`.

use gst::glib;

use super::language::Language;
use crate::face::FaceTypes;

/// Which faces get bars with the probabilities of all emotions.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionOverlayBars")]
#[repr(u32)]
pub enum Bars {
    /// No face.
    #[enum_value(name = "No face", nick = "none")]
    None,
    /// The largest face that has an emotion.
    #[default]
    #[enum_value(name = "The largest face", nick = "largest")]
    Largest,
    /// Every face beside which there is room.
    #[enum_value(name = "Every face beside which there is room", nick = "all")]
    All,
}

/// The design of boxes, labels, bars and the summary.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, glib::Enum)]
#[enum_type(name = "GstEmotionOverlayStyle")]
#[repr(u32)]
pub enum Style {
    /// Round boxes in the colour of the emotion, labels on dark plates.
    #[default]
    #[enum_value(name = "Round boxes in the colour of the emotion", nick = "default")]
    Default,
    /// Thin corners and small letters that hide little of the picture.
    #[enum_value(name = "Thin corners and small letters", nick = "minimal")]
    Minimal,
    /// Bold corners, labels below the face, the summary as a band.
    #[enum_value(
        name = "Bold corners, labels below, the summary as a band",
        nick = "broadcast"
    )]
    Broadcast,
    /// Yellow boxes and letters, bars at the left of the picture.
    #[enum_value(name = "Yellow boxes, bars at the left", nick = "seed")]
    Seed,
}

/// How faces are made unrecognisable.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionOverlayPrivacy")]
#[repr(u32)]
pub enum Privacy {
    /// Not at all.
    #[default]
    #[enum_value(name = "Faces are shown", nick = "none")]
    None,
    /// A smooth blur of a few colours.
    #[enum_value(name = "Faces are blurred", nick = "blur")]
    Blur,
    /// A few large squares.
    #[enum_value(name = "Faces become a few large squares", nick = "pixelate")]
    Pixelate,
    /// A plain dark rectangle.
    #[enum_value(name = "Faces are covered with a plain rectangle", nick = "fill")]
    Fill,
}

/// What happens to a frame of which privacy cannot be sure.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionOverlayPrivacyMissing")]
#[repr(u32)]
pub enum PrivacyMissing {
    /// The element fails.
    #[default]
    #[enum_value(name = "The element fails", nick = "error")]
    Error,
    /// All of the picture is hidden.
    #[enum_value(name = "All of the picture is hidden", nick = "hide-all")]
    HideAll,
    /// Only the faces are hidden whose regions are there.
    #[enum_value(name = "Only the regions that are there are hidden", nick = "show")]
    Show,
}

/// The values of the properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) boxes: bool,
    pub(super) labels: bool,
    pub(super) landmarks: bool,
    pub(super) ids: bool,
    pub(super) confidence: bool,
    pub(super) bars: Bars,
    pub(super) timeline: bool,
    pub(super) summary: bool,
    pub(super) zones: bool,
    pub(super) render: RenderSettings,
    pub(super) privacy: Privacy,
    pub(super) privacy_hold: gst::ClockTime,
    pub(super) privacy_missing: PrivacyMissing,
    pub(super) face_types: FaceTypes,
}

/// The settings that every sprite depends on: a change invalidates all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RenderSettings {
    pub(super) style: Style,
    pub(super) font: String,
    pub(super) language: Language,
    pub(super) label_names: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            boxes: true,
            labels: true,
            landmarks: false,
            ids: false,
            confidence: true,
            bars: Bars::default(),
            timeline: false,
            summary: false,
            zones: false,
            render: RenderSettings::default(),
            privacy: Privacy::default(),
            privacy_hold: gst::ClockTime::SECOND,
            privacy_missing: PrivacyMissing::default(),
            face_types: FaceTypes::default(),
        }
    }
}

impl Default for RenderSettings {
    fn default() -> Self {
        Self {
            style: Style::default(),
            font: "Sans".into(),
            language: Language::default(),
            label_names: String::new(),
        }
    }
}
