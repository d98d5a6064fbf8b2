//! The properties of `emotionclassify`.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use emotion_analysis::{ClassifyInterval, Options, Renaming};
use emotion_models::inference;
use emotion_models::preprocess::MARGINS;
use emotion_models::{Classifier, Weights};
use gst::glib;
use gst::prelude::*;

use super::choices::{CropLight, RestMoment, Smoothing};
use super::messages::EmotionMessages;
use crate::face;
use crate::precision::PrecisionChoice;
use crate::property::{HasProperties, Property, PropertyTable, property, read};

const MAX_WINDOW: Duration = Duration::from_secs(60);

/// The value of the property `threshold` that stands for the threshold of the weights.
const THRESHOLD_OF_WEIGHTS: f64 = -1.0;

#[derive(Debug, Clone)]
pub(super) struct Settings {
    model: String,
    model_location: Option<String>,
    precision: PrecisionChoice,
    pub(super) object_class: String,
    #[cfg(feature = "v1_24")]
    pub(super) face_types: face::FaceTypes,
    pub(super) options: Options,
    /// `options.light` as the property has it.
    light: CropLight,
    /// `options.smoothing` as the property has it.
    smoothing: Smoothing,
    /// `options.begins_at_rest` as the property has it.
    baseline: RestMoment,
    /// `options.interval` as it was written.
    interval: String,
    pub(super) renaming: Renaming,
    /// `renaming` as it was written.
    labels: String,
    pub(super) messages: EmotionMessages,
    pub(super) skips_late: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: default_model().into(),
            model_location: None,
            precision: PrecisionChoice::default(),
            object_class: face::ROI_TYPE.into(),
            #[cfg(feature = "v1_24")]
            face_types: face::FaceTypes::default(),
            options: Options::default(),
            light: CropLight::default(),
            smoothing: Smoothing::default(),
            baseline: RestMoment::default(),
            interval: default_interval(),
            renaming: Renaming::default(),
            labels: String::new(),
            messages: EmotionMessages::default(),
            skips_late: true,
        }
    }
}

fn default_model() -> &'static str {
    Weights::built_in_names()[0]
}

fn default_interval() -> String {
    ClassifyInterval::default().to_string()
}

impl Settings {
    pub(super) fn model_path(&self) -> Option<&Path> {
        self.model_location.as_deref().map(Path::new)
    }

    /// Loads the weights that they name.
    pub(super) fn load(&self) -> Result<Classifier, inference::Error> {
        let weights = match self.model_path() {
            Some(path) => Weights::load(path)?,
            None => Weights::built_in(&self.model)?,
        };
        let mut classifier = Classifier::with_precision(&weights, self.precision.of(&weights))?;
        // Weights that are too large to compute with are refused before they replace others.
        classifier.classify(&vec![0.5; classifier.metadata().input_size.pow(2)])?;
        Ok(classifier)
    }
}

impl HasProperties for Settings {
    fn properties() -> &'static PropertyTable<Self> {
        static TABLE: LazyLock<PropertyTable<Settings>> = LazyLock::new(table);

        &TABLE
    }
}

fn text(value: &glib::Value, default: &str) -> String {
    read::<Option<String>>(value).unwrap_or_else(|| default.into())
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn table() -> PropertyTable<Settings> {
    let defaults = Options::default();
    PropertyTable::new(
        "; classified (faces that went through the network); while started also arithmetic, model and weights-id (strings), threshold (double)",
        [
        Property {
            spec: glib::ParamSpecString::builder("model")
                .nick("Model")
                .blurb(
                    "Built-in weights: residual_xception (answers as people would) or mini_xception (smaller and faster, answers \
                     as the labels of FER-2013 do)",
                )
                .default_value(default_model())
                .mutable_playing()
                .build(),
            get: |settings| settings.model.to_value(),
            set: |settings, value| {
                settings.model = text(value, default_model());
                Ok(())
            },
        },
        property!(
            glib::ParamSpecString::builder("model-location")
                .nick("Model location")
                .blurb(
                    "Weights in safetensors with their metadata; null = the built-in weights that model names. A file that \
                     is replaced while playing is loaded again",
                )
                .mutable_playing()
                .build(),
            model_location
        ),
        property!(
            glib::ParamSpecEnum::builder_with_default("precision", PrecisionChoice::default())
                .nick("Precision")
                .blurb("The numbers in which the network multiplies")
                .mutable_ready()
                .build(),
            precision
        ),
        Property {
            spec: glib::ParamSpecString::builder("object-class")
                .nick("Object class")
                .blurb("Type of the regions of interest that are classified")
                .default_value(face::ROI_TYPE)
                .mutable_playing()
                .build(),
            get: |settings| settings.object_class.to_value(),
            set: |settings, value| {
                settings.object_class = text(value, face::ROI_TYPE);
                Ok(())
            },
        },
        #[cfg(feature = "v1_24")]
        Property {
            spec: face::FaceTypes::param_spec(),
            get: |settings| settings.face_types.to_string().to_value(),
            set: |settings, value| {
                settings.face_types = face::FaceTypes::from_value(value);
                Ok(())
            },
        },
        property!(
            glib::ParamSpecFloat::builder("margin")
                .nick("Margin")
                .blurb(
                    "How far the crop reaches beyond the region on each side, as a fraction of the region's longer \
                     side; negative = tighter than the region",
                )
                .minimum(*MARGINS.start())
                .maximum(*MARGINS.end())
                .default_value(defaults.margin)
                .mutable_playing().controllable()
                .build(),
            options.margin
        ),
        property!(
            glib::ParamSpecBoolean::builder("align")
                .nick("Align")
                .blurb("Turn the crops of tilted faces upright, where the detector has found their landmarks")
                .default_value(defaults.align)
                .mutable_playing().controllable()
                .build(),
            options.align
        ),
        Property {
            spec: glib::ParamSpecEnum::builder_with_default("light-correction", CropLight::default())
                .nick("Light correction")
                .blurb("How the light of each face is corrected before it is classified")
                .mutable_playing().controllable()
                .build(),
            get: |settings| settings.light.to_value(),
            set: |settings, value| {
                settings.light = read(value);
                settings.options.light = settings.light.into();
                Ok(())
            },
        },
        property!(
            glib::ParamSpecBoolean::builder("mirror")
                .nick("Mirror")
                .blurb("Classify the mirror image of each face as well and take the mean: more accurate, twice the work")
                .mutable_playing().controllable()
                .build(),
            options.mirror
        ),
        Property {
            spec: glib::ParamSpecString::builder("classify-interval")
                .nick("Classify interval")
                .blurb(
                    "How often each face is classified: in frames (3), as a duration (200ms, 0.5s), or auto: twice a second, \
                     and at once where the emotion is unsure. Sooner when the face looks different; between, its emotion stays",
                )
                .default_value(&*default_interval())
                .mutable_playing()
                .build(),
            get: |settings| settings.interval.to_value(),
            set: |settings, value| {
                let interval = text(value, &default_interval());
                settings.options.interval = interval
                    .parse()
                    .map_err(|error| format!("classify-interval: {error}"))?;
                settings.interval = interval;
                Ok(())
            },
        },
        Property {
            spec: glib::ParamSpecEnum::builder_with_default("smoothing", Smoothing::default())
                .nick("Smoothing")
                .blurb("How the emotion of each face is smoothed over time")
                .mutable_playing().controllable()
                .build(),
            get: |settings| settings.smoothing.to_value(),
            set: |settings, value| {
                settings.smoothing = read(value);
                settings.options.smoothing = settings.smoothing.into();
                Ok(())
            },
        },
        Property {
            spec: glib::ParamSpecUInt64::builder("smoothing-window")
                .nick("Smoothing window")
                .blurb("How far back smoothing looks, in nanoseconds")
                .maximum(nanoseconds(MAX_WINDOW))
                .default_value(nanoseconds(defaults.window))
                .mutable_playing().controllable()
                .build(),
            get: |settings| nanoseconds(settings.options.window).to_value(),
            set: |settings, value| {
                settings.options.window = Duration::from_nanos(read(value));
                Ok(())
            },
        },
        Property {
            spec: glib::ParamSpecEnum::builder_with_default("baseline", RestMoment::default())
                .nick("Baseline")
                .blurb(
                    "When the faces are known to be at rest: what they look like then is taken for neutral. The signal \
                     learn-baseline does the same for a moment of your choice",
                )
                .mutable_playing().controllable()
                .build(),
            get: |settings| settings.baseline.to_value(),
            set: |settings, value| {
                settings.baseline = read(value);
                settings.options.begins_at_rest = settings.baseline == RestMoment::FirstSecond;
                Ok(())
            },
        },
        Property {
            spec: glib::ParamSpecDouble::builder("threshold")
                .nick("Threshold")
                .blurb(
                    "Probability below which a face's label is uncertain, higher on poor crops; 0 = always name the most \
                     probable one, -1 = the value that the weights bring, or 0 if they bring none. A smoothed label changes \
                     between named and uncertain when it was on the other side clearly or for long",
                )
                .minimum(THRESHOLD_OF_WEIGHTS)
                .maximum(1.0)
                .default_value(THRESHOLD_OF_WEIGHTS)
                .mutable_playing().controllable()
                .build(),
            get: |settings| {
                let threshold = settings.options.threshold;
                threshold.unwrap_or(THRESHOLD_OF_WEIGHTS).to_value()
            },
            set: |settings, value| {
                let threshold: f64 = read(value);
                settings.options.threshold = match threshold {
                    THRESHOLD_OF_WEIGHTS => None,
                    0.0.. => Some(threshold),
                    _ => {
                        let expected = "a number from 0 to 1, or -1 for the threshold of the weights";
                        return Err(format!("threshold: expected {expected}, found {threshold}").into());
                    }
                };
                Ok(())
            },
        },
        Property {
            spec: glib::ParamSpecString::builder("labels")
                .nick("Labels")
                .blurb(
                    "Other names for labels, or one for several, whose probabilities are added: \
                     happy=Freude,angry+disgust=negative",
                )
                .default_value("")
                .mutable_playing()
                .build(),
            get: |settings| settings.labels.to_value(),
            set: |settings, value| {
                let labels = text(value, "");
                settings.renaming =
                    Renaming::parse(&labels).map_err(|error| format!("labels: {error}"))?;
                settings.labels = labels;
                Ok(())
            },
        },
        property!(
            glib::ParamSpecBoolean::builder("skip-late")
                .nick("Skip late frames")
                .blurb(
                    "Do not classify on frames that would reach the sink too late, but for one a second: their faces keep \
                     their emotions. Each is told by a QoS message",
                )
                .default_value(true)
                .mutable_playing().controllable()
                .build(),
            skips_late
        ),
        property!(
            glib::ParamSpecEnum::builder_with_default("post-messages", EmotionMessages::default())
                .nick("Post messages")
                .blurb("Which element messages to post on the bus")
                .mutable_playing().controllable()
                .build(),
            messages
        ),
        property!(
            glib::ParamSpecEnum::builder_with_default("notify", EmotionMessages::default())
                .nick("Notify")
                .blurb("Deprecated: use post-messages")
                .mutable_playing().controllable()
                .deprecated()
                .build(),
            messages
        ),
    ],
    )
}
