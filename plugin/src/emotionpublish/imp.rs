//! # `SECTION:element-emotionpublish`
//!
//! Writes one line of JSON for each frame: its times, its size, and its faces with their boxes, emotions and
//! probabilities. The picture passes through untouched, whatever its format.
//!
//! A file grows as `LOCATION.part` and is renamed to `LOCATION` when the stream ends or the pipeline is stopped, so that
//! a file under its own name is whole. Every line is written at once: follow a live stream with
//! `tail -f LOCATION.part`. Standard output (`-`), pipes and devices are written directly; opening a pipe waits for its
//! reader, and a slow reader slows the stream down.
//!
//! ## Example pipelines
//!
//! ```sh
//! gst-launch-1.0 filesrc location=talk.mp4 ! decodebin ! facedetect ! emotionclassify ! \
//!     emotionpublish location=talk.jsonl ! fakesink
//! ```
//!
//! A camera, into another program:
//!
//! ```sh
//! gst-launch-1.0 -q v4l2src ! facedetect ! emotionclassify ! emotionpublish location=- wall-clock=true ! fakesink | \
//!     jq -c '[.wall_clock, .faces[].emotion]'
//! ```

use std::sync::{LazyLock, Mutex};
use std::time::Instant;

use gst::glib;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;
use gst_video::VideoInfo;

use super::writer::{self, Writer};
use crate::face;
use crate::record::{Record, Times};
use crate::stats::Stats;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "emotionpublish",
        gst::DebugColorFlags::empty(),
        Some("Publishing of faces and emotions"),
    )
});

#[derive(Debug, Clone, Default)]
struct Settings {
    location: Option<String>,
    wall_clock: bool,
}

#[derive(Debug, Default)]
struct State {
    info: Option<VideoInfo>,
    /// None before the start and after an error.
    writer: Option<Writer>,
}

/// The implementation of [`super::EmotionPublish`].
#[derive(Default)]
pub struct EmotionPublish {
    settings: Mutex<Settings>,
    state: Mutex<State>,
    stats: Mutex<Stats>,
}

impl EmotionPublish {
    fn record(&self, buffer: &gst::BufferRef, info: &VideoInfo) -> Record {
        let segment = self.obj().segment();
        let segment = segment.downcast_ref::<gst::ClockTime>();
        let wall_clock = self.settings.lock().unwrap().wall_clock;
        let times = Times {
            stream: segment.and_then(|segment| segment.to_stream_time(buffer.pts())),
            running: segment.and_then(|segment| segment.to_running_time(buffer.pts())),
            wall_clock: wall_clock.then(now),
        };
        Record::new(times, info.width(), info.height(), &face::faces(buffer))
    }

    /// Gives the file its name, when the stream or the work ends.
    fn publish(&self) -> Result<(), writer::Error> {
        let mut state = self.state.lock().unwrap();
        let result = state.writer.as_mut().map_or(Ok(()), Writer::publish);
        if result.is_err() {
            state.writer = None;
        }
        result
    }
}

fn now() -> String {
    glib::DateTime::now_utc()
        .and_then(|now| now.format("%Y-%m-%dT%H:%M:%S.%fZ"))
        .map(String::from)
        .expect("the year has four digits")
}

#[glib::object_subclass]
impl ObjectSubclass for EmotionPublish {
    const NAME: &'static str = "GstEmotionPublish";
    type Type = super::EmotionPublish;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for EmotionPublish {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            vec![
                glib::ParamSpecString::builder("location")
                    .nick("Location")
                    .blurb("File, pipe or device that the records go to; - = standard output")
                    .mutable_ready()
                    .build(),
                glib::ParamSpecBoolean::builder("wall-clock")
                    .nick("Wall clock")
                    .blurb("Add the computer's clock to each record, RFC 3339 in UTC")
                    .mutable_playing()
                    .build(),
                Stats::param_spec(),
            ]
        });

        PROPERTIES.as_ref()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let mut settings = self.settings.lock().unwrap();
        match pspec.name() {
            "location" => settings.location = value.get().expect("type checked upstream"),
            "wall-clock" => settings.wall_clock = value.get().expect("type checked upstream"),
            name => unreachable!("no writable property {name}"),
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let settings = self.settings.lock().unwrap();
        match pspec.name() {
            "location" => settings.location.to_value(),
            "wall-clock" => settings.wall_clock.to_value(),
            "stats" => self.stats.lock().unwrap().to_structure().to_value(),
            name => unreachable!("no property {name}"),
        }
    }
}

impl GstObjectImpl for EmotionPublish {}

impl ElementImpl for EmotionPublish {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::with_additional(
                "Emotion publisher",
                "Filter/Metadata/Video",
                "Writes the faces and emotions of each frame as a line of JSON",
                env!("CARGO_PKG_AUTHORS"),
                &[(
                    "example",
                    "gst-launch-1.0 filesrc location=talk.mp4 ! decodebin ! facedetect ! emotionclassify ! emotionpublish location=talk.jsonl ! fakesink",
                )],
            )
        });

        Some(&*METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static PAD_TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let caps = gst::Caps::builder("video/x-raw").any_features().build();
            [
                ("sink", gst::PadDirection::Sink),
                ("src", gst::PadDirection::Src),
            ]
            .map(|(name, direction)| {
                gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &caps)
                    .expect("a name and caps make a template")
            })
            .into()
        });

        PAD_TEMPLATES.as_ref()
    }
}

impl BaseTransformImpl for EmotionPublish {
    const MODE: BaseTransformMode = BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = true;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = true;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let location = self.settings.lock().unwrap().location.clone();
        let location = location
            .filter(|location| !location.is_empty())
            .ok_or_else(|| {
                gst::error_msg!(
                    gst::ResourceError::Settings,
                    ("No location to write to: set location to a path, or to - for standard output")
                )
            })?;
        gst::info!(CAT, imp = self, "Opening {location}");
        let writer = Writer::open(&location)
            .map_err(|error| gst::error_msg!(gst::ResourceError::OpenWrite, ("{error}")))?;
        *self.state.lock().unwrap() = State {
            info: None,
            writer: Some(writer),
        };
        *self.stats.lock().unwrap() = Stats::default();
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let published = self.publish();
        *self.state.lock().unwrap() = State::default();
        published.map_err(|error| gst::error_msg!(gst::ResourceError::Write, ("{error}")))
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = VideoInfo::from_caps(incaps)
            .map_err(|error| gst::loggable_error!(CAT, "{incaps}: {error}"))?;
        self.state.lock().unwrap().info = Some(info);
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        if event.type_() == gst::EventType::Eos
            && let Err(error) = self.publish()
        {
            gst::element_imp_error!(self, gst::ResourceError::Write, ("{error}"));
        }
        self.parent_sink_event(event)
    }

    fn transform_ip_passthrough(
        &self,
        buffer: &gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let started = Instant::now();
        let mut state = self.state.lock().unwrap();
        let State { info, writer } = &mut *state;
        let info = info.as_ref().ok_or(gst::FlowError::NotNegotiated)?;
        // After an error, which has been posted.
        let open = writer.as_mut().ok_or(gst::FlowError::Error)?;

        let record = self.record(buffer, info);
        if let Err(error) = open.write(&record) {
            *writer = None;
            gst::element_imp_error!(self, gst::ResourceError::Write, ("{error}"));
            return Err(gst::FlowError::Error);
        }
        self.stats
            .lock()
            .unwrap()
            .add_analysed(record.faces.len(), started.elapsed());
        gst::log!(
            CAT,
            imp = self,
            "{} faces in {}",
            record.faces.len(),
            buffer.pts().display()
        );
        Ok(gst::FlowSuccess::Ok)
    }
}
