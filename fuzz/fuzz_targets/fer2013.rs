//! fer2013.csv, and the votes for it.

#![no_main]

use std::path::Path;

use emotion_trainer::data::{FACE_SIZE, fer2013, ferplus};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("fuzzed.csv");
    // Nobody finds 2,304 pixels by chance: `P` stands for them.
    let pixels = vec!["7"; FACE_SIZE * FACE_SIZE].join(" ");
    let text = String::from_utf8_lossy(bytes).replace('P', &pixels);
    let (faces, votes) = text.split_once("\n\n").unwrap_or((&text, ""));
    if let Ok(dataset) = fer2013::read(faces.as_bytes(), path) {
        let _ = ferplus::read(votes.as_bytes(), path, &dataset);
    }
});
