//! # `SECTION:element-facedetect`
//!
//! Finds faces and puts each on the frame as a region of interest of type `face` with the params `detection` and, for
//! other elements of this plugin, the same in a custom meta that survives conversions. The picture passes through
//! untouched.
//!
//! Faces are tracked. The `object_id` of a face stays the same while the face stays, on frames on which it is not found,
//! and after it was away for a few seconds. `detection-interval` sets when to detect; between two detections the tracks
//! follow the picture. With `asynchronous`, a thread detects in the background and no frame waits for it.
//! `post-messages` posts messages on the bus when faces come and go.
//!
//! When the sink reports that the stream is late, the element does not detect, so that a live picture does not stop, but
//! it still tracks. Without `tracking`, late frames get the faces of the last frame with a detection, for up to a second.
//! The property `stats` counts late frames as skipped.
//!
//! A network finds upright faces from the front to the side. With `detector=cascade`, one of OpenCV's cascades finds
//! them, by default its frontal face Haar cascade, which sees upright faces that look at the camera. The network's
//! confidence is a calibrated probability. The confidence of a cascade grows with the number of search windows that agree
//! on a face, and only ranks the faces.
//!
//! GStreamer's OpenCV plugin has an element of the same name. Where both are installed, `emotionfacedetect` is always
//! this one.
//!
//! ## Example pipeline
//!
//! ```sh
//! gst-launch-1.0 v4l2src ! facedetect ! emotionclassify ! emotionoverlay ! videoconvert ! autovideosink
//! ```
//!
//! Fast detection of large faces only:
//!
//! ```sh
//! gst-launch-1.0 filesrc location=talk.mp4 ! decodebin ! facedetect min-size=120 ! fakesink
//! ```
//!
//! A camera whose picture is never late, with messages when faces come and go:
//!
//! ```sh
//! gst-launch-1.0 -m v4l2src ! facedetect asynchronous=true post-messages=change ! emotionclassify ! emotionoverlay ! videoconvert ! autovideosink
//! ```
//!
//! Small faces in the right half of a 4K picture:
//!
//! ```sh
//! gst-launch-1.0 filesrc location=square.mp4 ! decodebin ! facedetect region=0.5,0,0.5,1 min-size=16 tiles=3 ! fakesink
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::Instant;

use emotion_detect::track::FrameTiming;
use gst::glib;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;

use super::camera_modes::with_preferences;
use super::frame::{DetectInFrame, FoundFaces, FrameError, TrackInFrame, events_in_frame};
use super::load::load;
use super::messages::FaceMessages;
use super::settings::Settings;
use super::state::DetectorState;
use super::tracking::SharedTrackingStats;
use crate::analyzer::FrameAnalyzer;
use crate::frame_time::FrameTime;
use crate::network_info::NetworkInfo;
use crate::property::{HasProperties, SharedSettings};
use crate::{bus, pads};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "emotionfacedetect",
        gst::DebugColorFlags::empty(),
        Some("Face detection"),
    )
});

/// The implementation of [`super::FaceDetect`].
#[derive(Default)]
pub struct FaceDetect {
    settings: SharedSettings<Settings>,
    /// None while the element is stopped. Held while a frame is searched, and never while something is posted.
    state: Mutex<Option<DetectorState>>,
    /// Present while the element is started and tracks.
    tracking_stats: Mutex<Option<SharedTrackingStats>>,
    /// Present while there is a network.
    network: Mutex<Option<NetworkInfo>>,
    messages: Mutex<FaceMessages>,
    analyzer: FrameAnalyzer,
    asks_for_modes: AtomicBool,
}

impl FaceDetect {
    /// Another picture follows, which the last faces have nothing to do with.
    fn begin_scene(&self) {
        let mut state = self.state.lock().unwrap();
        let events = state.as_mut().and_then(DetectorState::begin_scene);
        drop(state);
        if let Some(mut events) = events {
            if let Some(grid) = self.analyzer.grid() {
                events_in_frame(&mut events, &grid);
            }
            let found = FoundFaces {
                events,
                ..FoundFaces::default()
            };
            self.post(&found, FrameTime::default());
        }
    }

    /// Posts the messages about a frame. A listener may seek or read properties, so no lock is held meanwhile.
    fn post(&self, found: &FoundFaces, time: FrameTime) {
        let post = self.settings.current().post_messages;
        let mut messages = self.messages.lock().unwrap();
        let structures = messages.of_frame(post, &found.events, &found.faces, time.stream);
        drop(messages);
        bus::post(&*self.obj(), structures);
    }

    /// Finds the faces of the frame, and adds them to it. A late frame is not searched; it gets the faces that are followed to
    /// it, or without tracking the last ones.
    fn find_faces(
        &self,
        settings: &Settings,
        buffer: &mut gst::BufferRef,
        is_late: bool,
    ) -> Result<FoundFaces, FrameError> {
        let mut state = self.state.lock().unwrap();
        let grid = self.analyzer.grid();
        match state.as_mut().ok_or(FrameError::Stopped)? {
            DetectorState::PerFrame(detector) if is_late => {
                let found = FoundFaces::default();
                if let Some(grid) = grid.filter(|_| detector.is_recent(buffer.pts())) {
                    found.add_detected(buffer, &grid, detector.faces());
                }
                Ok(found)
            }
            DetectorState::PerFrame(detector) => {
                let started = Instant::now();
                let reader = DetectInFrame {
                    detector,
                    settings,
                    pts: buffer.pts(),
                };
                let (grid, faces) = self.analyzer.with_luma(buffer, reader)??;
                let found = FoundFaces::default();
                found.add_detected(buffer, &grid, &faces);
                self.analyzer.add_analysed(faces.len(), started.elapsed());
                Ok(found)
            }
            DetectorState::Tracking(tracking) => {
                let started = Instant::now();
                let duration = buffer.duration().map(Into::into);
                let reader = TrackInFrame {
                    tracking,
                    settings,
                    timing: FrameTiming {
                        timestamp: buffer.pts().map(Into::into),
                        duration: duration.or_else(|| self.analyzer.frame_duration()),
                        is_late,
                        is_searching: false,
                    },
                };
                let (grid, found) = self.analyzer.with_luma(buffer, reader)??;
                found.add_tracked(buffer, &grid);
                if !is_late {
                    let faces = found.faces.len();
                    self.analyzer.add_analysed(faces, started.elapsed());
                }
                Ok(found)
            }
        }
    }

    /// Puts what suits faces in front of the caps that a camera is told, until it has chosen a mode.
    fn add_preferences(&self, query: &mut gst::query::Caps) {
        let pad = self.obj().sink_pad().clone();
        // An element upstream may ask back while it is asked for its modes.
        if pad.current_caps().is_some() || self.asks_for_modes.swap(true, Ordering::Relaxed) {
            return;
        }
        let modes = pad.peer_query_caps(None);
        self.asks_for_modes.store(false, Ordering::Relaxed);
        if let Some(caps) = query.result_owned().filter(|caps| !caps.is_empty()) {
            query.set_result(&with_preferences(&caps, &modes));
        }
    }

    /// Whether the frame is too late for a detection; it then counts as skipped.
    fn is_late(&self, settings: &Settings, buffer: &gst::BufferRef, time: FrameTime) -> bool {
        if !settings.skips_late || settings.searches_in_background() {
            return false;
        }
        let Some(skipped) = self.analyzer.skipped(buffer, time) else {
            return false;
        };
        let pts = buffer.pts().display().to_string();
        gst::log!(CAT, imp = self, "Late, not detecting on {pts}");
        skipped.post(&*self.obj());
        true
    }

    fn post_error(&self, error: &FrameError) -> gst::FlowError {
        match error {
            FrameError::Stopped => return gst::FlowError::Flushing,
            FrameError::Frame(error) => {
                gst::element_imp_error!(self, gst::StreamError::Format, ("{error}"));
            }
            FrameError::Detect(error) => {
                gst::element_imp_error!(self, gst::LibraryError::Failed, ("{error}"));
            }
        }
        gst::FlowError::Error
    }

    fn stats(&self) -> gst::Structure {
        let mut stats = self.analyzer.stats();
        if let Some(tracking) = &*self.tracking_stats.lock().unwrap() {
            tracking.lock().unwrap().add_to(&mut stats);
        }
        if let Some(network) = &*self.network.lock().unwrap() {
            network.add_to(&mut stats);
        }
        stats
    }
}

#[glib::object_subclass]
impl ObjectSubclass for FaceDetect {
    const NAME: &'static str = "GstEmotionFaceDetect";
    type Type = super::FaceDetect;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for FaceDetect {
    fn constructed(&self) {
        self.parent_constructed();
        let element = self.obj();
        // A frame that a videorate has repeated is a frame.
        element.set_gap_aware(true);
        pads::explain_unreadable_caps(&*element);
    }

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

impl GstObjectImpl for FaceDetect {}

impl ElementImpl for FaceDetect {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static ELEMENT_METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::with_additional(
                "Face detector",
                "Filter/Analyzer/Video",
                "Finds faces and adds them to the frames as regions of interest, for emotionclassify and others",
                env!("CARGO_PKG_AUTHORS"),
                &[(
                    "doc-uri",
                    concat!(
                        env!("CARGO_PKG_REPOSITORY"),
                        "/blob/main/docs/elements.md#facedetect"
                    ),
                )],
            )
        });

        Some(&*ELEMENT_METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static PAD_TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| pads::templates(&pads::readable_caps(), &pads::readable_caps()));

        PAD_TEMPLATES.as_ref()
    }
}

impl BaseTransformImpl for FaceDetect {
    const MODE: BaseTransformMode = BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = self.settings.checked()?;
        let stats = SharedTrackingStats::default();
        let detector = load(&settings)?;
        let network = NetworkInfo::of_detector(&detector);
        let state = DetectorState::new(&settings, stats.clone(), detector)?;
        for ignored in settings.ignored() {
            gst::element_imp_warning!(self, gst::ResourceError::Settings, ("{ignored}"));
        }
        self.analyzer.reset();
        *self.messages.lock().unwrap() = FaceMessages::default();
        *self.tracking_stats.lock().unwrap() = settings.is_tracking.then_some(stats);
        *self.network.lock().unwrap() = network;
        *self.state.lock().unwrap() = Some(state);
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        // Dropped without the lock: a background detector finishes its detection first.
        let state = self.state.lock().unwrap().take();
        drop(state);
        *self.tracking_stats.lock().unwrap() = None;
        *self.network.lock().unwrap() = None;
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        gst::debug!(CAT, imp = self, "Configured for {incaps}");
        self.begin_scene();
        self.analyzer
            .set_caps(incaps)
            .map_err(|error| gst::loggable_error!(CAT, "{error}"))
    }

    fn query(&self, direction: gst::PadDirection, query: &mut gst::QueryRef) -> bool {
        let answered = BaseTransformImplExt::parent_query(self, direction, query);
        if direction == gst::PadDirection::Sink
            && let gst::QueryViewMut::Caps(query) = query.view_mut()
            // A source that chooses asks for everything; one that has chosen names it.
            && query.filter().is_none()
        {
            self.add_preferences(query);
        }
        self.analyzer.add_latency(answered, query)
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        match event.type_() {
            gst::EventType::FlushStop | gst::EventType::Eos | gst::EventType::StreamStart => {
                self.begin_scene();
            }
            gst::EventType::Segment => {
                if let Some(state) = self.state.lock().unwrap().as_mut() {
                    state.begin_segment();
                }
            }
            _ => {}
        }
        self.analyzer.observe_sink_event(&event);
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        self.analyzer.observe_src_event(&event);
        self.parent_src_event(event)
    }

    /// Downstream gets the very buffers of upstream, so upstream may use whatever downstream can take: its pool, and
    /// strides of its own where downstream knows `GstVideoMeta`.
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
        let settings = self.settings.current();
        let is_late = self.is_late(&settings, buffer, time);
        let found = self
            .find_faces(&settings, buffer, is_late)
            .map_err(|error| self.post_error(&error))?;
        gst::log!(
            CAT,
            imp = self,
            "{} faces in {}",
            found.faces.len(),
            buffer.pts().display()
        );
        self.post(&found, time);
        self.analyzer.post_latency(&*self.obj());
        Ok(gst::FlowSuccess::Ok)
    }
}
