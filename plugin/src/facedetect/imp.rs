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

use std::sync::{LazyLock, Mutex};
use std::time::Instant;

use emotion_detect::track::{FrameTiming, TrackEvent};
use emotion_models::preprocess::GreyRows;
use gst::glib;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;

use super::messages::FaceMessages;
use super::per_frame::PerFrameDetector;
use super::settings::Settings;
use super::state::DetectorState;
use super::tracking::Tracking;
use crate::analyzer::FrameAnalyzer;
use crate::bus;
use crate::face::{self, TrackedFace};
use crate::frame_time::FrameTime;
use crate::luma::LumaView;
use crate::property::{HasProperties, SharedSettings};

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
    /// None while the element is stopped.
    state: Mutex<Option<DetectorState>>,
    messages: Mutex<FaceMessages>,
    analyzer: FrameAnalyzer,
}

impl FaceDetect {
    /// Another picture follows, which the last faces have nothing to do with.
    fn begin_scene(&self) {
        let mut state = self.state.lock().unwrap();
        let events = state.as_mut().and_then(DetectorState::begin_scene);
        drop(state);
        if let Some(events) = events {
            self.post(&events, &[], FrameTime::default());
        }
    }

    /// Posts the messages about a frame. No lock is held then that a listener might need.
    fn post(&self, events: &[TrackEvent], faces: &[TrackedFace], time: FrameTime) {
        let post = self.settings.current().post_messages;
        let mut messages = self.messages.lock().unwrap();
        let structures = messages.of_frame(post, events, faces, time.stream);
        bus::post(&*self.obj(), structures);
    }

    /// Runs `detect` on the luma of the frame and posts its error.
    fn with_luma<T>(
        &self,
        buffer: &gst::BufferRef,
        detect: impl FnOnce(&LumaView<'_>) -> Result<T, emotion_detect::Error>,
    ) -> Result<T, gst::FlowError> {
        let detected = self.analyzer.with_luma(buffer, detect).map_err(|error| {
            gst::element_imp_error!(self, gst::StreamError::Format, ("{error}"));
            gst::FlowError::Error
        })?;
        detected.map_err(|error| {
            gst::element_imp_error!(self, gst::LibraryError::Failed, ("{error}"));
            gst::FlowError::Error
        })
    }

    /// Detects the faces of the frame, or repeats the last ones where the stream is late.
    fn detect(
        &self,
        detector: &mut PerFrameDetector,
        settings: &Settings,
        buffer: &mut gst::BufferRef,
        time: FrameTime,
    ) -> Result<(), gst::FlowError> {
        if self.is_late(buffer, time) {
            if detector.is_recent(buffer.pts()) {
                detector.add_to(buffer);
            }
            return Ok(());
        }
        let started = Instant::now();
        let count = self.with_luma(buffer, |image| {
            let options = settings.options_for(image.width(), image.height());
            detector.detect(buffer.pts(), image, &options)
        })?;
        detector.add_to(buffer);
        self.analyzer.add_analysed(count, started.elapsed());
        Ok(())
    }

    /// Tracks the faces to the frame, and returns them with the events since the last one.
    fn track(
        &self,
        tracking: &mut Tracking,
        settings: &Settings,
        buffer: &mut gst::BufferRef,
        time: FrameTime,
    ) -> Result<(Vec<TrackEvent>, Vec<TrackedFace>), gst::FlowError> {
        let is_late = !tracking.is_asynchronous() && self.is_late(buffer, time);
        let started = Instant::now();
        let duration = buffer.duration().map(Into::into);
        let timing = FrameTiming {
            timestamp: buffer.pts().map(Into::into),
            duration: duration.or_else(|| self.analyzer.frame_duration()),
            is_late,
        };
        let (width, height) = self.with_luma(buffer, |image| {
            tracking.frame(timing, image, settings)?;
            Ok((image.width() as u32, image.height() as u32))
        })?;
        let faces = tracking.faces();
        face::add_tracked(buffer, width, height, &faces);
        if !is_late {
            self.analyzer.add_analysed(faces.len(), started.elapsed());
        }
        Ok((tracking.take_events(), faces))
    }

    /// Whether the frame is too late for a detection; it then counts as skipped.
    fn is_late(&self, buffer: &gst::BufferRef, time: FrameTime) -> bool {
        let is_late = self.analyzer.skips(buffer, time.running);
        if is_late {
            let pts = buffer.pts().display().to_string();
            gst::debug!(CAT, imp = self, "Late, not detecting on {pts}");
        }
        is_late
    }

    fn stats(&self) -> gst::Structure {
        let mut stats = self.analyzer.stats();
        if let Some(state) = &*self.state.lock().unwrap() {
            state.add_to(&mut stats);
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
            gst::subclass::ElementMetadata::new(
                "Face detector",
                "Filter/Analyzer/Video",
                "Finds faces and adds them to the frames as regions of interest, for emotionclassify and others",
                env!("CARGO_PKG_AUTHORS"),
            )
        });

        Some(&*ELEMENT_METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static PAD_TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(FrameAnalyzer::pad_templates);

        PAD_TEMPLATES.as_ref()
    }
}

impl BaseTransformImpl for FaceDetect {
    const MODE: BaseTransformMode = BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = self.settings.checked()?;
        let state = DetectorState::new(&settings)?;
        for ignored in settings.ignored() {
            gst::element_imp_warning!(self, gst::ResourceError::Settings, ("{ignored}"));
        }
        self.analyzer.reset();
        *self.messages.lock().unwrap() = FaceMessages::default();
        *self.state.lock().unwrap() = Some(state);
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        // Dropped without the lock: a background detector finishes its detection first.
        let state = self.state.lock().unwrap().take();
        drop(state);
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        gst::debug!(CAT, imp = self, "Configured for {incaps}");
        self.begin_scene();
        self.analyzer
            .set_caps(incaps)
            .map_err(|error| gst::loggable_error!(CAT, "{error}"))
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
        self.parent_propose_allocation(None, query)
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let settings = self.settings.current();
        let time = FrameTime::new(Some(&self.obj().segment()), buffer.pts());
        let mut state = self.state.lock().unwrap();
        match state.as_mut().ok_or(gst::FlowError::Flushing)? {
            DetectorState::PerFrame(detector) => {
                self.detect(detector, &settings, buffer, time)?;
            }
            DetectorState::Tracking(tracking) => {
                let (events, faces) = self.track(tracking, &settings, buffer, time)?;
                drop(state);
                self.post(&events, &faces, time);
            }
        }
        Ok(gst::FlowSuccess::Ok)
    }
}
