//! # `SECTION:element-facedetect`
//!
//! Finds faces and puts each on the frame as a region of interest of type `face` with the params `detection` and, for
//! other elements of this plugin, the same in a custom meta that survives conversions. The picture passes through
//! untouched.
//!
//! Faces are tracked: each has an `object_id` that stays while the face stays, also across frames on which it is not
//! found, and after it was away for a few seconds. Between two detections, of which `detection-interval` says when they
//! are due, tracks follow the picture; with `asynchronous` detections run beside the stream and no frame waits for them.
//! `notify` posts messages on the bus when faces come and go.
//!
//! When the sink says that the stream is late, frames are not searched, so that a live picture does not stop; tracks are
//! followed all the same. Without `tracking` such frames carry the faces of the last searched one, for up to a second. The
//! property `stats` counts them as skipped.
//!
//! The faces are found by a network that sees upright faces from the front to the side, or with `detector=cascade` by
//! one of OpenCV's cascades, by default its frontal face Haar cascade, which sees upright faces that look at the camera.
//! The network's confidence is a calibrated probability; that of a cascade grows with the number of search windows that
//! agree on a face, and only ranks them.
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
//! Fast search for large faces only:
//!
//! ```sh
//! gst-launch-1.0 filesrc location=talk.mp4 ! decodebin ! facedetect min-size=120 ! fakesink
//! ```
//!
//! A camera whose picture is never late, with messages about who comes and goes:
//!
//! ```sh
//! gst-launch-1.0 -m v4l2src ! facedetect asynchronous=true notify=change ! emotionclassify ! emotionoverlay ! videoconvert ! autovideosink
//! ```
//!
//! Small faces in the right half of a 4K picture:
//!
//! ```sh
//! gst-launch-1.0 filesrc location=square.mp4 ! decodebin ! facedetect region=0.5,0,0.5,1 min-size=16 tiles=3 ! fakesink
//! ```

use std::sync::{LazyLock, Mutex};
use std::time::Instant;

use emotion_detect::Detector;
use emotion_detect::track::{Event, Frame};
use emotion_models::preprocess::GreyRows;
use gst::glib;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;

use super::load::load;
use super::messages::{self, Messages};
use super::settings::Settings;
use super::tracking::Tracking;
use crate::analyzer::{self, Analyser};
use crate::face::{self, DetectedFace, TrackedFace};

/// How long the faces of a searched frame stand for later frames that are not searched.
const MAX_HOLD: gst::ClockTime = gst::ClockTime::SECOND;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "emotionfacedetect",
        gst::DebugColorFlags::empty(),
        Some("Face detection"),
    )
});

/// What finds the faces of the stream.
enum State {
    /// Each frame by itself.
    Single(Single),
    /// From frame to frame.
    Tracking(Box<Tracking>),
}

struct Single {
    detector: Detector,
    last: Option<Search>,
}

/// What was found in the frame that was searched last.
struct Search {
    time: Option<gst::ClockTime>,
    frame_width: u32,
    frame_height: u32,
    faces: Vec<DetectedFace>,
}

impl Search {
    fn is_recent(&self, time: Option<gst::ClockTime>) -> bool {
        time.zip(self.time)
            .is_some_and(|(time, searched)| time.absdiff(searched) <= MAX_HOLD)
    }

    fn add_to(&self, buffer: &mut gst::BufferRef) {
        face::add_detected(buffer, self.frame_width, self.frame_height, &self.faces);
    }
}

/// The implementation of [`super::FaceDetect`].
#[derive(Default)]
pub struct FaceDetect {
    settings: Mutex<Settings>,
    state: Mutex<Option<State>>,
    messages: Mutex<Messages>,
    analyser: Analyser,
}

impl FaceDetect {
    /// Another picture follows, in which the last faces mean nothing.
    fn begin_scene(&self) {
        let mut state = self.state.lock().unwrap();
        let events = match state.as_mut() {
            Some(State::Single(single)) => {
                single.last = None;
                return;
            }
            Some(State::Tracking(tracking)) => {
                tracking.begin_scene();
                tracking.take_events()
            }
            None => return,
        };
        drop(state);
        self.tell(&events, &[], None);
    }

    /// Says on the bus what happened, with no lock held that a listener might want.
    fn tell(&self, events: &[Event], faces: &[TrackedFace], pts: Option<gst::ClockTime>) {
        let notify = self.settings.lock().unwrap().pacing.notify;
        let segment = self.obj().segment();
        let stream_time = segment
            .downcast_ref::<gst::ClockTime>()
            .and_then(|segment| segment.to_stream_time(pts));
        let mut messages = self.messages.lock().unwrap();
        let messages = messages.of_frame(notify, events, faces, stream_time);
        messages::post(&self.obj(), messages);
    }

    fn format_error(&self, error: &analyzer::Error) -> gst::FlowError {
        gst::element_imp_error!(self, gst::StreamError::Format, ("{error}"));
        gst::FlowError::Error
    }

    fn detector_error(&self, error: &emotion_detect::Error) -> gst::FlowError {
        gst::element_imp_error!(self, gst::LibraryError::Failed, ("{error}"));
        gst::FlowError::Error
    }

    /// Finds the faces of the frame, or repeats the last ones where the stream is late.
    fn find(
        &self,
        single: &mut Single,
        settings: &Settings,
        buffer: &mut gst::BufferRef,
    ) -> Result<(), gst::FlowError> {
        let Single { detector, last } = single;
        if self.is_late(buffer) {
            if let Some(search) = last
                && search.is_recent(buffer.pts())
            {
                search.add_to(buffer);
            }
            return Ok(());
        }
        let started = Instant::now();
        let (frame_width, frame_height, faces) = self
            .analyser
            .look_at(buffer, |image| {
                let options = settings.options_for(image.width(), image.height());
                let faces = detector.detect(image, &options);
                (image.width() as u32, image.height() as u32, faces)
            })
            .map_err(|error| self.format_error(&error))?;
        let faces = faces.map_err(|error| self.detector_error(&error))?;
        let search = last.insert(Search {
            time: buffer.pts(),
            frame_width,
            frame_height,
            faces,
        });
        search.add_to(buffer);
        self.analyser
            .add_analysed(search.faces.len(), started.elapsed());
        Ok(())
    }

    /// Follows the faces to the frame, and returns them with what happened to them.
    fn track(
        &self,
        tracking: &mut Tracking,
        settings: &Settings,
        buffer: &mut gst::BufferRef,
    ) -> Result<(Vec<Event>, Vec<TrackedFace>), gst::FlowError> {
        let is_late = !tracking.is_asynchronous() && self.is_late(buffer);
        let started = Instant::now();
        let frame = Frame {
            stamp: buffer.pts().map(Into::into),
            duration: buffer
                .duration()
                .map(Into::into)
                .or_else(|| self.analyser.frame_duration()),
            is_late,
        };
        let (frame_width, frame_height, tracked) = self
            .analyser
            .look_at(buffer, |image| {
                let (width, height) = (image.width(), image.height());
                let options = settings.options_for(width, height);
                let tracked = tracking.frame(frame, image, &options, settings.pacing);
                (width as u32, height as u32, tracked)
            })
            .map_err(|error| self.format_error(&error))?;
        tracked.map_err(|error| self.detector_error(&error))?;
        let faces = tracking.faces();
        face::add_tracked(buffer, frame_width, frame_height, &faces);
        if !is_late {
            self.analyser.add_analysed(faces.len(), started.elapsed());
        }
        Ok((tracking.take_events(), faces))
    }

    /// Whether the frame comes too late to be searched, which then counts as skipped.
    fn is_late(&self, buffer: &gst::BufferRef) -> bool {
        let is_late = self.analyser.skips(&*self.obj(), buffer);
        if is_late {
            let time = buffer.pts().display().to_string();
            gst::debug!(CAT, imp = self, "Late, not searching {time}");
        }
        is_late
    }

    fn stats(&self) -> gst::Structure {
        let mut stats = self.analyser.stats();
        if let Some(State::Tracking(tracking)) = &*self.state.lock().unwrap() {
            tracking.add_to(&mut stats);
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
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(Settings::param_specs);

        PROPERTIES.as_ref()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let set = self.settings.lock().unwrap().set(value, pspec);
        if let Err(error) = set {
            gst::element_imp_warning!(self, gst::ResourceError::Settings, ("{error}"));
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "stats" => self.stats().to_value(),
            _ => self.settings.lock().unwrap().get(pspec),
        }
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
            LazyLock::new(Analyser::pad_templates);

        PAD_TEMPLATES.as_ref()
    }
}

impl BaseTransformImpl for FaceDetect {
    const MODE: BaseTransformMode = BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = self.settings.lock().unwrap().clone();
        let detector = load(&settings)?;
        if let Some(unused) = settings.unused() {
            gst::element_imp_warning!(self, gst::ResourceError::Settings, ("{unused}"));
        }
        self.analyser.reset();
        *self.messages.lock().unwrap() = Messages::default();
        let pacing = settings.pacing;
        if pacing.is_asynchronous && !pacing.is_tracking {
            gst::element_imp_warning!(
                self,
                gst::ResourceError::Settings,
                ("asynchronous needs tracking, which carries the faces meanwhile; detecting on each frame instead")
            );
        }
        let state = if pacing.is_tracking {
            let tracking = Tracking::new(detector, pacing).map_err(|error| {
                gst::error_msg!(
                    gst::ResourceError::NoSpaceLeft,
                    ("no thread for the detector: {error}; try asynchronous=false")
                )
            })?;
            State::Tracking(Box::new(tracking))
        } else {
            State::Single(Single {
                detector,
                last: None,
            })
        };
        *self.state.lock().unwrap() = Some(state);
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        // A worker ends after its search, while nobody else has to wait for the lock.
        let state = self.state.lock().unwrap().take();
        drop(state);
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        gst::debug!(CAT, imp = self, "Configured for {incaps}");
        self.begin_scene();
        self.analyser
            .set_caps(incaps)
            .map_err(|error| gst::loggable_error!(CAT, "{error}"))
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        match event.type_() {
            gst::EventType::FlushStop | gst::EventType::Eos | gst::EventType::StreamStart => {
                self.begin_scene();
            }
            gst::EventType::Segment => {
                if let Some(State::Tracking(tracking)) = self.state.lock().unwrap().as_mut() {
                    tracking.begin_segment();
                }
            }
            _ => {}
        }
        self.analyser.observe_sink_event(&event);
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        self.analyser.observe_src_event(&event);
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
        let settings = self.settings.lock().unwrap().clone();
        let mut state = self.state.lock().unwrap();
        match state.as_mut().ok_or(gst::FlowError::Flushing)? {
            State::Single(single) => self.find(single, &settings, buffer)?,
            State::Tracking(tracking) => {
                let (events, faces) = self.track(tracking, &settings, buffer)?;
                drop(state);
                self.tell(&events, &faces, buffer.pts());
            }
        }
        Ok(gst::FlowSuccess::Ok)
    }
}
