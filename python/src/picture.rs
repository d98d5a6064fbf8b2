//! Pictures as Python gives them.

use std::path::PathBuf;

use emotion_models::image_file;
use emotion_models::preprocess::{GreyImage, luma};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::errors::{picture_error, value_error};

/// A picture: a path, the contents of a file, or `(pixels, height, width, channels)`.
#[derive(FromPyObject)]
pub(crate) enum Picture {
    Pixels(PyBackedBytes, usize, usize, Channels),
    Encoded(PyBackedBytes),
    File(PathBuf),
}

/// What the bytes of a pixel are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Channels {
    Grey,
    /// Red first; a fourth byte is left out.
    Rgb {
        bytes: usize,
    },
    /// Blue first; a fourth byte is left out.
    Bgr {
        bytes: usize,
    },
}

impl<'py> FromPyObject<'_, 'py> for Channels {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match value.extract::<&str>()? {
            "grey" => Ok(Self::Grey),
            "rgb" => Ok(Self::Rgb { bytes: 3 }),
            "rgba" => Ok(Self::Rgb { bytes: 4 }),
            "bgr" => Ok(Self::Bgr { bytes: 3 }),
            "bgra" => Ok(Self::Bgr { bytes: 4 }),
            other => Err(value_error(format!(
                "expected channels grey, rgb, rgba, bgr or bgra, found {other}"
            ))),
        }
    }
}

/// The grey values of a picture, row by row.
pub(crate) struct GreyPicture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// The grey values, as `emotion-trainer predict` makes them of a file and the elements of RGB video.
    pub(crate) fn grey(&self) -> PyResult<GreyPicture> {
        let image = match self {
            Self::Pixels(bytes, height, width, channels) => {
                return grey(bytes, *height, *width, *channels);
            }
            Self::Encoded(bytes) => {
                image_file::decode(bytes).map_err(|error| picture_error(None, error))?
            }
            Self::File(path) => {
                image_file::load(path).map_err(|error| picture_error(Some(path), error))?
            }
        };
        Ok(GreyPicture {
            width: image.width() as usize,
            height: image.height() as usize,
            pixels: image.into_raw(),
        })
    }
}

fn grey(bytes: &[u8], height: usize, width: usize, channels: Channels) -> PyResult<GreyPicture> {
    let pixel = match channels {
        Channels::Grey => 1,
        Channels::Rgb { bytes } | Channels::Bgr { bytes } => bytes,
    };
    let expected = height.checked_mul(width).and_then(|n| n.checked_mul(pixel));
    if expected != Some(bytes.len()) {
        return Err(value_error(format!(
            "expected {height} × {width} × {pixel} bytes, found {}",
            bytes.len()
        )));
    }
    let pixels = match channels {
        Channels::Grey => bytes.to_vec(),
        Channels::Rgb { bytes: 3 } => triples(bytes, |[red, green, blue]| luma(red, green, blue)),
        Channels::Bgr { bytes: 3 } => triples(bytes, |[blue, green, red]| luma(red, green, blue)),
        Channels::Rgb { .. } => quads(bytes, |[red, green, blue, _]| luma(red, green, blue)),
        Channels::Bgr { .. } => quads(bytes, |[blue, green, red, _]| luma(red, green, blue)),
    };
    Ok(GreyPicture {
        width,
        height,
        pixels,
    })
}

fn triples(bytes: &[u8], grey: impl Fn([u8; 3]) -> u8) -> Vec<u8> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|&pixel| grey(pixel))
        .collect()
}

fn quads(bytes: &[u8], grey: impl Fn([u8; 4]) -> u8) -> Vec<u8> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|&pixel| grey(pixel))
        .collect()
}

impl GreyPicture {
    /// The picture as the analysis takes it.
    pub(crate) fn view(&self) -> PyResult<GreyImage<'_>> {
        GreyImage::new(&self.pixels, self.width, self.height, self.width)
            .map_err(|error| value_error(error.to_string()))
    }
}
