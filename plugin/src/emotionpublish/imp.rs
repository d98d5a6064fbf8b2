//! # `SECTION:element-emotionpublish`
//!
//! Writes a record for each frame: its times, its size, and its faces with their boxes, emotions and probabilities, as a
//! line of JSON or as lines of CSV, into a file, to an MQTT broker or to a Kafka cluster. The picture passes through untouched, whatever its
//! format. `interval` and `include=changes` leave out frames. Behind `emotionzones`, lines of JSON also have the counts of
//! zones and lines.
//!
//! A file grows as `LOCATION.part` and is renamed to `LOCATION` when the stream ends, so that a file under its own name is
//! whole. A pipeline that is stopped before, or fails, does the same if there is no earlier file of that name; else the
//! earlier one stays, and a warning names the `.part`. End a live stream with `gst-launch-1.0 -e`. Every line is written at once: follow a live stream with
//! `tail -f LOCATION.part`. Standard output (`-`), pipes and devices are written directly; opening a pipe waits for its
//! reader, and a slow reader slows the stream down.
//!
//! With `method=mqtt` each record is a message of its own, JSON without a line break, with quality of service 1. The
//! stream never waits for the broker: while it is away records queue up, at most `queue-size`, and then the oldest make
//! room. The element posts a warning, connects again by itself, and counts in `stats`: `sent`, `queued`, `dropped`,
//! `reconnects`, `connected`. When the pipeline is stopped it waits up to three seconds for the last
//! acknowledgements.
//!
//! `method=kafka`, in builds with the cargo feature `kafka`, does the same with a Kafka cluster: `address=kafka://HOST,HOST`, or
//! `kafkas://` for TLS. `source` is the key of the messages, so that the records of one stream stay in their order. With
//! `username` and `password` the element logs in as `sasl-mechanism` says. Records that the cluster refuses, for example because there is no
//! such topic, are dropped with a warning.
//!
//! ## Example pipelines
//!
//! ```sh
//! gst-launch-1.0 -e filesrc location=talk.mp4 ! decodebin ! facedetect ! emotionclassify ! \
//!     emotionpublish location=talk.jsonl ! fakesink
//! ```
//!
//! A camera, into another program:
//!
//! ```sh
//! gst-launch-1.0 -q v4l2src ! facedetect ! emotionclassify ! emotionpublish location=- wall-clock=true ! fakesink | \
//!     jq -c '[.wall_clock, .faces[].emotion]'
//! ```
//!
//! To a broker, whenever a face or an emotion changes:
//!
//! ```sh
//! gst-launch-1.0 v4l2src ! facedetect ! emotionclassify ! emotionpublish method=mqtt address=mqtt://localhost \
//!     topic=hall/emotion source=hall include=changes ! fakesink
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::Instant;

use gst::glib;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;
use gst_video::VideoInfo;

use super::output::{Closed, Error, RecordOutput};
use super::selection::RecordSelection;
use super::settings::Settings;
use super::writer::Unended;
use crate::broker::{ConnectionEvent, CountsReader};
use crate::frame_time::FrameTime;
use crate::property::{HasProperties, SharedSettings};
use crate::record::{self, Record};
use crate::stats::Stats;
use crate::{face, pads, zones};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "emotionpublish",
        gst::DebugColorFlags::empty(),
        Some("Publishing of faces and emotions"),
    )
});

#[derive(Debug, Default)]
struct State {
    info: Option<VideoInfo>,
    /// None before the start and after an error.
    output: Option<RecordOutput>,
    selection: RecordSelection,
    /// Number of frames since the start.
    frames: u64,
}

/// The implementation of [`super::EmotionPublish`].
#[derive(Default)]
pub struct EmotionPublish {
    settings: SharedSettings<Settings>,
    state: Mutex<State>,
    stats: Mutex<Stats>,
    /// Those of a broker's queue. None of these locks is held while a record is written.
    counts: Mutex<Option<CountsReader>>,
    warned_of_lost: AtomicBool,
}

impl EmotionPublish {
    /// Gives the file its name when the stream ends.
    fn end(&self) -> Result<(), Error> {
        let mut state = self.state.lock().unwrap();
        let result = state.output.as_mut().map_or(Ok(()), RecordOutput::end);
        if result.is_err() {
            state.output = None;
        }
        result
    }

    fn stats(&self) -> gst::Structure {
        let mut stats = self.stats.lock().unwrap().to_structure();
        if let Some(reader) = &*self.counts.lock().unwrap() {
            let counts = reader.counts();
            stats.set("sent", counts.sent);
            stats.set("queued", counts.queued);
            stats.set("dropped", counts.dropped);
            stats.set("reconnects", counts.reconnects);
            stats.set("connected", counts.connected);
        }
        stats
    }

    /// Warns once about regions that were lost on their way here.
    fn check_regions(&self, buffer: &gst::BufferRef) {
        let lost = face::lost_regions(buffer);
        if lost > 0 && !self.warned_of_lost.swap(true, Ordering::Relaxed) {
            let warning = face::lost_regions_text(lost, "are not recorded");
            gst::element_imp_warning!(self, gst::StreamError::Failed, ("{warning}"));
        }
    }

    /// Reports changes of the connection to the broker.
    fn on_change(&self) -> impl Fn(ConnectionEvent) + Send + Sync + 'static {
        let element = self.obj().downgrade();
        move |change| {
            let Some(element) = element.upgrade() else {
                return;
            };
            match change {
                ConnectionEvent::Connected => {
                    gst::info!(CAT, obj = element, "Connected to the broker")
                }
                ConnectionEvent::Disconnected(reason) => gst::element_warning!(
                    element,
                    gst::ResourceError::Write,
                    ("The broker is away, records wait for it: {reason}")
                ),
                ConnectionEvent::Refused(reason) => gst::element_warning!(
                    element,
                    gst::ResourceError::Write,
                    ("The broker refuses records, which are lost: {reason}")
                ),
            }
        }
    }
}

#[glib::object_subclass]
impl ObjectSubclass for EmotionPublish {
    const NAME: &'static str = "GstEmotionPublish";
    type Type = super::EmotionPublish;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for EmotionPublish {
    fn properties() -> &'static [glib::ParamSpec] {
        Settings::properties().specs()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        self.settings.set(&*self.obj(), pspec, value);
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        self.settings.get(pspec, || self.stats())
    }
}

impl GstObjectImpl for EmotionPublish {}

impl ElementImpl for EmotionPublish {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::with_additional(
                "Emotion publisher",
                "Filter/Metadata/Video",
                "Writes the faces and emotions of each frame to a file, an MQTT broker or a Kafka cluster",
                env!("CARGO_PKG_AUTHORS"),
                &[
                    (
                        "example",
                        "gst-launch-1.0 -e filesrc location=talk.mp4 ! decodebin ! facedetect ! emotionclassify ! emotionpublish location=talk.jsonl ! fakesink",
                    ),
                    (
                        "doc-uri",
                        concat!(
                            env!("CARGO_PKG_REPOSITORY"),
                            "/blob/main/docs/elements.md#emotionpublish"
                        ),
                    ),
                ],
            )
        });

        Some(&*METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static PAD_TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let caps = gst::Caps::builder("video/x-raw").any_features().build();
            pads::templates(&caps, &caps)
        });

        PAD_TEMPLATES.as_ref()
    }
}

impl BaseTransformImpl for EmotionPublish {
    const MODE: BaseTransformMode = BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = true;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = true;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = self.settings.checked()?;
        let output =
            RecordOutput::open(&settings, self.on_change()).map_err(|error| match error {
                Error::Writer(_) => gst::error_msg!(gst::ResourceError::OpenWrite, ("{error}")),
                _ => gst::error_msg!(gst::ResourceError::Settings, ("{error}")),
            })?;
        *self.counts.lock().unwrap() = output.counts();
        self.warned_of_lost.store(false, Ordering::Relaxed);
        *self.state.lock().unwrap() = State {
            output: Some(output),
            ..State::default()
        };
        *self.stats.lock().unwrap() = Stats::default();
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let output = std::mem::take(&mut *self.state.lock().unwrap()).output;
        let Some(output) = output else {
            return Ok(());
        };
        let closed = output
            .close()
            .map_err(|error| gst::error_msg!(gst::ResourceError::Write, ("{error}")))?;
        let warning = match closed {
            Closed::File(Unended::Kept { part, whole }) => format!(
                "the stream did not end (gst-launch-1.0 -e ends it): its records stay in {}, and the earlier {} is kept",
                part.display(),
                whole.display()
            ),
            Closed::Broker(counts) if counts.dropped > 0 => {
                format!("{} records did not reach the broker", counts.dropped)
            }
            _ => return Ok(()),
        };
        gst::element_imp_warning!(self, gst::ResourceError::Write, ("{warning}"));
        Ok(())
    }

    /// Records have the boxes of whole pictures.
    fn propose_allocation(
        &self,
        decide_query: Option<&gst::query::Allocation>,
        query: &mut gst::query::Allocation,
    ) -> Result<(), gst::LoggableError> {
        self.parent_propose_allocation(decide_query, query)?;
        pads::withdraw_crop_meta(query);
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = VideoInfo::from_caps(incaps)
            .map_err(|error| gst::loggable_error!(CAT, "{incaps}: {error}"))?;
        self.state.lock().unwrap().info = Some(info);
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        if event.type_() == gst::EventType::Eos
            && let Err(error) = self.end()
        {
            gst::element_imp_error!(self, gst::ResourceError::Write, ("{error}"));
        }
        self.parent_sink_event(event)
    }

    fn transform_ip_passthrough(
        &self,
        buffer: &gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        // A gap without a picture.
        if buffer.size() == 0 {
            return Ok(gst::FlowSuccess::Ok);
        }
        let time = FrameTime::new(Some(&self.obj().segment()), buffer.pts());
        time.sync_values(&*self.obj());
        self.check_regions(buffer);
        let started = Instant::now();
        let settings = self.settings.current();
        let faces = face::faces_or_objects(buffer, &settings.face_types);
        let zones = zones::frame_zones(buffer);
        let zones = zones.as_ref();
        let wall_clock = settings.wall_clock.then(record::now);

        let mut state = self.state.lock().unwrap();
        let State {
            info,
            output,
            selection,
            frames,
            ..
        } = &mut *state;
        let frame = *frames;
        *frames += 1;
        let info = info.as_ref().ok_or(gst::FlowError::NotNegotiated)?;
        // After an error, which has been posted.
        let open = output.as_mut().ok_or(gst::FlowError::Error)?;
        let Settings {
            include, interval, ..
        } = *settings;
        if !selection.takes(include, interval, time.running, &faces, zones) {
            drop(state);
            self.stats.lock().unwrap().add_skipped();
            return Ok(gst::FlowSuccess::Ok);
        }
        let record = Record::new(time, info.width(), info.height(), &faces)
            .with_source(settings.source.clone())
            .with_zones(zones)
            .with_frame(Some(frame))
            .with_pixel_aspect_ratio(info.par())
            .with_wall_clock(wall_clock);
        if let Err(error) = open.write(&record) {
            *output = None;
            drop(state);
            gst::element_imp_error!(self, gst::ResourceError::Write, ("{error}"));
            return Err(gst::FlowError::Error);
        }
        drop(state);
        self.stats
            .lock()
            .unwrap()
            .add_analysed(faces.len(), started.elapsed());
        gst::log!(
            CAT,
            imp = self,
            "{} faces in {}",
            faces.len(),
            buffer.pts().display()
        );
        Ok(gst::FlowSuccess::Ok)
    }
}
