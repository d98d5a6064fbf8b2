//! Weights files: refused, or they classify a face.

#![no_main]

use emotion_models::{Classifier, Weights};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(weights) = Weights::from_bytes("fuzzed", bytes) {
        // A network that fits its tensors may still be one that does not classify.
        let _ = Classifier::new(&weights);
    }
});
