//! What the statistics say about a network.

use emotion_detect::Detector;
use emotion_models::weights::WeightsId;

/// The weights of a network and how it computes.
#[derive(Debug)]
pub(crate) struct NetworkInfo {
    id: WeightsId,
    arithmetic: String,
}

impl NetworkInfo {
    /// Of a network with weights of this id, which computes with this instruction set and precision.
    pub(crate) fn new(id: &WeightsId, arithmetic: String) -> Self {
        let id = id.clone();
        Self { id, arithmetic }
    }

    /// Of the network of a detector, if it has one.
    pub(crate) fn of_detector(detector: &Detector) -> Option<Self> {
        let network = detector.network()?;
        Some(Self::new(network.weights_id(), network.arithmetic()))
    }

    pub(crate) fn add_to(&self, stats: &mut gst::Structure) {
        stats.set("arithmetic", &self.arithmetic);
        stats.set("model", &self.id.name);
        stats.set("weights-id", &self.id.fingerprint);
    }
}
