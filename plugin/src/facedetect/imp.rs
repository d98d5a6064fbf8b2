//! # `SECTION:element-facedetect`
//!
//! Finds faces and puts each on the frame as a region of interest of type `face` with the params `detection` and, for
//! other elements of this plugin, the same in a custom meta that survives conversions. The picture passes through
//! untouched.
//!
//! When the sink says that the stream is late, frames are not searched and carry the faces of the last searched frame,
//! for up to a second, so that a live picture neither stops nor flickers. The property `stats` counts them as skipped.
//!
//! The faces are found by one of OpenCV's cascades, by default its frontal face Haar cascade, which sees upright faces
//! that look at the camera. The confidence of a detection grows with the number of search windows that agree on it; it
//! ranks faces and is no calibrated probability.
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
//! gst-launch-1.0 filesrc location=talk.mp4 ! decodebin ! facedetect min-size=120 scale-factor=1.2 ! fakesink
//! ```

use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};
use std::time::Instant;

use emotion_detect::{Cascade, Options};
use emotion_models::preprocess::GreyRows;
use gst::glib;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;

use crate::analyser::Analyser;
use crate::face::{self, DetectedFace};
use crate::stats::Stats;

const DEFAULT_THREADS: u32 = 1;

/// How long the faces of a searched frame stand for later frames that are not searched.
const MAX_HOLD: gst::ClockTime = gst::ClockTime::SECOND;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "emotionfacedetect",
        gst::DebugColorFlags::empty(),
        Some("Face detection"),
    )
});

#[derive(Debug, Clone)]
struct Settings {
    cascade_file: Option<String>,
    options: Options,
    threads: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cascade_file: None,
            options: Options::default(),
            threads: DEFAULT_THREADS,
        }
    }
}

struct State {
    cascade: Cascade,
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
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            let defaults = Options::default();
            vec![
                glib::ParamSpecString::builder("cascade-file")
                    .nick("Cascade file")
                    .blurb(
                        "OpenCV cascade in XML, Haar or LBP; null = the frontal face Haar cascade from where OpenCV's \
                         data files are usually installed",
                    )
                    .mutable_ready()
                    .build(),
                glib::ParamSpecDouble::builder("scale-factor")
                    .nick("Scale factor")
                    .blurb("Ratio of one searched face size to the next; larger is faster and finds fewer faces")
                    .minimum(1.01)
                    .maximum(10.0)
                    .default_value(defaults.scale_factor)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt::builder("min-neighbors")
                    .nick("Minimum neighbours")
                    .blurb(
                        "A face is where more than this many neighbouring search windows agree; larger means fewer \
                         false faces and more missed ones",
                    )
                    .default_value(defaults.min_neighbors)
                    .maximum(1000)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt::builder("min-size")
                    .nick("Minimum size")
                    .blurb("Width and height of the smallest face to be found, in pixels; larger is faster")
                    .default_value(defaults.min_size_px)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt::builder("max-size")
                    .nick("Maximum size")
                    .blurb("Width and height of the largest face to be found, in pixels; 0 = no limit")
                    .default_value(defaults.max_size_px)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt::builder("threads")
                    .nick("Threads")
                    .blurb(
                        "Threads for one frame, set at the start; OpenCV has one such number for the whole process. \
                         0 = leave it as it is",
                    )
                    .default_value(DEFAULT_THREADS)
                    .maximum(1024)
                    .mutable_ready()
                    .build(),
                Stats::param_spec(),
            ]
        });

        PROPERTIES.as_ref()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let mut settings = self.settings.lock().unwrap();
        let options = &mut settings.options;
        match pspec.name() {
            "cascade-file" => settings.cascade_file = value.get().expect("type checked upstream"),
            "scale-factor" => options.scale_factor = value.get().expect("type checked upstream"),
            "min-neighbors" => options.min_neighbors = value.get().expect("type checked upstream"),
            "min-size" => options.min_size_px = value.get().expect("type checked upstream"),
            "max-size" => options.max_size_px = value.get().expect("type checked upstream"),
            "threads" => settings.threads = value.get().expect("type checked upstream"),
            name => unreachable!("no writable property {name}"),
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let settings = self.settings.lock().unwrap();
        let options = &settings.options;
        match pspec.name() {
            "cascade-file" => settings.cascade_file.to_value(),
            "scale-factor" => options.scale_factor.to_value(),
            "min-neighbors" => options.min_neighbors.to_value(),
            "min-size" => options.min_size_px.to_value(),
            "max-size" => options.max_size_px.to_value(),
            "threads" => settings.threads.to_value(),
            "stats" => self.analyser.stats().to_value(),
            name => unreachable!("no property {name}"),
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
        let file = settings.cascade_file.map(PathBuf::from);
        let cascade = Cascade::load(file.as_deref()).map_err(|error| match error {
            emotion_detect::Error::Unreadable { .. } => {
                gst::error_msg!(gst::ResourceError::OpenRead, ("{error}"))
            }
            emotion_detect::Error::NotACascade { .. } => {
                gst::error_msg!(gst::ResourceError::Settings, ("{error}"))
            }
            emotion_detect::Error::NotInstalled { .. } => gst::error_msg!(
                gst::ResourceError::NotFound,
                ("{error} or set the property cascade-file")
            ),
            error => gst::error_msg!(gst::ResourceError::NotFound, ("{error}")),
        })?;
        if settings.threads > 0 {
            emotion_detect::set_threads(settings.threads)
                .map_err(|error| gst::error_msg!(gst::LibraryError::Settings, ("{error}")))?;
        }
        self.analyser.reset();
        *self.state.lock().unwrap() = Some(State {
            cascade,
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
        let options = self.settings.lock().unwrap().options;
        let mut state = self.state.lock().unwrap();
        let State { cascade, last } = state.as_mut().ok_or(gst::FlowError::Flushing)?;

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
                let faces = cascade.detect(image, &options);
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
