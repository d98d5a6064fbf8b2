//! The properties of `facedetect`.

use std::sync::LazyLock;

use emotion_detect::{Options, track};
use gst::glib;
use gst::prelude::*;

use super::settings::{DetectorKind, PostMessages, Settings};
use crate::property::{HasProperties, Property, PropertyTable, property, read, read_time};

impl HasProperties for Settings {
    fn properties() -> &'static PropertyTable<Self> {
        static TABLE: LazyLock<PropertyTable<Settings>> = LazyLock::new(table);

        &TABLE
    }
}

fn file(name: &str, nick: &str, blurb: &str) -> glib::ParamSpec {
    glib::ParamSpecString::builder(name)
        .nick(nick)
        .blurb(blurb)
        .mutable_ready()
        .build()
}

fn number(name: &str, nick: &str, blurb: &str, default: u32, maximum: u32) -> glib::ParamSpec {
    glib::ParamSpecUInt::builder(name)
        .nick(nick)
        .blurb(blurb)
        .default_value(default)
        .maximum(maximum)
        .mutable_playing()
        .build()
}

fn time(name: &str, nick: &str, blurb: &str, default: std::time::Duration) -> glib::ParamSpec {
    glib::ParamSpecUInt64::builder(name)
        .nick(nick)
        .blurb(blurb)
        .default_value(nanoseconds(default))
        .mutable_playing()
        .build()
}

fn nanoseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn table() -> PropertyTable<Settings> {
    let defaults = Options::default();
    let tracking = track::Options::default();
    PropertyTable::new([
        property!(
            glib::ParamSpecEnum::builder_with_default("detector", DetectorKind::default())
                .nick("Detector")
                .blurb("What finds the faces")
                .mutable_ready()
                .build(),
            detector
        ),
        property!(
            file(
                "model-location",
                "Model location",
                "Weights of the network in safetensors with their metadata; null = the built-in ones",
            ),
            model_location
        ),
        property!(
            file(
                "cascade-file",
                "Cascade file",
                "OpenCV cascade in XML, Haar or LBP, for detector=cascade; null = the frontal face Haar cascade from \
                 where OpenCV's data files are usually installed",
            ),
            cascade_file
        ),
        property!(
            number(
                "min-size",
                "Minimum size",
                "Width or height, whichever is larger, of the smallest face to be found, in pixels; larger is faster; 0 = \
                 what is found surely: 16 pixels of what the network sees, or 30 for a cascade",
                defaults.min_size_px,
                u32::MAX,
            ),
            options.min_size_px
        ),
        property!(
            number(
                "max-size",
                "Maximum size",
                "Width or height, whichever is larger, of the largest face to be found, in pixels; 0 = no limit",
                defaults.max_size_px,
                u32::MAX,
            ),
            options.max_size_px
        ),
        Property {
            spec: number(
                "max-faces",
                "Maximum faces",
                "The number of faces that are kept, the largest ones; 1 = only the largest, 0 = all",
                0,
                u32::MAX,
            ),
            get: |settings| {
                u32::try_from(settings.options.max_faces)
                    .unwrap_or(u32::MAX)
                    .to_value()
            },
            set: |settings, value| {
                settings.options.max_faces = read::<u32>(value) as usize;
                Ok(())
            },
        },
        Property {
            spec: glib::ParamSpecString::builder("region")
                .nick("Region")
                .blurb(
                    "Where faces are looked for, as x,y,width,height: fractions of the frame if none is above 1, else \
                     pixels; null = everywhere",
                )
                .mutable_playing()
                .build(),
            get: |settings| settings.region_text.to_value(),
            set: |settings, value| {
                let text: Option<String> = read(value);
                let text = text.filter(|text| !text.trim().is_empty());
                settings.region = text.as_deref().map(str::parse).transpose()?;
                settings.region_text = text;
                Ok(())
            },
        },
        property!(
            glib::ParamSpecFloat::builder("threshold")
                .nick("Threshold")
                .blurb(
                    "Confidence from which the network takes something for a face; larger means fewer false faces and \
                     more missed ones",
                )
                .minimum(0.0)
                .maximum(1.0)
                .default_value(defaults.threshold)
                .mutable_playing()
                .build(),
            options.threshold
        ),
        property!(
            number(
                "detection-size",
                "Detection size",
                "Longer side of what the network sees of a frame at most, in pixels; larger frames are reduced to it. \
                 Smaller is faster, and small faces are missed; 0 = chosen by the frame's size and min-size",
                defaults.detection_size_px,
                // The memory that the network needs grows with its square.
                4096,
            ),
            options.detection_size_px
        ),
        property!(
            number(
                "tiles",
                "Tiles",
                "Overlapping tiles along the longer side of the frame, each of which the network sees besides the whole, \
                 for small faces in very large frames; 0 = none",
                defaults.tiles,
                64,
            ),
            options.tiles
        ),
        property!(
            glib::ParamSpecDouble::builder("scale-factor")
                .nick("Scale factor")
                .blurb(
                    "Of a cascade: ratio of one searched face size to the next; larger is faster and finds fewer faces",
                )
                .minimum(1.01)
                .maximum(10.0)
                .default_value(defaults.scale_factor)
                .mutable_playing()
                .build(),
            options.scale_factor
        ),
        property!(
            number(
                "min-neighbors",
                "Minimum neighbours",
                "Of a cascade: a face is where more than this many neighbouring search windows agree; larger means fewer \
                 false faces and more missed ones",
                defaults.min_neighbors,
                1000,
            ),
            options.min_neighbors
        ),
        property!(
            glib::ParamSpecUInt::builder("threads")
                .nick("Threads")
                .blurb(
                    "Threads for one frame, set at the start. OpenCV has one such number for the whole process, which 0 \
                     leaves as it is; the network takes 0 for one per processor core",
                )
                .default_value(Settings::default().threads)
                .maximum(1024)
                .mutable_ready()
                .build(),
            threads
        ),
        property!(
            glib::ParamSpecBoolean::builder("tracking")
                .nick("Tracking")
                .blurb(
                    "Follow faces from frame to frame and give each an id that stays; without it every frame is searched \
                     by itself",
                )
                .default_value(true)
                .mutable_ready()
                .build(),
            is_tracking
        ),
        Property {
            spec: glib::ParamSpecString::builder("detection-interval")
                .nick("Detection interval")
                .blurb(
                    "When to detect, while tracks carry the faces: on one of so many frames (1 = every), after a time such \
                     as 200ms, or auto: the more often the more the picture changes, and not at all while it does not",
                )
                .default_value(Some(tracking.interval.to_string().as_str()))
                .mutable_playing()
                .build(),
            get: |settings| settings.tracking.interval.to_string().to_value(),
            set: |settings, value| {
                let text: Option<String> = read(value);
                let interval = text.map(|text| text.parse()).transpose()?;
                settings.tracking.interval = interval.unwrap_or_default();
                Ok(())
            },
        },
        Property {
            spec: time(
                "max-lost",
                "Longest loss",
                "How long a face stays on the frames that is searched and not found, in nanoseconds",
                tracking.max_lost,
            ),
            get: |settings| nanoseconds(settings.tracking.max_lost).to_value(),
            set: |settings, value| {
                settings.tracking.max_lost = read_time(value).into();
                Ok(())
            },
        },
        Property {
            spec: time(
                "reattach",
                "Reattach",
                "How long after that it keeps its id if it comes back, in nanoseconds; 0 = never",
                tracking.reattach,
            ),
            get: |settings| nanoseconds(settings.tracking.reattach).to_value(),
            set: |settings, value| {
                settings.tracking.reattach = read_time(value).into();
                Ok(())
            },
        },
        property!(
            glib::ParamSpecUInt::builder("min-hits")
                .nick("Minimum hits")
                .blurb(
                    "How often a face must be found until it counts; those of a scene's first frame count at once",
                )
                .minimum(1)
                .default_value(tracking.min_hits)
                .mutable_playing()
                .build(),
            tracking.min_hits
        ),
        property!(
            glib::ParamSpecBoolean::builder("asynchronous")
                .nick("Asynchronous")
                .blurb(
                    "Detect in a thread on the newest frame, while tracks carry the faces: no frame waits. Needs tracking",
                )
                .mutable_ready()
                .build(),
            is_asynchronous
        ),
        property!(
            glib::ParamSpecEnum::builder_with_default("post-messages", PostMessages::default())
                .nick("Post messages")
                .blurb("Which element messages to post on the bus")
                .mutable_playing()
                .build(),
            post_messages
        ),
        property!(
            glib::ParamSpecEnum::builder_with_default("notify", PostMessages::default())
                .nick("Notify")
                .blurb("Deprecated: use post-messages")
                .mutable_playing()
                .deprecated()
                .build(),
            post_messages
        ),
    ])
}
