//! Image files (PNG, JPEG, BMP, WebP, GIF, TIFF, PNM) as grey values. The contents decide the format, not the name.
//!
//! ```
//! use emotion_models::image_file;
//!
//! let picture = image_file::decode(b"P5 2 1 255\n\x07\x63")?;
//! assert_eq!(picture.into_raw(), [7, 99]);
//! # Ok::<(), image_file::Error>(())
//! ```

mod jpeg;

use std::io::{self, Cursor};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb};

pub use jpeg::has_end;

use crate::preprocess::{self, GreyImage, luma};
use crate::regular_file;

/// Why a file is not an image; the message does not name the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is missing or not readable.
    #[error("cannot be opened: {0}")]
    Open(#[from] io::Error),
    /// The format is unknown.
    #[error(
        "is not a PNG, JPEG, BMP, WebP, GIF, TIFF or PNM picture; convert pictures of other formats to PNG"
    )]
    Format,
    /// The file ends before the picture does.
    #[error("is cut short: the end of the picture is missing; copy it again")]
    CutShort,
    /// The file is damaged or uses an unsupported variant of its format.
    #[error("cannot be decoded, it may be damaged or incomplete: {0}")]
    Decode(#[source] image::ImageError),
}

/// Reads the file at `path` as [`decode`] reads its contents.
///
/// # Errors
///
/// When the file cannot be read or is no whole image.
pub fn load(path: &Path) -> Result<GrayImage, Error> {
    decode(&regular_file::read(path)?)
}

/// The contents of an image file as full-range grey values. Colours become grey as in the plugin, an alpha channel is
/// dropped, and the EXIF orientation is applied. Of an animation it is the first picture.
///
/// # Errors
///
/// When they are no whole image.
pub fn decode(bytes: &[u8]) -> Result<GrayImage, Error> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let format = reader.format().ok_or(Error::Format)?;
    // The decoder makes the missing part grey.
    if format == ImageFormat::Jpeg && !has_end(bytes) {
        return Err(Error::CutShort);
    }
    let mut decoder = reader.into_decoder().map_err(Error::Decode)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    // A small file can claim a picture that no memory holds.
    let mut limits = Limits::default();
    limits
        .reserve(decoder.total_bytes())
        .map_err(Error::Decode)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(Error::Decode)?;
    image.apply_orientation(orientation);
    Ok(grey(image))
}

fn grey(image: DynamicImage) -> GrayImage {
    if !image.color().has_color() {
        return image.into_luma8();
    }
    let (width, height) = (image.width(), image.height());
    let grey = |pixel: &Rgb<u8>| luma(pixel[0], pixel[1], pixel[2]);
    let pixels = image.into_rgb8().pixels().map(grey).collect();
    GrayImage::from_raw(width, height, pixels).expect("one grey value for each pixel")
}

/// The image as [`preprocess`] takes it.
///
/// # Errors
///
/// When it has no pixels.
pub fn view(image: &GrayImage) -> Result<GreyImage<'_>, preprocess::Error> {
    let width = image.width() as usize;
    GreyImage::new(image, width, image.height() as usize, width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(name: &str, contents: &[u8]) -> Result<GrayImage, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, contents).unwrap();
        super::load(&path)
    }

    #[test]
    fn colours_become_the_grey_that_the_plugin_sees() {
        let ppm = b"P6 3 1 255\n\xff\0\0\0\xff\0\0\0\xff";
        let image = load("colours.ppm", ppm).unwrap();
        assert_eq!(image.dimensions(), (3, 1));
        assert_eq!(image.into_raw(), [76, 150, 29]);
    }

    #[test]
    fn the_contents_decide_and_not_the_name() {
        let image = load("grey.jpg", b"P5 2 1 255\n\x07\x63").unwrap();
        assert_eq!(image.into_raw(), [7, 99]);
    }

    #[test]
    fn a_file_that_is_no_image_is_an_error_that_says_which_kinds_are() {
        let message = load("notes.png", b"hello").unwrap_err().to_string();
        assert!(
            message.contains("PNG, JPEG, BMP, WebP, GIF, TIFF or PNM"),
            "{message}"
        );
    }

    #[test]
    fn a_truncated_image_is_an_error() {
        let error = load("cut.pgm", b"P5 4 4 255\n\x07").unwrap_err();
        assert!(matches!(error, Error::Decode(_)), "{error}");
    }

    #[test]
    fn a_jpeg_file_that_is_cut_short_is_an_error_though_its_decoder_fills_it_up() {
        let mut whole = Vec::new();
        let encoder = image::codecs::jpeg::JpegEncoder::new(&mut whole);
        let noise = GrayImage::from_fn(64, 64, |x, y| image::Luma([(x * y * 37) as u8]));
        noise.write_with_encoder(encoder).unwrap();
        assert_eq!(decode(&whole).unwrap().dimensions(), (64, 64));
        let error = decode(&whole[..whole.len() / 2]).unwrap_err();
        assert!(matches!(error, Error::CutShort), "{error}");
    }
}
