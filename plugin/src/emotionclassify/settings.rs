//! The properties of `emotionclassify`.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use emotion_analysis::interval::{self, Interval};
use emotion_analysis::labels::Renaming;
use emotion_analysis::smoothing::Method;
use emotion_models::Weights;
use emotion_models::inference;
use emotion_models::preprocess::{DEFAULT_MARGIN, LightCorrection, MARGINS};
use gst::glib;
use gst::prelude::*;

use super::batch::BatchClassifier;
use super::notify::Notify;
use crate::face;
use crate::stats::Stats;

const DEFAULT_WINDOW: u64 = 1_000_000_000;

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) model: String,
    pub(super) model_location: Option<String>,
    pub(super) object_class: String,
    pub(super) margin: f32,
    pub(super) light: Light,
    pub(super) mirror: bool,
    pub(super) smoothing: Smoothing,
    /// In nanoseconds.
    smoothing_window: u64,
    pub(super) personalise: bool,
    pub(super) threshold: f64,
    pub(super) notify: Notify,
    /// As it was set, which may be impossible.
    labels: String,
    /// The last possible one.
    pub(super) renaming: Renaming,
    /// As it was set, which may be impossible.
    classify_interval: String,
    /// The last possible one.
    pub(super) interval: Interval,
}

/// The names of [`Method`] as a property.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionClassifySmoothing")]
#[repr(i32)]
pub(super) enum Smoothing {
    #[enum_value(name = "Each frame by itself", nick = "none")]
    None,
    #[enum_value(name = "The most frequent label of the window", nick = "mode")]
    Mode,
    #[enum_value(name = "The mean of the window", nick = "mean")]
    Mean,
    #[default]
    #[enum_value(
        name = "A label stays until another leads clearly for long enough",
        nick = "adaptive"
    )]
    Adaptive,
}

impl From<Smoothing> for Method {
    fn from(smoothing: Smoothing) -> Self {
        match smoothing {
            Smoothing::None => Self::None,
            Smoothing::Mode => Self::Mode,
            Smoothing::Mean => Self::Mean,
            Smoothing::Adaptive => Self::Adaptive,
        }
    }
}

/// The names of [`LightCorrection`] as a property.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionClassifyLight")]
#[repr(i32)]
pub(super) enum Light {
    #[default]
    #[enum_value(name = "No correction", nick = "none")]
    None,
    #[enum_value(name = "Histogram equalisation", nick = "equalize")]
    Equalize,
    #[enum_value(
        name = "Contrast-limited adaptive histogram equalisation",
        nick = "clahe"
    )]
    Clahe,
    #[enum_value(
        name = "Brighter where it is dark, a shape for burnt-out highlights",
        nick = "exposure"
    )]
    Exposure,
}

impl From<Light> for LightCorrection {
    fn from(light: Light) -> Self {
        match light {
            Light::None => Self::None,
            Light::Equalize => Self::Equalize,
            Light::Clahe => Self::Clahe,
            Light::Exposure => Self::Exposure,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: default_model().into(),
            model_location: None,
            object_class: face::ROI_TYPE.into(),
            margin: DEFAULT_MARGIN,
            light: Light::default(),
            mirror: false,
            smoothing: Smoothing::default(),
            smoothing_window: DEFAULT_WINDOW,
            personalise: false,
            threshold: 0.0,
            notify: Notify::default(),
            labels: String::new(),
            renaming: Renaming::default(),
            classify_interval: "1".into(),
            interval: Interval::default(),
        }
    }
}

fn default_model() -> &'static str {
    let [name, _] = Weights::built_in_names();
    name
}

impl Settings {
    pub(super) fn window(&self) -> Duration {
        Duration::from_nanos(self.smoothing_window)
    }

    /// The classifier that they ask for.
    pub(super) fn load(&self) -> Result<BatchClassifier, inference::Error> {
        BatchClassifier::load(self.model_location.as_deref().map(Path::new), &self.model)
    }

    /// What is impossible about them, if anything is.
    pub(super) fn check(&self) -> Result<(), String> {
        let renaming = Renaming::parse(&self.labels).map_err(|error| error.to_string());
        let interval: Result<Interval, _> = self.classify_interval.parse();
        renaming.and(interval.map(drop).map_err(|error| error.to_string()))
    }

    /// All properties of the element.
    pub(super) fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(properties);

        PROPERTIES.as_ref()
    }

    /// Sets a property; the error is what is wrong with the value, which then does not take effect.
    pub(super) fn set(&mut self, name: &str, value: &glib::Value) -> Result<(), String> {
        let text = |default: &str| {
            let text: Option<String> = get(value);
            text.unwrap_or_else(|| default.into())
        };
        match name {
            "model" => self.model = text(default_model()),
            "model-location" => self.model_location = get(value),
            "object-class" => self.object_class = text(face::ROI_TYPE),
            "margin" => self.margin = get(value),
            "light-correction" => self.light = get(value),
            "mirror" => self.mirror = get(value),
            "smoothing" => self.smoothing = get(value),
            "smoothing-window" => self.smoothing_window = get(value),
            "personalise" => self.personalise = get(value),
            "threshold" => self.threshold = get(value),
            "notify" => self.notify = get(value),
            "labels" => {
                self.labels = text("");
                self.renaming = Renaming::parse(&self.labels).map_err(|error| error.to_string())?;
            }
            "classify-interval" => {
                self.classify_interval = text("1");
                let interval = self.classify_interval.parse();
                self.interval =
                    interval.map_err(|error: interval::Error| error.to_string())?;
            }
            name => unreachable!("no writable property {name}"),
        }
        Ok(())
    }

    /// The value of a property.
    pub(super) fn get(&self, name: &str) -> glib::Value {
        match name {
            "model" => self.model.to_value(),
            "model-location" => self.model_location.to_value(),
            "object-class" => self.object_class.to_value(),
            "margin" => self.margin.to_value(),
            "light-correction" => self.light.to_value(),
            "mirror" => self.mirror.to_value(),
            "smoothing" => self.smoothing.to_value(),
            "smoothing-window" => self.smoothing_window.to_value(),
            "personalise" => self.personalise.to_value(),
            "threshold" => self.threshold.to_value(),
            "notify" => self.notify.to_value(),
            "labels" => self.labels.to_value(),
            "classify-interval" => self.classify_interval.to_value(),
            name => unreachable!("no property {name}"),
        }
    }
}

fn get<'a, T: glib::value::FromValue<'a>>(value: &'a glib::Value) -> T {
    value.get().expect("type checked upstream")
}

fn properties() -> Vec<glib::ParamSpec> {
    vec![
        glib::ParamSpecString::builder("model")
            .nick("Model")
            .blurb("Built-in weights: mini_xception (small, fast) or residual_xception (more accurate)")
            .default_value(default_model())
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("model-location")
            .nick("Model location")
            .blurb(
                "Weights in safetensors with their metadata; null = the built-in weights that model names. A file that \
                 is replaced while playing is loaded anew",
            )
            .mutable_playing()
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
        glib::ParamSpecEnum::builder_with_default("light-correction", Light::default())
            .nick("Light correction")
            .blurb("How the light of each face is corrected before it is classified")
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("mirror")
            .nick("Mirror")
            .blurb("Look at the mirror image of each face as well and take the mean: more accurate, twice the work")
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("classify-interval")
            .nick("Classify interval")
            .blurb(
                "How often each face is classified, in frames (3) or as a duration (200ms, 0.5s), sooner when it \
                 looks different; between, its emotion stays",
            )
            .default_value("1")
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("smoothing", Smoothing::default())
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
        glib::ParamSpecBoolean::builder("personalise")
            .nick("Personalise")
            .blurb("Take what each face shows most of the time for its neutral expression")
            .mutable_playing()
            .build(),
        glib::ParamSpecDouble::builder("threshold")
            .nick("Threshold")
            .blurb(
                "Probability below which a face's label is uncertain; 0 = always name the best. A smoothed label \
                 that was uncertain is named again a little above it",
            )
            .minimum(0.0)
            .maximum(1.0)
            .default_value(0.0)
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("labels")
            .nick("Labels")
            .blurb(
                "Other names for labels, or one for several, whose probabilities are added: \
                 happy=Freude,angry+disgust=negative",
            )
            .default_value("")
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("notify", Notify::default())
            .nick("Notify")
            .blurb("Which element messages are posted on the bus")
            .mutable_playing()
            .build(),
        Stats::param_spec(),
    ]
}
