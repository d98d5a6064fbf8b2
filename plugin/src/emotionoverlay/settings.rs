//! The properties of the element.

use std::sync::LazyLock;

use gst::glib;
use gst::prelude::*;

use super::label_names;
use super::language::Language;
use crate::stats::Stats;

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

/// The values of the properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) boxes: bool,
    pub(super) labels: bool,
    pub(super) ids: bool,
    pub(super) confidence: bool,
    pub(super) bars: Bars,
    pub(super) timeline: bool,
    pub(super) summary: bool,
    pub(super) render: RenderSettings,
    pub(super) privacy: Privacy,
    pub(super) privacy_hold: gst::ClockTime,
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
            ids: false,
            confidence: true,
            bars: Bars::default(),
            timeline: false,
            summary: false,
            render: RenderSettings::default(),
            privacy: Privacy::default(),
            privacy_hold: gst::ClockTime::SECOND,
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

impl Settings {
    pub(super) fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            let default = Settings::default();
            let flag = |name, nick, blurb, value| {
                glib::ParamSpecBoolean::builder(name)
                    .nick(nick)
                    .blurb(blurb)
                    .default_value(value)
                    .mutable_playing()
                    .build()
            };
            let text = |name, nick, blurb, value| {
                glib::ParamSpecString::builder(name)
                    .nick(nick)
                    .blurb(blurb)
                    .default_value(Some(value))
                    .mutable_playing()
                    .build()
            };
            vec![
                flag(
                    "boxes",
                    "Boxes",
                    "Draw a box around each face, in the colour of its emotion",
                    default.boxes,
                ),
                flag(
                    "labels",
                    "Labels",
                    "Write the emotion of each face above its box, or beside or below it where there is more room",
                    default.labels,
                ),
                flag(
                    "ids",
                    "Ids",
                    "Write the number of the track of each face into its label, where faces are tracked",
                    default.ids,
                ),
                flag(
                    "confidence",
                    "Confidence",
                    "Add the probability of the emotion to the label, in percent",
                    default.confidence,
                ),
                glib::ParamSpecEnum::builder_with_default("bars", default.bars)
                    .nick("Bars")
                    .blurb("Which faces get bars with the probabilities of all emotions")
                    .mutable_playing()
                    .build(),
                flag(
                    "timeline",
                    "Timeline",
                    "Draw a strip with the emotions of the last twelve seconds at each face",
                    default.timeline,
                ),
                flag(
                    "summary",
                    "Summary",
                    "Draw a bar with the number of faces and the share of each emotion",
                    default.summary,
                ),
                glib::ParamSpecEnum::builder_with_default("style", default.render.style)
                    .nick("Style")
                    .blurb("What boxes, labels and bars look like, and where they stand")
                    .mutable_playing()
                    .build(),
                glib::ParamSpecEnum::builder_with_default("language", default.render.language)
                    .nick("Language")
                    .blurb("The language of labels and bars; the metadata stays as it is")
                    .mutable_playing()
                    .build(),
                text(
                    "label-names",
                    "Names of labels",
                    "Other names for some labels, such as happy=joyful,angry=cross; they go before those of the language",
                    default.render.label_names.as_str(),
                ),
                text(
                    "font",
                    "Font",
                    "Font family of labels and bars; the nearest installed one is taken",
                    default.render.font.as_str(),
                ),
                glib::ParamSpecEnum::builder_with_default("privacy", default.privacy)
                    .nick("Privacy")
                    .blurb("How faces are made unrecognisable, in the picture itself; a frame in which that fails is an error and is not shown")
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt64::builder("privacy-hold")
                    .nick("Privacy hold")
                    .blurb("How long the place of a face stays hidden after it was found last, in nanoseconds")
                    .default_value(default.privacy_hold.nseconds())
                    .mutable_playing()
                    .build(),
                Stats::param_spec(),
            ]
        });

        PROPERTIES.as_ref()
    }

    pub(super) fn get(&self, name: &str) -> glib::Value {
        match name {
            "boxes" => self.boxes.to_value(),
            "labels" => self.labels.to_value(),
            "ids" => self.ids.to_value(),
            "confidence" => self.confidence.to_value(),
            "bars" => self.bars.to_value(),
            "timeline" => self.timeline.to_value(),
            "summary" => self.summary.to_value(),
            "style" => self.render.style.to_value(),
            "language" => self.render.language.to_value(),
            "label-names" => self.render.label_names.to_value(),
            "font" => self.render.font.to_value(),
            "privacy" => self.privacy.to_value(),
            "privacy-hold" => self.privacy_hold.nseconds().to_value(),
            name => unreachable!("no property {name}"),
        }
    }

    /// Sets a property; an error says why its value is rejected.
    pub(super) fn set(
        &mut self,
        name: &str,
        value: &glib::Value,
    ) -> Result<(), label_names::Error> {
        const CHECKED: &str = "type checked upstream";
        let text = |default: String| {
            let text = value.get::<Option<String>>().expect(CHECKED);
            text.unwrap_or(default)
        };
        match name {
            "boxes" => self.boxes = value.get().expect(CHECKED),
            "labels" => self.labels = value.get().expect(CHECKED),
            "ids" => self.ids = value.get().expect(CHECKED),
            "confidence" => self.confidence = value.get().expect(CHECKED),
            "bars" => self.bars = value.get().expect(CHECKED),
            "timeline" => self.timeline = value.get().expect(CHECKED),
            "summary" => self.summary = value.get().expect(CHECKED),
            "style" => self.render.style = value.get().expect(CHECKED),
            "language" => self.render.language = value.get().expect(CHECKED),
            "label-names" => {
                let names = text(String::new());
                label_names::parse(&names)?;
                self.render.label_names = names;
            }
            "font" => self.render.font = text(Self::default().render.font),
            "privacy" => self.privacy = value.get().expect(CHECKED),
            "privacy-hold" => {
                self.privacy_hold = gst::ClockTime::from_nseconds(value.get().expect(CHECKED));
            }
            name => unreachable!("no writable property {name}"),
        }
        Ok(())
    }
}
