//! The classifier that the results are made with.

use anyhow::Context as _;
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

/// A classifier as it works on this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct InstalledClassifier {
    /// What it is on each machine.
    pub identity: ClassifierIdentity,
    /// Instruction set and precision with which it computes here, such as `AVX-512 bf16`.
    pub arithmetic: String,
}

impl InstalledClassifier {
    /// An `emotionclassify` with these properties, in the syntax of `gst-launch-1.0`.
    ///
    /// # Errors
    ///
    /// If a property is wrong or its weights cannot be loaded.
    pub fn of(properties: &str) -> anyhow::Result<Self> {
        let line = LaunchLine::default()
            .words("appsrc ! emotionclassify")
            .words(properties)
            .words("! fakesink async=false");
        let pipeline = line.launch()?;
        let started = started(&pipeline);
        // It was only started to be asked; errors of the end would tell nothing.
        let _ = pipeline.set_state(gst::State::Null);
        started
    }
}

fn started(pipeline: &gst::Pipeline) -> anyhow::Result<InstalledClassifier> {
    let bus = pipeline.bus().context("the pipeline has no bus")?;
    if pipeline.set_state(gst::State::Paused).is_err() {
        let message = bus.pop_filtered(&[gst::MessageType::Error]);
        if let Some(gst::MessageView::Error(error)) = message.as_ref().map(|m| m.view()) {
            anyhow::bail!("emotionclassify: {}", error.error().message());
        }
        anyhow::bail!("emotionclassify does not start");
    }
    let mut found = pipeline.iterate_all_by_element_factory_name("emotionclassify");
    let element = found.next().ok().flatten();
    let element = element.context("the pipeline has no emotionclassify")?;
    let stats = element.property::<gst::Structure>("stats");
    Ok(InstalledClassifier {
        identity: ClassifierIdentity {
            model: stats.get("model")?,
            weights_id: stats.get("weights-id")?,
            threshold: stats.get("threshold")?,
        },
        arithmetic: stats.get("arithmetic")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use emotion_models::Weights;
    use emotion_models::weights::WeightsId;

    #[test]
    fn the_identity_is_that_of_the_weights_that_the_properties_name() {
        crate::init().unwrap();
        for name in Weights::built_in_names() {
            let weights = Weights::built_in(name).unwrap();
            let found = InstalledClassifier::of(&format!("model={name} threshold=0.5")).unwrap();
            assert!(!found.arithmetic.is_empty());
            let found = found.identity;
            assert_eq!(found.model, name);
            assert_eq!(found.weights_id, WeightsId::of(&weights).fingerprint);
            assert_eq!(found.threshold, 0.5);
        }
        let default = InstalledClassifier::of("").unwrap().identity;
        assert_eq!(default.model, Weights::built_in_names()[0]);
        assert_ne!(default.threshold, 0.5);
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
            let error = InstalledClassifier::of(properties).unwrap_err();
            let error = format!("{error:#}");
            assert!(error.contains(part), "{error}");
        }
    }
}
