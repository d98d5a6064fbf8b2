//! The properties of `facedetect`.

use std::sync::LazyLock;
use std::time::Duration;

use emotion_detect::{Options, track};
use gst::glib::{
    ParamSpecBoolean, ParamSpecDouble, ParamSpecEnum, ParamSpecFloat, ParamSpecString,
    ParamSpecUInt, ParamSpecUInt64,
};
use gst::prelude::*;

use super::settings::{DetectorKind, PostMessages, Settings};
use crate::precision::PrecisionChoice;
use crate::property::{HasProperties, PropertyTable, property, read, read_time};

impl HasProperties for Settings {
    fn properties() -> &'static PropertyTable<Self> {
        static TABLE: LazyLock<PropertyTable<Settings>> = LazyLock::new(table);

        &TABLE
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn table() -> PropertyTable<Settings> {
    let defaults = Options::default();
    let tracking = track::Options::default();
    let interval = tracking.interval.to_string();
    let file = |name| ParamSpecString::builder(name).mutable_ready();
    let number = |name, default| {
        let builder = ParamSpecUInt::builder(name).default_value(default);
        builder.mutable_playing().controllable()
    };
    let time = |name, default| {
        let builder = ParamSpecUInt64::builder(name).default_value(nanoseconds(default));
        builder.mutable_playing().controllable()
    };
    let messages = |name| {
        ParamSpecEnum::builder_with_default(name, PostMessages::default())
            .mutable_playing()
            .controllable()
    };
    PropertyTable::new(
        "; with tracking also detections (of whole frames), tracks, detection-mean-time and detection-p99-time; while a network is loaded also arithmetic, model and weights-id (strings)",
        [
            property!(
                ParamSpecEnum::builder_with_default("detector", DetectorKind::default())
                    .mutable_ready(),
                "Detector",
                "What finds the faces",
                detector,
            ),
            property!(
                file("model-location"),
                "Model location",
                "Weights of the network in safetensors with their metadata; null = the built-in ones",
                model_location,
            ),
            property!(
                ParamSpecEnum::builder_with_default("precision", PrecisionChoice::default())
                    .mutable_ready(),
                "Precision",
                "The numbers in which the network multiplies",
                precision,
            ),
            property!(
                file("cascade-file"),
                "Cascade file",
                "OpenCV cascade in XML, Haar or LBP, for detector=cascade; null = the frontal face Haar cascade from where \
             OpenCV's data files are usually installed",
                cascade_file,
            ),
            property!(
                number("min-size", defaults.min_size_px),
                "Minimum size",
                "Width or height, whichever is larger, of the smallest face to be found, in pixels; larger is faster; 0 = \
             what is found surely: 16 pixels of what the network sees, or 30 for a cascade",
                options.min_size_px,
            ),
            property!(
                number("max-size", defaults.max_size_px),
                "Maximum size",
                "Width or height, whichever is larger, of the largest face to be found, in pixels; 0 = no limit",
                options.max_size_px,
            ),
            property!(
                number("max-faces", 0),
                "Maximum faces",
                "The number of faces that are kept, the largest ones; 1 = only the largest, 0 = all",
                |settings| {
                    let faces = u32::try_from(settings.options.max_faces);
                    faces.unwrap_or(u32::MAX).to_value()
                },
                |settings, value| {
                    settings.options.max_faces = read::<u32>(value) as usize;
                    Ok(())
                },
            ),
            property!(
                ParamSpecString::builder("region").mutable_playing(),
                "Region",
                "Where faces are looked for, as x,y,width,height: fractions of the frame if none is above 1, else pixels; \
             null = everywhere",
                |settings| settings.region_text.to_value(),
                |settings, value| {
                    let text: Option<String> = read(value);
                    let text = text.filter(|text| !text.trim().is_empty());
                    settings.region = text.as_deref().map(str::parse).transpose()?;
                    settings.region_text = text;
                    Ok(())
                },
            ),
            property!(
                ParamSpecFloat::builder("threshold")
                    .minimum(0.0)
                    .maximum(1.0)
                    .default_value(defaults.threshold)
                    .mutable_playing()
                    .controllable(),
                "Threshold",
                "Confidence from which the network takes something for a face; larger means fewer false faces and more \
             missed ones",
                options.threshold,
            ),
            property!(
                // The memory that the network needs grows with its square.
                number("detection-size", defaults.detection_size_px).maximum(4096),
                "Detection size",
                "Longer side of what the network sees of a frame at most, in pixels; larger frames are reduced to it. \
             Smaller is faster, and small faces are missed; 0 = chosen by the frame's size and min-size",
                options.detection_size_px,
            ),
            property!(
                number("tiles", defaults.tiles).maximum(64),
                "Tiles",
                "Overlapping tiles along the longer side of the frame, each of which the network sees besides the whole, \
             for small faces in very large frames; 1 = none, 0 = chosen by the frame's size, with tracking and \
             detection-size=0, and only while faces are small and every two seconds",
                options.tiles,
            ),
            property!(
                ParamSpecDouble::builder("scale-factor")
                    .minimum(1.01)
                    .maximum(10.0)
                    .default_value(defaults.scale_factor)
                    .mutable_playing()
                    .controllable(),
                "Scale factor",
                "Of a cascade: ratio of one searched face size to the next; larger is faster and finds fewer faces",
                options.scale_factor,
            ),
            property!(
                number("min-neighbors", defaults.min_neighbors).maximum(1000),
                "Minimum neighbours",
                "Of a cascade: a face is where more than this many neighbouring search windows agree; larger means fewer \
             false faces and more missed ones",
                options.min_neighbors,
            ),
            property!(
                ParamSpecUInt::builder("threads")
                    .default_value(Settings::default().threads)
                    .maximum(1024)
                    .mutable_ready(),
                "Threads",
                "Threads for one frame, set at the start. OpenCV has one such number for the whole process, which 0 leaves \
             as it is; the network takes 0 for one per processor core",
                threads,
            ),
            property!(
                ParamSpecBoolean::builder("tracking")
                    .default_value(true)
                    .mutable_ready(),
                "Tracking",
                "Follow faces from frame to frame and give each an id that stays; without it every frame is searched by \
             itself",
                is_tracking,
            ),
            property!(
                ParamSpecString::builder("detection-interval")
                    .default_value(Some(interval.as_str()))
                    .mutable_playing(),
                "Detection interval",
                "When to detect, while tracks carry the faces: on one of so many frames (1 = every), after a time such as \
             200ms, or auto: the more often the more the picture changes, and not at all while it does not",
                |settings| settings.tracking.interval.to_string().to_value(),
                |settings, value| {
                    let text: Option<String> = read(value);
                    let interval = text.map(|text| text.parse()).transpose()?;
                    settings.tracking.interval = interval.unwrap_or_default();
                    Ok(())
                },
            ),
            property!(
                time("max-lost", tracking.max_lost),
                "Longest loss",
                "How long a face stays on the frames that is searched and not found, in nanoseconds",
                |settings| nanoseconds(settings.tracking.max_lost).to_value(),
                |settings, value| {
                    settings.tracking.max_lost = read_time(value).into();
                    Ok(())
                },
            ),
            property!(
                time("reattach", tracking.reattach),
                "Reattach",
                "How long after that it keeps its id if it comes back, in nanoseconds; 0 = never",
                |settings| nanoseconds(settings.tracking.reattach).to_value(),
                |settings, value| {
                    settings.tracking.reattach = read_time(value).into();
                    Ok(())
                },
            ),
            property!(
                number("min-hits", tracking.min_hits).minimum(1),
                "Minimum hits",
                "How often a face must be found until it counts; those of a scene's first frame count at once",
                tracking.min_hits,
            ),
            property!(
                ParamSpecBoolean::builder("asynchronous").mutable_ready(),
                "Asynchronous",
                "Detect in a thread on the newest frame, while tracks carry the faces: no frame waits. Needs tracking",
                is_asynchronous,
            ),
            property!(
                ParamSpecBoolean::builder("skip-late")
                    .default_value(true)
                    .mutable_playing()
                    .controllable(),
                "Skip late frames",
                "Do not detect on frames that would reach the sink too late, but for one a second and the first of a scene; their \
             faces are followed. Each is told by a QoS message",
                skips_late,
            ),
            property!(
                messages("post-messages"),
                "Post messages",
                "Which element messages to post on the bus",
                post_messages,
            ),
            property!(
                messages("notify").deprecated(),
                "Notify",
                "Deprecated: use post-messages",
                post_messages,
            ),
        ],
    )
}
