//! # `SECTION:element-facedetect`
//!
//! Finds faces and puts each on the frame as a region of interest of type `face` with the params `detection` and, for
//! other elements of this plugin, the same in a custom meta that survives conversions. The picture passes through
//! untouched.
//!
//! When the sink says that the stream is late, frames are not searched and carry the faces of the last searched frame,
//! for up to a second, so that a live picture neither stops nor flickers. The property `stats` counts them as skipped.
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
//! Small faces in the right half of a 4K picture:
//!
//! ```sh
//! gst-launch-1.0 filesrc location=square.mp4 ! decodebin ! facedetect region=0.5,0,0.5,1 min-size=16 tiles=3 ! fakesink
//! ```

use std::sync::{LazyLock, Mutex};
use std::time::Instant;

use emotion_detect::Detector;
use emotion_models::preprocess::GreyRows;
use gst::glib;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;

use super::load::load;
use super::settings::Settings;
use crate::analyser::Analyser;
use crate::face::{self, DetectedFace};

/// How long the faces of a searched frame stand for later frames that are not searched.
const MAX_HOLD: gst::ClockTime = gst::ClockTime::SECOND;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "emotionfacedetect",
        gst::DebugColorFlags::empty(),
        Some("Face detection"),
    )
});

struct State {
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
    analyser: Analyser,
}

impl FaceDetect {
    /// Another picture follows, in which the last faces mean nothing.
    fn forget_faces(&self) {
        if let Some(state) = self.state.lock().unwrap().as_mut() {
            state.last = None;
        }
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
            "stats" => self.analyser.stats().to_value(),
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
        *self.state.lock().unwrap() = Some(State {
            detector,
            last: None,
        });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *self.state.lock().unwrap() = None;
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        gst::debug!(CAT, imp = self, "Configured for {incaps}");
        self.forget_faces();
        self.analyser
            .set_caps(incaps)
            .map_err(|error| gst::loggable_error!(CAT, "{error}"))
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        if event.type_() == gst::EventType::FlushStop {
            self.forget_faces();
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
        let State { detector, last } = state.as_mut().ok_or(gst::FlowError::Flushing)?;

        if self.analyser.skips(&*self.obj(), buffer) {
            gst::debug!(
                CAT,
                imp = self,
                "Late, not searching {}",
                buffer.pts().display()
            );
            if let Some(search) = last
                && search.is_recent(buffer.pts())
            {
                search.add_to(buffer);
            }
            return Ok(gst::FlowSuccess::Ok);
        }

        let started = Instant::now();
        let (frame_width, frame_height, faces) = self
            .analyser
            .look_at(buffer, |image| {
                let options = settings.options_for(image.width(), image.height());
                let faces = detector.detect(image, &options);
                (image.width() as u32, image.height() as u32, faces)
            })
            .map_err(|error| {
                gst::element_imp_error!(self, gst::StreamError::Format, ("{error}"));
                gst::FlowError::Error
            })?;
        let faces = faces.map_err(|error| {
            gst::element_imp_error!(self, gst::LibraryError::Failed, ("{error}"));
            gst::FlowError::Error
        })?;
        let search = last.insert(Search {
            time: buffer.pts(),
            frame_width,
            frame_height,
            faces,
        });
        search.add_to(buffer);

        let count = search.faces.len();
        self.analyser.add_analysed(count, started.elapsed());
        gst::log!(
            CAT,
            imp = self,
            "{count} faces in {}",
            buffer.pts().display()
        );
        Ok(gst::FlowSuccess::Ok)
    }
}
