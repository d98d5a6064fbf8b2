//! # `SECTION:element-emotionclassify`
//!
//! Classifies the emotion of every face on a frame and writes it to the face's region of interest as the param
//! `emotion`: label, confidence and the probabilities of all seven emotions. The picture passes through untouched.
//! When the sink says that the stream is late, and classifying takes a notable part of the frame's duration, frames pass
//! without being classified.
//!
//! Faces are regions of interest of the type `object-class`, whoever added them: `facedetect` of this plugin or of
//! GStreamer's OpenCV plugin, or a detector of DL Streamer. A region may reach outside the frame; one without a pixel
//! in it is left unclassified.
//!
//! The emotion is steady: it is smoothed in time for each face by itself, as `smoothing` says. Faces are told apart by the
//! param `object_id` where a tracker has set it, else by how much they overlap from frame to frame.
//!
//! Each result says how well the face can be judged (`quality`, 0 to 1): small, cut off, blurred and turned-away faces
//! have poor crops, and what is seen in those weighs less in smoothing.
//!
//! Faces need not be classified on each frame: see `classify-interval`. Between, the emotion stays, without `raw_label`.
//!
//! `model` and `model-location` act while playing, from the next frame on; until the new weights are loaded, and where
//! they cannot be, the old ones go on and a warning says why. A file at `model-location` that is replaced is loaded anew.
//!
//! With `notify=change` the element posts `emotion-changed, id=(int), old-emotion=(string), new-emotion=(string),
//! confidence=(double), stream-time=(GstClockTime), running-time=(GstClockTime)` when the label of a face changes, without
//! `old-emotion` for a new face; with `notify=frame` also `emotions` with the `faces` of each frame.
//!
//! Two networks are built in: `mini_xception`, the default, and `residual_xception`, which is right more often and takes
//! four to five times as long.
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
//!   ! emotionclassify labels="happy=Freude,angry+disgust+fear+sad=negativ" notify=change ! fakesink
//! ```
//!
//! Weights from a file:
//!
//! ```sh
//! gst-launch-1.0 v4l2src ! facedetect ! emotionclassify model-location=my.safetensors ! fakesink
//! ```

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use gst::glib;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;

use super::judge::{Judge, Judgement};
use super::notify::{self, Notify};
use super::settings::Settings;
use super::watch::Watch;
use crate::analyzer::FrameAnalyzer;
use crate::bus;
use crate::face::{self, Face};
use crate::frame_time::FrameTime;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "emotionclassify",
        gst::DebugColorFlags::empty(),
        Some("Emotion classification"),
    )
});

/// The implementation of [`super::EmotionClassify`].
#[derive(Default)]
pub struct EmotionClassify {
    settings: Mutex<Arc<Settings>>,
    /// There while the element is started.
    judge: Mutex<Option<Judge>>,
    analyzer: FrameAnalyzer,
    /// Faces that the network was asked about since the start.
    classified: AtomicU64,
    watch: Mutex<Watch>,
    /// Held while weights are loaded, so that the last ones that are asked for are the last ones that come.
    loading: Mutex<()>,
}

#[glib::object_subclass]
impl ObjectSubclass for EmotionClassify {
    const NAME: &'static str = "GstEmotionClassify";
    type Type = super::EmotionClassify;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for EmotionClassify {
    fn properties() -> &'static [glib::ParamSpec] {
        Settings::properties()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let mut settings = self.settings.lock().unwrap();
        let outcome = Arc::make_mut(&mut settings).set(pspec.name(), value);
        let is_built_in = settings.model_location.is_none();
        // Whoever listens to messages or waits for the weights may ask for properties.
        drop(settings);
        if let Err(error) = outcome {
            gst::element_imp_warning!(
                self,
                gst::LibraryError::Settings,
                ("{error}; the value before stays in effect")
            );
        }
        match pspec.name() {
            "model" if is_built_in => self.reload(),
            "model-location" => self.reload(),
            _ => {}
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "stats" => self.stats().to_value(),
            name => self.settings.lock().unwrap().get(name),
        }
    }
}

impl EmotionClassify {
    fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.lock().unwrap())
    }

    /// The statistics of every analysing element, how many faces the network was asked about and, while there are
    /// weights, their name and how the network computes.
    fn stats(&self) -> gst::Structure {
        let mut stats = self.analyzer.stats();
        stats.set("classified", self.classified.load(Ordering::Relaxed));
        if let Some(judge) = &*self.judge.lock().unwrap() {
            stats.set("arithmetic", judge.arithmetic());
            stats.set("model", &judge.metadata().name);
        }
        stats
    }

    /// Loads the weights that the settings ask for, if the element is started. Where that fails, the old ones go on.
    fn reload(&self) {
        let _loading = self.loading.lock().unwrap();
        if self.judge.lock().unwrap().is_none() {
            return;
        }
        let settings = self.settings();
        self.note_file(&settings);
        let loaded = settings.load();
        let mut judge = self.judge.lock().unwrap();
        let Some(judge) = &mut *judge else { return };
        let error = match loaded {
            Ok(classifier) => {
                gst::info!(CAT, imp = self, "Weights: {:?}", classifier.metadata());
                judge.change_model(classifier);
                return;
            }
            Err(error) => format!("{error}; {} goes on", judge.metadata().name),
        };
        self.warn_later(error);
    }

    /// Posts a warning when no lock is held any more that its listeners might want.
    fn warn_later(&self, warning: String) {
        self.obj().call_async(move |element| {
            gst::element_imp_warning!(element.imp(), gst::ResourceError::Settings, ("{warning}"));
        });
    }

    fn note_file(&self, settings: &Settings) {
        let path = settings.model_location.as_deref().map(Path::new);
        self.watch.lock().unwrap().note(path);
    }

    /// Has somebody else look whether the file of the weights was replaced: a disk may keep one waiting.
    fn watch(&self, settings: &Settings) {
        if settings.model_location.is_none() || !self.watch.lock().unwrap().is_due(Instant::now()) {
            return;
        }
        self.obj().call_async(|element| {
            let this = element.imp();
            let settings = this.settings();
            let path = settings.model_location.as_deref().map(Path::new);
            let is_another = this.watch.lock().unwrap().look(path);
            if is_another {
                this.reload();
            }
        });
    }

    /// Says what the faces on `buffer` show.
    fn judge(
        &self,
        buffer: &gst::BufferRef,
        faces: &[Face],
        time: FrameTime,
        settings: &Settings,
    ) -> Result<Judgement, Failure> {
        let mut judge = self.judge.lock().unwrap();
        let judge = judge.as_mut().ok_or(Failure::Stopped)?;
        let unknown = judge.rename(&settings.renaming);
        if !unknown.is_empty() {
            let (unknown, known) = (unknown.join(", "), judge.metadata().labels.join(", "));
            self.warn_later(format!(
                "labels: the weights know no {unknown}, only {known}"
            ));
        }
        let crops = self
            .analyzer
            .with_luma(buffer, |image| judge.crop(image, faces, settings))
            .map_err(|error| Failure::Frame(error.to_string()))?;
        let time = time.running.map(Duration::from);
        judge
            .judge(faces, &crops, time, settings)
            .map_err(|error| Failure::Network(error.to_string()))
    }

    fn post(&self, judgement: &Judgement, time: FrameTime, notify: Notify) {
        if notify == Notify::None {
            return;
        }
        let element = self.obj();
        let changes = judgement.changes.iter();
        bus::post(&*element, changes.map(|change| change.to_structure(time)));
        if notify == Notify::Frame {
            let emotions = judgement.emotions.iter().map(|(_, emotion)| emotion);
            let faces = judgement.ids.iter().copied().zip(emotions);
            bus::post(&*element, [notify::emotions(faces, time)]);
        }
    }

    fn forget(&self) {
        if let Some(judge) = &mut *self.judge.lock().unwrap() {
            judge.forget();
        }
    }
}

/// Why a frame could not be judged.
enum Failure {
    Stopped,
    Frame(String),
    Network(String),
}

impl GstObjectImpl for EmotionClassify {}

impl ElementImpl for EmotionClassify {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static ELEMENT_METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Emotion classifier",
                "Filter/Analyzer/Video",
                "Says which of seven emotions each detected face shows, and adds that to the face's region of interest",
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

impl BaseTransformImpl for EmotionClassify {
    const MODE: BaseTransformMode = BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = self.settings();
        settings
            .check()
            .map_err(|error| gst::error_msg!(gst::LibraryError::Settings, ("{error}")))?;
        self.note_file(&settings);
        let classifier = settings
            .load()
            .map_err(|error| gst::error_msg!(gst::ResourceError::Settings, ("{error}")))?;
        gst::info!(CAT, imp = self, "Weights: {:?}", classifier.metadata());
        self.analyzer.reset();
        self.classified.store(0, Ordering::Relaxed);
        *self.judge.lock().unwrap() = Some(Judge::new(classifier));
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *self.judge.lock().unwrap() = None;
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        gst::debug!(CAT, imp = self, "Configured for {incaps}");
        // Regions of another size are no longer comparable, nor are the faces' histories by place.
        self.forget();
        self.analyzer
            .set_caps(incaps)
            .map_err(|error| gst::loggable_error!(CAT, "{error}"))
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        self.analyzer.observe_sink_event(&event);
        if event.type_() == gst::EventType::FlushStop {
            self.forget();
        }
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        self.analyzer.observe_src_event(&event);
        self.parent_src_event(event)
    }

    /// Downstream gets the very buffers of upstream, so downstream's answer holds.
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
        // None without a time stamp or outside the segment: such a frame stands for itself.
        let time = FrameTime::new(Some(&self.obj().segment()), buffer.pts());
        if self.analyzer.skips(buffer, time.running) {
            gst::debug!(
                CAT,
                imp = self,
                "Late, not classifying {}",
                buffer.pts().display()
            );
            return Ok(gst::FlowSuccess::Ok);
        }

        let settings = self.settings();
        self.watch(&settings);
        let started = Instant::now();
        face::assign_ids(buffer, &settings.object_class);
        let faces = face::regions(buffer, &settings.object_class);
        if faces.is_empty() {
            self.analyzer.add_analysed(0, started.elapsed());
            return Ok(gst::FlowSuccess::Ok);
        }

        let judgement = self
            .judge(buffer, &faces, time, &settings)
            .map_err(|failure| {
                match failure {
                    Failure::Stopped => return gst::FlowError::Flushing,
                    Failure::Frame(error) => {
                        gst::element_imp_error!(self, gst::StreamError::Format, ("{error}"));
                    }
                    Failure::Network(error) => {
                        gst::element_imp_error!(self, gst::LibraryError::Failed, ("{error}"));
                    }
                }
                gst::FlowError::Error
            })?;
        let Judgement {
            emotions,
            classified,
            ..
        } = &judgement;
        face::set_emotions(buffer, emotions);
        self.classified
            .fetch_add(*classified as u64, Ordering::Relaxed);
        self.analyzer
            .add_analysed(emotions.len(), started.elapsed());
        self.post(&judgement, time, settings.notify);
        gst::log!(
            CAT,
            imp = self,
            "{} of {} faces, {classified} of them classified, in {}",
            emotions.len(),
            faces.len(),
            buffer.pts().display()
        );
        if emotions.len() < faces.len() {
            let count = faces.len() - emotions.len();
            gst::debug!(
                CAT,
                imp = self,
                "{count} regions outside the frame or without an area left unclassified"
            );
        }
        Ok(gst::FlowSuccess::Ok)
    }
}
