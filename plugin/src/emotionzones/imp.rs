//! # `SECTION:element-emotionzones`
//!
//! Counts people in zones and their crossings of lines, and writes the result to the frame as metadata that `emotionoverlay`
//! draws and `emotionpublish` records. The picture passes through untouched, whatever its format and memory.
//!
//! A zone is a polygon, a line has two ends and two directions; both are in fractions of the frame. The centre of the
//! face's box stands for a person, so draw zones where faces are, not on the floor.
//!
//! For each zone the element knows who is in it and for how long, how many entered and left, how long people stayed (mean and
//! longest), the shares of the emotions over the last seconds, and whether there are more people than the limit; for each
//! line, how many crossed it in either direction.
//!
//! Somebody has crossed a border when the centre is a quarter of the face beyond it, or stays on the other side for a second;
//! the time of that is the first frame there. Who is not seen for `max-absence` has left, at the time at which the face was
//! last found. A limit is exceeded at once, and kept again when it was for two seconds.
//!
//! `zones`, `lines` and `location`, a file with more of them, can be set while playing: those that stay the same keep their
//! counts.
//!
//! With `post-messages=change` the element posts `zone-entered, zone=(string), id=(int), people=(uint)`, `zone-left` with
//! `dwell=(GstClockTime)` as well, `line-crossed, line=(string), id=(int), direction=(string), name=(string)`, and
//! `occupancy-exceeded` and `occupancy-kept, zone=(string), people=(uint), limit=(uint)`, each with the `stream-time` and
//! `running-time` at which it happened; with `post-messages=frame` also `zones` with all counts of each frame.
//!
//! ## Example pipelines
//!
//! How many people are in the left half of the picture:
//!
//! ```sh
//! gst-launch-1.0 v4l2src ! facedetect ! emotionclassify ! \
//!     emotionzones zones="left=0,0 0.5,0 0.5,1 0,1 limit=3" ! emotionoverlay zones=true ! videoconvert ! autovideosink
//! ```
//!
//! Who passes the middle of the picture (`-m` prints the messages):
//!
//! ```sh
//! gst-launch-1.0 -m v4l2src ! facedetect ! \
//!     emotionzones lines="middle=0.5,1 0.5,0 in=right out=left" post-messages=change ! fakesink
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use emotion_analysis::zones::{FramePoint, PersonPosition, ZoneAnalyzer, ZoneEvent, ZoneLayout};
use emotion_analysis::{FaceMatcher, FacePosition};
use gst::glib;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;
use gst_video::VideoInfo;

use super::messages::{self, ZoneMessages};
use super::settings::Settings;
use crate::bus;
use crate::face::{self, Face};
use crate::frame_time::FrameTime;
use crate::pads;
use crate::pixels::PixelGrid;
use crate::property::{HasProperties, SharedSettings};
use crate::stats::Stats;
use crate::zones::{self, FrameZones};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "emotionzones",
        gst::DebugColorFlags::empty(),
        Some("People in zones and at lines"),
    )
});

#[derive(Debug, Default)]
struct State {
    info: Option<VideoInfo>,
    layout: ZoneLayout,
    analyzer: ZoneAnalyzer,
    /// Gives ids to faces that have none.
    faces: FaceMatcher<()>,
    /// What happened between two frames.
    pending: Vec<ZoneEvent>,
}

/// The implementation of [`super::EmotionZones`].
#[derive(Default)]
pub struct EmotionZones {
    settings: SharedSettings<Settings>,
    state: Mutex<State>,
    stats: Mutex<Stats>,
    warned_of_lost: AtomicBool,
}

impl State {
    /// The people on the frame at `time`.
    fn update(&mut self, faces: &[Face], time: FrameTime, settings: &Settings) -> FrameZones {
        if self.layout != settings.layout {
            self.layout = settings.layout.clone();
            self.analyzer.set_layout(self.layout.clone());
        }
        let time = time.running.map(Duration::from);
        let positions: Vec<_> = faces.iter().map(position).collect();
        let matched = self.faces.match_faces(time.unwrap_or_default(), &positions);
        let info = self.info.as_ref();
        let size = info.map_or((1.0, 1.0), |info| {
            (f64::from(info.width()), f64::from(info.height()))
        });
        let people: Vec<_> = faces
            .iter()
            .zip(matched)
            .map(|(face, index)| person(face, self.faces[index].id(), size))
            .collect();
        let mut events = std::mem::take(&mut self.pending);
        events.extend(self.analyzer.update(time, &people, &settings.options));
        FrameZones {
            zones: self.analyzer.zones(),
            lines: self.analyzer.lines(),
            events,
        }
    }

    /// Everybody leaves, as where the stream jumps to another place.
    fn end_tracks(&mut self) {
        self.faces.clear();
        self.pending.extend(self.analyzer.end_tracks());
    }
}

fn position(face: &Face) -> FacePosition {
    FacePosition {
        object_id: face.object_id,
        region: face.region(),
        landmarks: None,
    }
}

fn person(face: &Face, id: i32, (width, height): (f64, f64)) -> PersonPosition<'_> {
    let size = (
        f64::from(face.width) / width,
        f64::from(face.height) / height,
    );
    PersonPosition {
        id,
        centre: FramePoint {
            x: f64::from(face.x) / width + size.0 / 2.0,
            y: f64::from(face.y) / height + size.1 / 2.0,
        },
        size,
        emotion: face.emotion.as_ref().map(|emotion| &*emotion.label),
        unseen: (face.detection.and_then(|detection| detection.lost))
            .map_or(Duration::ZERO, Duration::from),
    }
}

impl EmotionZones {
    /// Warns once about regions that were lost on their way here.
    fn check_regions(&self, buffer: &gst::BufferRef) {
        let lost = face::lost_regions(buffer);
        if lost > 0 && !self.warned_of_lost.swap(true, Ordering::Relaxed) {
            let warning = face::lost_regions_text(lost, "are not counted");
            gst::element_imp_warning!(self, gst::StreamError::Failed, ("{warning}"));
        }
    }

    fn post(&self, zones: &FrameZones, time: FrameTime, which: ZoneMessages) {
        if which == ZoneMessages::None {
            return;
        }
        let element = self.obj();
        let events = zones.events.iter();
        bus::post(&*element, events.map(|event| messages::event(event, time)));
        if which == ZoneMessages::Frame {
            bus::post(&*element, [messages::zones(zones, time)]);
        }
    }
}

#[glib::object_subclass]
impl ObjectSubclass for EmotionZones {
    const NAME: &'static str = "GstEmotionZones";
    type Type = super::EmotionZones;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for EmotionZones {
    fn constructed(&self) {
        self.parent_constructed();
        // A frame that a videorate has repeated is a frame.
        self.obj().set_gap_aware(true);
    }

    fn properties() -> &'static [glib::ParamSpec] {
        Settings::properties().specs()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        self.settings.set(&*self.obj(), pspec, value);
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        self.settings
            .get(pspec, || self.stats.lock().unwrap().to_structure())
    }
}

impl GstObjectImpl for EmotionZones {}

impl ElementImpl for EmotionZones {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::with_additional(
                "Zone counter",
                "Filter/Analyzer/Video",
                "Counts people in zones of the picture and their crossings of lines",
                env!("CARGO_PKG_AUTHORS"),
                &[
                    (
                        "example",
                        "gst-launch-1.0 v4l2src ! facedetect ! emotionclassify ! emotionzones zones=\"left=0,0 0.5,0 0.5,1 0,1\" ! emotionoverlay zones=true ! videoconvert ! autovideosink",
                    ),
                    (
                        "doc-uri",
                        concat!(
                            env!("CARGO_PKG_REPOSITORY"),
                            "/blob/main/docs/elements.md#emotionzones"
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

impl BaseTransformImpl for EmotionZones {
    const MODE: BaseTransformMode = BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        self.settings.checked()?;
        *self.state.lock().unwrap() = State::default();
        *self.stats.lock().unwrap() = Stats::default();
        self.warned_of_lost.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = VideoInfo::from_caps(incaps)
            .map_err(|error| gst::loggable_error!(CAT, "{incaps}: {error}"))?;
        self.state.lock().unwrap().info = Some(info);
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        if event.type_() == gst::EventType::FlushStop {
            self.state.lock().unwrap().end_tracks();
        }
        self.parent_sink_event(event)
    }

    /// Upstream's buffers are passed on as they are, so downstream's answer holds for upstream.
    fn propose_allocation(
        &self,
        _decide_query: Option<&gst::query::Allocation>,
        query: &mut gst::query::Allocation,
    ) -> Result<(), gst::LoggableError> {
        self.parent_propose_allocation(None, query)?;
        pads::withdraw_crop_meta(query);
        Ok(())
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
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
        let faces = face::largest(face::faces_or_objects(buffer, &settings.face_types));

        let mut state = self.state.lock().unwrap();
        let frame_zones = state.update(&faces, time, &settings);
        let info = state.info.as_ref().ok_or(gst::FlowError::NotNegotiated)?;
        if !state.layout.is_empty() {
            let size = (info.width(), info.height());
            let aspect = PixelGrid::new(info).aspect();
            zones::set_zones(buffer, size, aspect, &state.layout, &frame_zones);
        }
        drop(state);
        self.stats
            .lock()
            .unwrap()
            .add_analysed(faces.len(), started.elapsed());
        self.post(&frame_zones, time, settings.messages);
        gst::log!(
            CAT,
            imp = self,
            "{} faces in {}, {} events",
            faces.len(),
            buffer.pts().display(),
            frame_zones.events.len()
        );
        Ok(gst::FlowSuccess::Ok)
    }
}
