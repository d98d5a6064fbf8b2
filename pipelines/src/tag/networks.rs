//! The networks that the results are made with.

use anyhow::{Context as _, anyhow};
use gst::prelude::*;
use serde::{Deserialize, Serialize};

use crate::launch_line::LaunchLine;

/// What decides about the labels besides the settings: results that another classifier made are out of date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassifierIdentity {
    /// Name of the weights.
    pub model: String,
    /// Their fingerprint, which changes with their values.
    pub weights_id: String,
    /// The threshold below which an emotion is uncertain, 0 to 1.
    pub threshold: f64,
}

/// What decides about the boxes besides the settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DetectorIdentity {
    /// Name of the weights.
    pub model: String,
    /// Their fingerprint, which changes with their values.
    pub weights_id: String,
}

/// The networks as they work on this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct InstalledNetworks {
    /// The classifier, the same on each machine.
    pub classifier: ClassifierIdentity,
    /// The detector likewise; `None` for a cascade.
    pub detector: Option<DetectorIdentity>,
    /// Instruction set and precision with which the classifier computes here, such as `AVX-512 bf16`.
    pub arithmetic: String,
}

impl InstalledNetworks {
    /// Those of a `facedetect` and an `emotionclassify` with these properties, in the syntax of `gst-launch-1.0`.
    ///
    /// # Errors
    ///
    /// If a property is wrong or weights cannot be loaded.
    pub fn of(facedetect: &str, emotionclassify: &str) -> anyhow::Result<Self> {
        let detector = stats("facedetect", facedetect)?;
        let classifier = stats("emotionclassify", emotionclassify)?;
        let detector = match detector.has_field("model") {
            true => Some(DetectorIdentity {
                model: detector.get("model")?,
                weights_id: detector.get("weights-id")?,
            }),
            false => None,
        };
        Ok(Self {
            classifier: ClassifierIdentity {
                model: classifier.get("model")?,
                weights_id: classifier.get("weights-id")?,
                threshold: classifier.get("threshold")?,
            },
            detector,
            arithmetic: classifier.get("arithmetic")?,
        })
    }
}

/// What an element of ours with these properties says in `stats` after its start.
fn stats(element: &str, properties: &str) -> anyhow::Result<gst::Structure> {
    let line = LaunchLine::default()
        .words("appsrc !")
        .words(element)
        .words(properties)
        .words("! fakesink async=false");
    // The user did not write this line, so the error does not quote it.
    let pipeline = line
        .launch()
        .map_err(|error| anyhow!("{}", error.root_cause()))?;
    let stats = started(element, &pipeline);
    // It was only started to be asked; errors of the end would tell nothing.
    let _ = pipeline.set_state(gst::State::Null);
    stats
}

fn started(element: &str, pipeline: &gst::Pipeline) -> anyhow::Result<gst::Structure> {
    let bus = pipeline.bus().context("the pipeline has no bus")?;
    if pipeline.set_state(gst::State::Paused).is_err() {
        let message = bus.pop_filtered(&[gst::MessageType::Error]);
        if let Some(gst::MessageView::Error(error)) = message.as_ref().map(|m| m.view()) {
            anyhow::bail!("{element}: {}", error.error().message());
        }
        anyhow::bail!("{element} does not start");
    }
    let ours = pipeline
        .iterate_elements()
        .into_iter()
        .flatten()
        .find(|element| element.type_().name().starts_with("GstEmotion"));
    let ours = ours.with_context(|| format!("the pipeline has no {element}"))?;
    Ok(ours.property("stats"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use emotion_models::Weights;
    use emotion_models::weights::WeightsId;

    fn of(emotionclassify: &str) -> anyhow::Result<InstalledNetworks> {
        InstalledNetworks::of("", emotionclassify)
    }

    #[test]
    fn the_identities_are_those_of_the_weights_that_the_properties_name() {
        crate::init().unwrap();
        for name in Weights::built_in_names() {
            let weights = Weights::built_in(name).unwrap();
            let found = of(&format!("model={name} threshold=0.5")).unwrap();
            assert!(!found.arithmetic.is_empty());
            let found = found.classifier;
            assert_eq!(found.model, name);
            assert_eq!(found.weights_id, WeightsId::of(&weights).fingerprint);
            assert_eq!(found.threshold, 0.5);
        }
        let default = of("").unwrap();
        assert_eq!(default.classifier.model, Weights::built_in_names()[0]);
        assert_ne!(default.classifier.threshold, 0.5);
        let detector = WeightsId::of(&Weights::detector().unwrap());
        let found = default.detector.unwrap();
        assert_eq!(
            (found.model, found.weights_id),
            (detector.name, detector.fingerprint)
        );
    }

    #[test]
    fn weights_that_cannot_be_loaded_and_unknown_properties_are_errors() {
        crate::init().unwrap();
        for (properties, part) in [
            (
                "model-location=/nowhere/w.safetensors",
                "/nowhere/w.safetensors",
            ),
            ("model=huge", "no built-in weights"),
            ("no-such=1", "no-such"),
        ] {
            let error = format!("{:#}", of(properties).unwrap_err());
            assert!(error.contains(part), "{error}");
        }
        let properties = "model-location=/nowhere/d.safetensors";
        let error = InstalledNetworks::of(properties, "").unwrap_err();
        let error = error.to_string();
        assert!(
            error.starts_with("facedetect: /nowhere/d.safetensors"),
            "{error}"
        );
    }
}
