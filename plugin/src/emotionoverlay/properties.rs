//! The properties of `emotionoverlay`.

use std::sync::LazyLock;

use gst::glib;
use gst::glib::translate::{FromGlib, IntoGlib};
use gst::prelude::*;

use super::label_names;
use super::settings::{RenderSettings, Settings};
use crate::property::{HasProperties, Property, PropertyTable, property, read, read_time};

impl HasProperties for Settings {
    fn properties() -> &'static PropertyTable<Self> {
        static TABLE: LazyLock<PropertyTable<Settings>> = LazyLock::new(table);

        &TABLE
    }
}

fn flag(name: &str, nick: &str, blurb: &str, default: bool) -> glib::ParamSpec {
    glib::ParamSpecBoolean::builder(name)
        .nick(nick)
        .blurb(blurb)
        .default_value(default)
        .mutable_playing()
        .controllable()
        .build()
}

fn choice<T>(name: &str, nick: &str, blurb: &str, default: T) -> glib::ParamSpec
where
    T: StaticType + FromGlib<i32> + IntoGlib<GlibType = i32>,
{
    glib::ParamSpecEnum::builder_with_default(name, default)
        .nick(nick)
        .blurb(blurb)
        .mutable_playing()
        .controllable()
        .build()
}

fn text(name: &str, nick: &str, blurb: &str, default: &str) -> glib::ParamSpec {
    glib::ParamSpecString::builder(name)
        .nick(nick)
        .blurb(blurb)
        .default_value(default)
        .mutable_playing()
        .build()
}

/// A property that is a field: the kind, name, nick and blurb of its spec, and the field.
macro_rules! row {
    ($kind:ident, $name:literal, $nick:literal, $blurb:literal, $($field:ident).+) => {
        property!(
            $kind($name, $nick, $blurb, Settings::default().$($field).+),
            $($field).+
        )
    };
}

fn table() -> PropertyTable<Settings> {
    let default = Settings::default();
    PropertyTable::new(
        "",
        [
        row!(
            flag,
            "boxes",
            "Boxes",
            "Draw a box around each face, in the colour of its emotion",
            boxes
        ),
        row!(
            flag,
            "labels",
            "Labels",
            "Write the emotion of each face above its box, or beside or below it where there is more room",
            labels
        ),
        row!(
            flag,
            "landmarks",
            "Landmarks",
            "Draw a dot on each eye, the nose and the corners of the mouth, where the detector finds them",
            landmarks
        ),
        row!(
            flag,
            "ids",
            "Ids",
            "Write the number of the track of each face into its label, where faces are tracked",
            ids
        ),
        row!(
            flag,
            "confidence",
            "Confidence",
            "Add the probability of the emotion to the label, in percent",
            confidence
        ),
        row!(
            choice,
            "bars",
            "Bars",
            "Which faces get bars with the probabilities of all emotions",
            bars
        ),
        row!(
            flag,
            "timeline",
            "Timeline",
            "Draw a strip with the emotions of the last twelve seconds at each face",
            timeline
        ),
        row!(
            flag,
            "summary",
            "Summary",
            "Draw a bar with the number of faces and the share of each emotion",
            summary
        ),
        row!(
            flag,
            "zones",
            "Zones",
            "Draw the zones and lines of emotionzones with their counts",
            zones
        ),
        row!(
            choice,
            "style",
            "Style",
            "Design and position of boxes, labels and bars",
            render.style
        ),
        row!(
            choice,
            "language",
            "Language",
            "The language of labels and bars; the metadata stays as it is",
            render.language
        ),
        Property {
            spec: text(
                "label-names",
                "Names of labels",
                "Other names for some labels, such as happy=joyful,angry=cross; they take precedence over those of the language",
                &default.render.label_names,
            ),
            get: |settings| settings.render.label_names.to_value(),
            set: |settings, value| {
                let names: String = read::<Option<_>>(value).unwrap_or_default();
                label_names::parse(&names)?;
                settings.render.label_names = names;
                Ok(())
            },
        },
        Property {
            spec: text(
                "font",
                "Font",
                "Font family of labels and bars; the nearest installed one is taken",
                &default.render.font,
            ),
            get: |settings| settings.render.font.to_value(),
            set: |settings, value| {
                let font: Option<String> = read(value);
                settings.render.font = font.unwrap_or(RenderSettings::default().font);
                Ok(())
            },
        },
        row!(
            choice,
            "privacy",
            "Privacy",
            "How faces are made unrecognisable, in the picture itself; a frame in which that fails is an error and is not shown",
            privacy
        ),
        row!(
            choice,
            "privacy-missing",
            "Privacy where the detector's mark is missing",
            "What privacy does with a frame that no facedetect of this plugin has marked, or whose regions were lost on the way",
            privacy_missing
        ),
        Property {
            spec: glib::ParamSpecUInt64::builder("privacy-hold")
                .nick("Privacy hold")
                .blurb("How long the place of a face stays hidden after it was found last, in nanoseconds")
                .default_value(default.privacy_hold.nseconds())
                .mutable_playing().controllable()
                .build(),
            get: |settings| settings.privacy_hold.nseconds().to_value(),
            set: |settings, value| {
                settings.privacy_hold = read_time(value);
                Ok(())
            },
        },
        #[cfg(feature = "v1_24")]
        Property {
            spec: crate::face::FaceTypes::param_spec(),
            get: |settings| settings.face_types.to_string().to_value(),
            set: |settings, value| {
                settings.face_types = crate::face::FaceTypes::from_value(value);
                Ok(())
            },
        },
    ],
    )
}
