//! The settings of emotion-crowd: an error that names a place, or settings.

#![no_main]

use std::path::Path;
use std::sync::Once;

use emotion_pipelines::crowd::config::Config;
use libfuzzer_sys::fuzz_target;

static START: Once = Once::new();

fuzz_target!(|text: &str| {
    START.call_once(|| emotion_pipelines::init().expect("GStreamer starts"));
    // A launch line builds whatever elements it names, with whatever side effects they have.
    if text.contains("launch") {
        return;
    }
    if let Err(error) = Config::parse(text, Path::new("fuzzed.toml")) {
        assert!(!error.to_string().is_empty());
    }
});
