//! Picture files of people: PNG, JPEG, BMP, WebP and PNM, whatever their names say, as grey values.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use emotion_models::preprocess::{self, GreyImage, luma};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Rgb};

/// A grey picture in full range, upright.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

/// Why a file is not a picture; the message does not name the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not there or not readable.
    #[error("cannot be opened: {0}")]
    Open(#[from] io::Error),
    /// The file is of no known kind.
    #[error(
        "is no PNG, JPEG, BMP, WebP or PNM picture; if it is one of another kind, convert it to PNG"
    )]
    Kind,
    /// The file is damaged or of an unusual sort.
    #[error("cannot be decoded, it may be damaged or incomplete: {0}")]
    Decode(#[source] image::ImageError),
}

impl Picture {
    /// Reads the file at `path`. Colours become grey as in the plugin, an alpha channel is left
    /// out, and the picture is turned as its EXIF orientation says.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is no picture.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let reader = ImageReader::new(BufReader::new(File::open(path)?)).with_guessed_format()?;
        if reader.format().is_none() {
            return Err(Error::Kind);
        }
        let mut decoder = reader.into_decoder().map_err(Error::Decode)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut image = DynamicImage::from_decoder(decoder).map_err(Error::Decode)?;
        image.apply_orientation(orientation);
        Ok(Self::grey(image))
    }

    fn grey(image: DynamicImage) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let pixels = if image.color().has_color() {
            let grey = |pixel: &Rgb<u8>| luma(pixel[0], pixel[1], pixel[2]);
            image.into_rgb8().pixels().map(grey).collect()
        } else {
            image.into_luma8().into_raw()
        };
        Self {
            pixels,
            width,
            height,
        }
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Its grey values, row by row without gaps.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// The picture as `preprocess` takes it.
    ///
    /// # Errors
    ///
    /// When the picture has no pixels.
    pub fn view(&self) -> Result<GreyImage<'_>, preprocess::Error> {
        GreyImage::new(&self.pixels, self.width, self.height, self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(name: &str, contents: &[u8]) -> Result<Picture, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, contents).unwrap();
        Picture::load(&path)
    }

    #[test]
    fn colours_become_the_grey_that_the_plugin_sees() {
        let ppm = b"P6 3 1 255\n\xff\0\0\0\xff\0\0\0\xff";
        let picture = load("colours.ppm", ppm).unwrap();
        assert_eq!((picture.width(), picture.height()), (3, 1));
        assert_eq!(picture.pixels, [76, 150, 29]);
    }

    #[test]
    fn the_contents_decide_and_not_the_name() {
        let picture = load("grey.jpg", b"P5 2 1 255\n\x07\x63").unwrap();
        assert_eq!(picture.pixels, [7, 99]);
    }

    #[test]
    fn a_file_that_is_no_picture_is_an_error_that_says_which_kinds_are() {
        let message = load("notes.png", b"hello").unwrap_err().to_string();
        assert!(message.contains("PNG, JPEG, BMP, WebP or PNM"), "{message}");
    }

    #[test]
    fn a_truncated_picture_is_an_error() {
        let error = load("cut.pgm", b"P5 4 4 255\n\x07").unwrap_err();
        assert!(matches!(error, Error::Decode(_)), "{error}");
    }
}
