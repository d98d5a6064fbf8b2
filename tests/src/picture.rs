//! The portrait that most tests look at, and PNG files.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use crate::repository;

/// A picture of three bytes a pixel: red, green, blue.
#[derive(Debug)]
pub struct RgbPicture {
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    /// Row by row, without padding.
    pub pixels: Vec<[u8; 3]>,
}

/// A portrait of 512×512 pixels with one face, at about 180–290 × 70–190; its origin: `tests/media/README.md`.
pub fn portrait() -> PathBuf {
    repository("tests/media/astronaut.png")
}

/// The pixels of an RGB picture.
///
/// # Panics
///
/// When the file is not a PNG of eight bits a colour without transparency.
pub fn rgb(path: &Path) -> RgbPicture {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = png::Decoder::new(BufReader::new(file))
        .read_info()
        .expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("it fits into memory")];
    let info = reader.next_frame(&mut pixels).expect("a whole PNG");
    assert_eq!(
        (info.color_type, info.bit_depth),
        (png::ColorType::Rgb, png::BitDepth::Eight)
    );
    RgbPicture {
        width: info.width as usize,
        height: info.height as usize,
        pixels: pixels.as_chunks().0.to_vec(),
    }
}
