//! What quantised weights say of themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What quantising has changed, measured on data that it was not calibrated on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantizationReport {
    /// The data, such as `PublicTest`.
    pub data: String,
    /// Figures of which a higher one is better, in percent: before and after.
    pub figures: BTreeMap<String, [f64; 2]>,
    /// The percentage points that a figure may lose.
    pub allowed: f64,
}

impl QuantizationReport {
    /// Its key in a file's metadata.
    pub(super) const KEY: &str = "quantization";

    /// Whether no figure loses more than is allowed, and there are some.
    pub fn holds(&self) -> bool {
        let mut figures = self.figures.values();
        !self.figures.is_empty() && figures.all(|[before, after]| before - after <= self.allowed)
    }
}
