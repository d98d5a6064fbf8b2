//! Image files (PNG, JPEG, BMP, WebP, PNM) as grey values. The contents decide the format, not the name.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use emotion_models::preprocess::{self, GreyImage, GreyRows, Preprocessor, Region, luma};
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageReader, Rgb};

/// Why a file is not an image; the message does not name the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is missing or not readable.
    #[error("cannot be opened: {0}")]
    Open(#[from] io::Error),
    /// The format is unknown.
    #[error(
        "is not a PNG, JPEG, BMP, WebP or PNM picture; convert pictures of other formats to PNG"
    )]
    Format,
    /// The file is damaged or uses an unsupported variant of its format.
    #[error("cannot be decoded, it may be damaged or incomplete: {0}")]
    Decode(#[source] image::ImageError),
}

/// Reads the file at `path` as full-range grey values. Colours become grey as in the plugin, an alpha channel is
/// dropped, and the EXIF orientation is applied.
///
/// # Errors
///
/// When the file cannot be read or is no image.
pub fn load(path: &Path) -> Result<GrayImage, Error> {
    let reader = ImageReader::new(BufReader::new(File::open(path)?)).with_guessed_format()?;
    if reader.format().is_none() {
        return Err(Error::Format);
    }
    let mut decoder = reader.into_decoder().map_err(Error::Decode)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
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

/// The image as `preprocess` takes it.
///
/// # Errors
///
/// When it has no pixels.
pub fn view(image: &GrayImage) -> Result<GreyImage<'_>, preprocess::Error> {
    let width = image.width() as usize;
    GreyImage::new(image, width, image.height() as usize, width)
}

/// The grey levels of a region, resampled to the size of the preprocessor, row by row.
///
/// # Errors
///
/// When the region has no area.
pub fn crop(
    image: &impl GreyRows,
    region: Region,
    preprocessor: &mut Preprocessor,
) -> Result<Vec<u8>, preprocess::Error> {
    let mut values = vec![0.0; preprocessor.size().pow(2)];
    preprocessor.run(image, region, &mut values)?;
    let level = |value: &f32| ((value + 1.0) * 127.5).round() as u8;
    Ok(values.iter().map(level).collect())
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
        assert!(message.contains("PNG, JPEG, BMP, WebP or PNM"), "{message}");
    }

    #[test]
    fn a_truncated_image_is_an_error() {
        let error = load("cut.pgm", b"P5 4 4 255\n\x07").unwrap_err();
        assert!(matches!(error, Error::Decode(_)), "{error}");
    }
}
