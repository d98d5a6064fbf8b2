//! Pictures in all formats that are read.

#![no_main]

use emotion_models::image_file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(image) = image_file::decode(bytes) {
        let (width, height) = image.dimensions();
        assert_eq!(image.as_raw().len(), width as usize * height as usize);
    }
});
