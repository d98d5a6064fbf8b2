//! The properties of `emotionzones`.

use std::sync::LazyLock;
use std::time::Duration;

use emotion_analysis::zones::{ZoneLayout, ZoneOptions};
use gst::glib;
use gst::prelude::*;

use super::messages::ZoneMessages;
use crate::face::FaceTypes;
use crate::property::{HasProperties, PropertyTable, Rejection, property, read};

/// The longest time that can be set.
const MAX_TIME: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// All zones and lines: those that were written, and those of the file.
    pub(super) layout: ZoneLayout,
    /// The zones that were written.
    zones: String,
    /// The lines that were written.
    lines: String,
    /// The file with more of them.
    location: Option<String>,
    of_file: ZoneLayout,
    pub(super) options: ZoneOptions,
    pub(super) messages: ZoneMessages,
    pub(super) face_types: FaceTypes,
}

impl Settings {
    /// Takes new texts of zones and lines; `name` is the property that brings one.
    fn set_layout(&mut self, name: &str, zones: String, lines: String) -> Result<(), Rejection> {
        let layout = ZoneLayout::parse(&zones, &lines);
        let layout = layout.and_then(|written| written.with(self.of_file.clone()));
        self.layout = layout.map_err(|error| format!("{name}: {error}"))?;
        (self.zones, self.lines) = (zones, lines);
        Ok(())
    }

    /// Reads the file at `location`.
    fn set_location(&mut self, location: Option<String>) -> Result<(), Rejection> {
        let location = location.filter(|location| !location.is_empty());
        let of_file = match &location {
            None => ZoneLayout::default(),
            Some(path) => {
                let error = |error: &dyn std::fmt::Display| format!("location: {path}: {error}");
                let text = std::fs::read_to_string(path).map_err(|found| error(&found))?;
                ZoneLayout::parse_file(&text).map_err(|found| error(&found))?
            }
        };
        let written = ZoneLayout::parse(&self.zones, &self.lines)?;
        self.layout = written
            .with(of_file.clone())
            .map_err(|error| format!("location: {error}"))?;
        (self.location, self.of_file) = (location, of_file);
        Ok(())
    }
}

impl HasProperties for Settings {
    fn properties() -> &'static PropertyTable<Self> {
        static TABLE: LazyLock<PropertyTable<Settings>> = LazyLock::new(table);

        &TABLE
    }
}

fn text(value: &glib::Value) -> String {
    read::<Option<String>>(value).unwrap_or_default()
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn table() -> PropertyTable<Settings> {
    let defaults = ZoneOptions::default();
    PropertyTable::new(
        "",
        [
            property!(
                glib::ParamSpecString::builder("zones")
                    .default_value("")
                    .mutable_playing(),
                "Zones",
                "Polygons in fractions of the frame, as NAME=X,Y X,Y X,Y …, several separated by semicolons; limit=PEOPLE behind \
                 the corners sets how many may be in the zone: hall=0,0.5 0.6,0.5 0.6,1 0,1 limit=20",
                |settings| settings.zones.to_value(),
                |settings, value| settings.set_layout("zones", text(value), settings.lines.clone())
            ),
            property!(
                glib::ParamSpecString::builder("lines")
                    .default_value("")
                    .mutable_playing(),
                "Lines",
                "Lines in fractions of the frame, as NAME=X,Y X,Y, several separated by semicolons; who crosses one to the right, \
                 seen from its first to its second point, goes in, the others go out; in=NAME and out=NAME give the directions \
                 other names: door=0.5,0.2 0.5,0.9 in=entering out=leaving",
                |settings| settings.lines.to_value(),
                |settings, value| settings.set_layout("lines", settings.zones.clone(), text(value))
            ),
            property!(
                glib::ParamSpecString::builder("location").mutable_playing(),
                "Location",
                "File with more zones and lines, one in each line: zone NAME=X,Y X,Y X,Y …, or line NAME=X,Y X,Y, with the rest as in \
                 zones and lines; # begins a comment; it is read when this is set",
                |settings| settings.location.to_value(),
                |settings, value| settings.set_location(read(value))
            ),
            property!(
                glib::ParamSpecUInt64::builder("max-absence")
                    .maximum(nanoseconds(MAX_TIME))
                    .default_value(nanoseconds(defaults.max_absence))
                    .mutable_playing()
                    .controllable(),
                "Longest absence",
                "Who is not seen for longer has left a zone, at the time at which the face was last found, in nanoseconds",
                |settings| nanoseconds(settings.options.max_absence).to_value(),
                |settings, value| {
                    settings.options.max_absence = Duration::from_nanos(read(value));
                    Ok(())
                }
            ),
            property!(
                glib::ParamSpecUInt64::builder("emotion-window")
                    .maximum(nanoseconds(MAX_TIME))
                    .default_value(nanoseconds(defaults.emotion_window))
                    .mutable_playing()
                    .controllable(),
                "Emotion window",
                "How far back the shares of the emotions in a zone look, in nanoseconds",
                |settings| nanoseconds(settings.options.emotion_window).to_value(),
                |settings, value| {
                    settings.options.emotion_window = Duration::from_nanos(read(value));
                    Ok(())
                }
            ),
            property!(
                glib::ParamSpecEnum::builder_with_default("post-messages", ZoneMessages::default())
                    .mutable_playing()
                    .controllable(),
                "Post messages",
                "Which element messages to post on the bus",
                messages
            ),
            #[cfg(feature = "v1_24")]
            crate::property::Property {
                spec: FaceTypes::param_spec(),
                get: |settings| settings.face_types.to_string().to_value(),
                set: |settings, value| {
                    settings.face_types = FaceTypes::from_value(value);
                    Ok(())
                },
            },
        ],
    )
}
