//! # `SECTION:element-emotionclassify`
//!
//! Classifies the emotion of each face on a frame and writes it to the face's region of interest as the param
//! `emotion`: label, confidence and the probabilities of all seven emotions. The picture passes through untouched.
//! When the sink reports that the stream is late, and classifying takes a notable part of the frame's duration, the faces
//! keep their emotions and are not classified. No frame is dropped.
//!
//! Faces are regions of interest of the type `object-class`, whoever added them: `facedetect` of this plugin or of
//! GStreamer's OpenCV plugin, or a detector of DL Streamer. A region may reach outside the frame; one without a pixel
//! in it is left unclassified.
//!
//! The emotion of each face is smoothed over time; see `smoothing`. Faces are told apart by the param `object_id` if a
//! tracker has set it, else by how much they overlap from frame to frame.
//!
//! Each result says how well the face can be judged (`quality`, 0 to 1): small, cut off, blurred, turned-away, covered and
//! lying faces have poor crops, and their results weigh less in smoothing.
//!
//! A face whose label is less probable than `threshold` is `uncertain`. On crops with a quality below 0.5 the threshold rises
//! evenly, up to 1 at a quality of 0. A threshold of 0 names every label.
//!
//! Faces need not be classified on each frame: see `classify-interval`. Between, the emotion stays, without `raw_label`.
//!
//! The action signal `learn-baseline` takes the id of a face, or -1 for all, that is at rest now: what the network answers
//! about it in the next second is taken for neutral from then on. It returns whether there is such a face, and weights with a
//! label `neutral`. A frame-level reader sees unchanged answers in that second.
//!
//! `model` and `model-location` can be set while playing and act from the next frame on. Until the new weights are loaded
//! the old ones stay in use. If they cannot be loaded, a warning says why, and the old ones stay. A file at
//! `model-location` that is replaced is loaded again.
//!
//! With `post-messages=change` the element posts `emotion-changed, id=(int), old-emotion=(string),
//! new-emotion=(string), uncertain=(boolean), confidence=(double), stream-time=(GstClockTime),
//! running-time=(GstClockTime)` when the label of a face changes, without `old-emotion` for a new face; with `post-messages=frame` also `emotions` with the `faces` of each
//! frame.
//!
//! Two networks are built in: `residual_xception`, the default, and `mini_xception`, which takes a quarter of its time and is
//! right less often.
//!
//! ## Example pipeline
//!
//! ```sh
//! gst-launch-1.0 v4l2src ! facedetect ! emotionclassify ! emotionoverlay ! videoconvert ! autovideosink
//! ```
//!
//! Few labels in another language, and a message for each change (`-m` prints them):
//!
//! ```sh
//! gst-launch-1.0 -m v4l2src ! facedetect \
//!   ! emotionclassify labels="happy=Freude,angry+disgust+fear+sad=negativ" post-messages=change ! fakesink
//! ```
//!
//! Weights from a file:
//!
//! ```sh
//! gst-launch-1.0 v4l2src ! facedetect ! emotionclassify model-location=my.safetensors ! fakesink
//! ```

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::Instant;

use emotion_analysis::{FaceAnalyzer, FrameResults};
use gst::glib;
use gst::glib::subclass::Signal;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;

use super::file_watcher::FileWatcher;
use super::frame::set_emotions;
use super::messages::{self, EmotionMessages};
use super::model_info::ModelInfo;
use super::settings::Settings;
use crate::analyzer::FrameAnalyzer;
use crate::bus;
use crate::face;
use crate::frame_time::FrameTime;
use crate::pads;
use crate::property::{HasProperties, SharedSettings, read};

pub(super) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "emotionclassify",
        gst::DebugColorFlags::empty(),
        Some("Emotion classification"),
    )
});

/// The implementation of [`super::EmotionClassify`].
#[derive(Default)]
pub struct EmotionClassify {
    pub(super) settings: SharedSettings<Settings>,
    /// Present while the element is started.
    pub(super) face_analyzer: Mutex<Option<FaceAnalyzer>>,
    /// What `stats` says about the weights, with a lock of its own: a reader never waits for the network.
    pub(super) model: Mutex<Option<ModelInfo>>,
    pub(super) analyzer: FrameAnalyzer,
    /// The number of faces that the network has classified since the start.
    classified: AtomicU64,
    warned_of_lost: AtomicBool,
    pub(super) weights_file: Mutex<FileWatcher>,
    /// Held while weights are loaded, so that the ones requested last are the ones that stay.
    pub(super) loading: Mutex<()>,
}

#[glib::object_subclass]
impl ObjectSubclass for EmotionClassify {
    const NAME: &'static str = "GstEmotionClassify";
    type Type = super::EmotionClassify;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for EmotionClassify {
    fn constructed(&self) {
        self.parent_constructed();
        let element = self.obj();
        // A frame that a videorate has repeated is a frame.
        element.set_gap_aware(true);
        pads::explain_unreadable_caps(&*element);
    }

    fn signals() -> &'static [Signal] {
        static SIGNALS: LazyLock<Vec<Signal>> = LazyLock::new(|| {
            let learn_baseline = Signal::builder("learn-baseline")
                .param_types([i32::static_type()])
                .return_type::<bool>()
                .action()
                .class_handler(|arguments| {
                    let element: super::EmotionClassify = read(&arguments[0]);
                    let id: i32 = read(&arguments[1]);
                    Some(element.imp().learn_baseline(id).to_value())
                });
            vec![learn_baseline.build()]
        });

        &SIGNALS
    }

    fn properties() -> &'static [glib::ParamSpec] {
        Settings::properties().specs()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        self.settings.set(&*self.obj(), pspec, value);
        match pspec.name() {
            "model" if self.settings.current().model_path().is_none() => self.reload(),
            "model-location" => self.reload(),
            _ => {}
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        self.settings.get(pspec, || self.stats())
    }
}

impl EmotionClassify {
    /// The statistics of every analysing element, the number of classified faces and, while there are weights, their
    /// name and how the network computes.
    fn stats(&self) -> gst::Structure {
        let mut stats = self.analyzer.stats();
        stats.set("classified", self.classified.load(Ordering::Relaxed));
        if let Some(model) = &*self.model.lock().unwrap() {
            model.network.add_to(&mut stats);
            let threshold = self.settings.current().options.threshold;
            stats.set("threshold", threshold.unwrap_or(model.threshold));
        }
        stats
    }

    /// Learns from the next second what the face with this id looks like at rest, or each face for a negative `id`. Returns
    /// whether that is possible.
    fn learn_baseline(&self, id: i32) -> bool {
        let mut analyzer = self.face_analyzer.lock().unwrap();
        let analyzer = analyzer.as_mut();
        let id = (id >= 0).then_some(id);
        let learns = analyzer.is_some_and(|analyzer| analyzer.learn_baseline(id));
        gst::debug!(CAT, imp = self, "Baseline of {id:?}: {learns}");
        learns
    }

    /// Whether the frame is too late for its faces to be classified; it then counts as skipped.
    fn is_late(&self, settings: &Settings, buffer: &gst::BufferRef, time: FrameTime) -> bool {
        if !settings.skips_late {
            return false;
        }
        let Some(skipped) = self.analyzer.skipped(buffer, time) else {
            return false;
        };
        let pts = buffer.pts().display().to_string();
        gst::log!(CAT, imp = self, "Late, not classifying {pts}");
        skipped.post(&*self.obj());
        true
    }

    /// Warns once about regions that were lost on their way here.
    fn check_regions(&self, buffer: &gst::BufferRef) {
        let lost = face::lost_regions(buffer);
        if lost > 0 && !self.warned_of_lost.swap(true, Ordering::Relaxed) {
            let warning = face::lost_regions_text(lost, "are not classified");
            gst::element_imp_warning!(self, gst::StreamError::Failed, ("{warning}"));
        }
    }

    fn post(&self, results: &FrameResults, time: FrameTime, which: EmotionMessages) {
        if which == EmotionMessages::None {
            return;
        }
        let element = self.obj();
        let changes = results.changes.iter();
        bus::post(
            &*element,
            changes.map(|change| messages::emotion_changed(change, time)),
        );
        if which == EmotionMessages::Frame {
            let faces = results.faces.iter().map(|face| (face.id, &face.emotion));
            bus::post(&*element, [messages::emotions(faces, time)]);
        }
    }

    fn forget_faces(&self) {
        if let Some(analyzer) = &mut *self.face_analyzer.lock().unwrap() {
            analyzer.forget_faces();
        }
    }
}

impl GstObjectImpl for EmotionClassify {}

impl ElementImpl for EmotionClassify {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static ELEMENT_METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::with_additional(
                "Emotion classifier",
                "Filter/Analyzer/Video",
                "Classifies each detected face as one of seven emotions and writes the result to the face's region of interest",
                env!("CARGO_PKG_AUTHORS"),
                &[(
                    "doc-uri",
                    concat!(
                        env!("CARGO_PKG_REPOSITORY"),
                        "/blob/main/docs/elements.md#emotionclassify"
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

impl BaseTransformImpl for EmotionClassify {
    const MODE: BaseTransformMode = BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = self.settings.checked()?;
        self.remember_file(&settings);
        let classifier = settings
            .load()
            .map_err(|error| gst::error_msg!(gst::ResourceError::Settings, ("{error}")))?;
        gst::info!(CAT, imp = self, "Weights: {:?}", classifier.metadata());
        self.analyzer.reset();
        self.classified.store(0, Ordering::Relaxed);
        self.warned_of_lost.store(false, Ordering::Relaxed);
        let analyzer = FaceAnalyzer::new(classifier);
        *self.model.lock().unwrap() = Some(ModelInfo::of(&analyzer));
        *self.face_analyzer.lock().unwrap() = Some(analyzer);
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *self.face_analyzer.lock().unwrap() = None;
        *self.model.lock().unwrap() = None;
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        gst::debug!(CAT, imp = self, "Configured for {incaps}");
        // Rectangles in pictures of different sizes cannot be compared.
        self.forget_faces();
        self.analyzer
            .set_caps(incaps)
            .map_err(|error| gst::loggable_error!(CAT, "{error}"))
    }

    fn query(&self, direction: gst::PadDirection, query: &mut gst::QueryRef) -> bool {
        let answered = BaseTransformImplExt::parent_query(self, direction, query);
        self.analyzer.add_latency(answered, query)
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        self.analyzer.observe_sink_event(&event);
        if event.type_() == gst::EventType::FlushStop {
            self.forget_faces();
        }
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        self.analyzer.observe_src_event(&event);
        self.parent_src_event(event)
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
        // A frame without a running time is classified by itself.
        let time = FrameTime::new(Some(&self.obj().segment()), buffer.pts());
        time.sync_values(&*self.obj());
        let settings = self.settings.current();
        let is_late = self.is_late(&settings, buffer, time);
        self.check_file(&settings);
        self.check_regions(buffer);
        let started = Instant::now();
        #[cfg(feature = "v1_24")]
        face::add_regions_of_objects(buffer, &settings.face_types, &settings.object_class);
        face::assign_ids(buffer, &settings.object_class);
        let faces = face::largest(face::regions(buffer, &settings.object_class));
        if is_late {
            if !faces.is_empty() {
                let results = self.keep_emotions(&faces, time);
                set_emotions(buffer, &faces, &results);
                self.post(&results, time, settings.messages);
            }
            return Ok(gst::FlowSuccess::Ok);
        }
        if faces.is_empty() {
            self.analyzer.add_analysed(0, started.elapsed());
            return Ok(gst::FlowSuccess::Ok);
        }

        let results = self.analyze(buffer, &faces, time, &settings)?;
        set_emotions(buffer, &faces, &results);
        let count = results.faces.len();
        self.classified
            .fetch_add(results.classified as u64, Ordering::Relaxed);
        self.analyzer.add_analysed(count, started.elapsed());
        self.post(&results, time, settings.messages);
        self.analyzer.post_latency(&*self.obj());
        gst::log!(
            CAT,
            imp = self,
            "{count} of {} faces, {} of them classified, in {}; the others lie outside the frame or have no area",
            faces.len(),
            results.classified,
            buffer.pts().display()
        );
        Ok(gst::FlowSuccess::Ok)
    }
}
