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
//! Two networks are built in: `mini_xception`, the default, and `residual_xception`, which is right more often and takes
//! four to five times as long.
//!
//! ## Example pipeline
//!
//! ```sh
//! gst-launch-1.0 v4l2src ! facedetect ! emotionclassify ! emotionoverlay ! videoconvert ! autovideosink
//! ```
//!
//! Weights from a file:
//!
//! ```sh
//! gst-launch-1.0 v4l2src ! facedetect ! emotionclassify model-location=my.safetensors ! fakesink
//! ```

use std::path::Path;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use emotion_models::Emotion;
use emotion_models::Weights;
use emotion_models::preprocess::{DEFAULT_MARGIN, MARGINS, Region};
use gst::glib;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;

use super::batch::BatchClassifier;
use super::smoothing::Method;
use super::tracks::Tracks;
use crate::analyser::Analyser;
use crate::face::{self, EmotionResult, Face};
use crate::stats::Stats;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "emotionclassify",
        gst::DebugColorFlags::empty(),
        Some("Emotion classification"),
    )
});

const DEFAULT_WINDOW: u64 = 1_000_000_000;

#[derive(Debug, Clone)]
struct Settings {
    model: String,
    model_location: Option<String>,
    object_class: String,
    margin: f32,
    smoothing: Method,
    /// In nanoseconds.
    smoothing_window: u64,
    threshold: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: default_model().into(),
            model_location: None,
            object_class: face::ROI_TYPE.into(),
            margin: DEFAULT_MARGIN,
            smoothing: Method::default(),
            smoothing_window: DEFAULT_WINDOW,
            threshold: 0.0,
        }
    }
}

fn default_model() -> &'static str {
    let [name, _] = Weights::built_in_names();
    name
}

/// The implementation of [`super::EmotionClassify`].
#[derive(Default)]
pub struct EmotionClassify {
    settings: Mutex<Settings>,
    classifier: Mutex<Option<BatchClassifier>>,
    analyser: Analyser,
    tracks: Mutex<Tracks>,
}

#[glib::object_subclass]
impl ObjectSubclass for EmotionClassify {
    const NAME: &'static str = "GstEmotionClassify";
    type Type = super::EmotionClassify;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for EmotionClassify {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            vec![
                glib::ParamSpecString::builder("model")
                    .nick("Model")
                    .blurb("Built-in weights: mini_xception (small, fast) or residual_xception (more accurate)")
                    .default_value(default_model())
                    .mutable_ready()
                    .build(),
                glib::ParamSpecString::builder("model-location")
                    .nick("Model location")
                    .blurb("Weights in safetensors with their metadata; null = the built-in weights that model names")
                    .mutable_ready()
                    .build(),
                glib::ParamSpecString::builder("object-class")
                    .nick("Object class")
                    .blurb("Type of the regions of interest that are classified")
                    .default_value(face::ROI_TYPE)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecFloat::builder("margin")
                    .nick("Margin")
                    .blurb(
                        "How far the crop reaches beyond the region on each side, as a fraction of the region's longer \
                         side; negative = tighter than the region",
                    )
                    .minimum(*MARGINS.start())
                    .maximum(*MARGINS.end())
                    .default_value(DEFAULT_MARGIN)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecEnum::builder_with_default("smoothing", Method::default())
                    .nick("Smoothing")
                    .blurb("How the emotion of each face is smoothed in time")
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt64::builder("smoothing-window")
                    .nick("Smoothing window")
                    .blurb("How far back smoothing looks, in nanoseconds")
                    .maximum(60_000_000_000)
                    .default_value(DEFAULT_WINDOW)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecDouble::builder("threshold")
                    .nick("Threshold")
                    .blurb("Probability below which a face's label is uncertain; 0 = always name the best")
                    .minimum(0.0)
                    .maximum(1.0)
                    .default_value(0.0)
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
            "model" => {
                settings.model = value
                    .get::<Option<String>>()
                    .expect("type checked upstream")
                    .unwrap_or_else(|| default_model().into());
            }
            "model-location" => {
                settings.model_location = value.get().expect("type checked upstream");
            }
            "object-class" => {
                settings.object_class = value
                    .get::<Option<String>>()
                    .expect("type checked upstream")
                    .unwrap_or_else(|| face::ROI_TYPE.into());
            }
            "margin" => settings.margin = value.get().expect("type checked upstream"),
            "smoothing" => settings.smoothing = value.get().expect("type checked upstream"),
            "smoothing-window" => {
                settings.smoothing_window = value.get().expect("type checked upstream");
            }
            "threshold" => settings.threshold = value.get().expect("type checked upstream"),
            name => unreachable!("no writable property {name}"),
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let settings = self.settings.lock().unwrap();
        match pspec.name() {
            "model" => settings.model.to_value(),
            "model-location" => settings.model_location.to_value(),
            "object-class" => settings.object_class.to_value(),
            "margin" => settings.margin.to_value(),
            "smoothing" => settings.smoothing.to_value(),
            "smoothing-window" => settings.smoothing_window.to_value(),
            "threshold" => settings.threshold.to_value(),
            "stats" => self.stats().to_value(),
            name => unreachable!("no property {name}"),
        }
    }
}

impl EmotionClassify {
    /// The statistics of every analysing element and, while there are weights, how the network computes.
    fn stats(&self) -> gst::Structure {
        let mut stats = self.analyser.stats();
        if let Some(classifier) = &*self.classifier.lock().unwrap() {
            stats.set("arithmetic", classifier.arithmetic());
        }
        stats
    }
}

impl EmotionClassify {
    /// None without a time stamp or outside the segment: such a frame stands for itself.
    fn running_time(&self, buffer: &gst::BufferRef) -> Option<Duration> {
        let segment = self.obj().segment();
        let segment = segment.downcast_ref::<gst::ClockTime>()?;
        segment.to_running_time(buffer.pts()).map(Duration::from)
    }

    /// Puts the steady emotion in place of the frame's own, which stays as `raw`.
    fn smooth(
        &self,
        emotions: &mut [(i32, EmotionResult)],
        faces: &[Face],
        time: Duration,
        method: Method,
        window: Duration,
    ) {
        let region = |face: &Face| Region {
            x: face.x as f32,
            y: face.y as f32,
            width: face.width as f32,
            height: face.height as f32,
        };
        let places = emotions.iter_mut().filter_map(|(id, emotion)| {
            let face = faces.iter().find(|face| face.roi_id == *id)?;
            let place = (face.object_id, region(face));
            Some((emotion, place))
        });
        let (emotions, results): (Vec<_>, Vec<_>) = places
            .map(|(emotion, place)| {
                let probabilities = std::mem::take(&mut emotion.probabilities);
                (emotion, (place, probabilities))
            })
            .unzip();
        let mut tracks = self.tracks.lock().unwrap();
        let steady = tracks.smooth(time, &results, method, window);
        for (emotion, steady) in emotions.into_iter().zip(steady) {
            let labels = emotion.labels.iter().map(String::as_str);
            let probabilities = steady.probabilities.iter().copied();
            emotion.valence = Emotion::mean_valence(labels.zip(probabilities));
            emotion.label.clone_from(&emotion.labels[steady.label_id]);
            emotion.label_id = steady.label_id;
            emotion.confidence = steady.probabilities[steady.label_id];
            emotion.probabilities = steady.probabilities;
        }
    }
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
            LazyLock::new(Analyser::pad_templates);

        PAD_TEMPLATES.as_ref()
    }
}

impl BaseTransformImpl for EmotionClassify {
    const MODE: BaseTransformMode = BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let Settings {
            model,
            model_location,
            ..
        } = self.settings.lock().unwrap().clone();
        let classifier = BatchClassifier::load(model_location.as_deref().map(Path::new), &model)
            .map_err(|error| gst::error_msg!(gst::ResourceError::Settings, ("{error}")))?;
        gst::info!(CAT, imp = self, "Weights: {:?}", classifier.metadata());
        self.analyser.reset();
        *self.tracks.lock().unwrap() = Tracks::default();
        *self.classifier.lock().unwrap() = Some(classifier);
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *self.classifier.lock().unwrap() = None;
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        gst::debug!(CAT, imp = self, "Configured for {incaps}");
        // Regions of another size are no longer comparable, nor are the faces' histories by place.
        *self.tracks.lock().unwrap() = Tracks::default();
        self.analyser
            .set_caps(incaps)
            .map_err(|error| gst::loggable_error!(CAT, "{error}"))
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        self.analyser.observe_sink_event(&event);
        if event.type_() == gst::EventType::FlushStop {
            *self.tracks.lock().unwrap() = Tracks::default();
        }
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        self.analyser.observe_src_event(&event);
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
        if self.analyser.skips(&*self.obj(), buffer) {
            gst::debug!(
                CAT,
                imp = self,
                "Late, not classifying {}",
                buffer.pts().display()
            );
            return Ok(gst::FlowSuccess::Ok);
        }

        let Settings {
            object_class,
            margin,
            smoothing,
            smoothing_window,
            threshold,
            ..
        } = self.settings.lock().unwrap().clone();
        let mut classifier = self.classifier.lock().unwrap();
        let classifier = classifier.as_mut().ok_or(gst::FlowError::Flushing)?;
        let started = Instant::now();
        face::assign_ids(buffer, &object_class);
        let faces = face::regions(buffer, &object_class);
        if faces.is_empty() {
            self.analyser.add_analysed(0, started.elapsed());
            return Ok(gst::FlowSuccess::Ok);
        }

        let mut emotions = self
            .analyser
            .look_at(buffer, |image| classifier.classify(image, &faces, margin))
            .map_err(|error| {
                gst::element_imp_error!(self, gst::StreamError::Format, ("{error}"));
                gst::FlowError::Error
            })?
            .map_err(|error| {
                gst::element_imp_error!(self, gst::LibraryError::Failed, ("{error}"));
                gst::FlowError::Error
            })?;
        if smoothing != Method::None
            && let Some(time) = self.running_time(buffer)
        {
            let window = Duration::from_nanos(smoothing_window);
            self.smooth(&mut emotions, &faces, time, smoothing, window);
        }
        for (_, emotion) in &mut emotions {
            if emotion.confidence < threshold {
                emotion.label = face::UNCERTAIN.into();
            }
        }
        face::set_emotions(buffer, &emotions);
        self.analyser
            .add_analysed(emotions.len(), started.elapsed());
        gst::log!(
            CAT,
            imp = self,
            "{} of {} faces in {}",
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
