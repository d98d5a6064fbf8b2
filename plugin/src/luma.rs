//! The luma of a frame of any supported format as grey values in full range: the input of the networks and the cascades.
//!
//! - **YUV and grey:** the luma plane or the luma bytes as they are, whatever matrix made them. Limited range (16 to
//!   235, as the colorimetry of the caps says) is expanded to 0 to 255 by table, since the networks are trained on
//!   full-range pictures.
//! - **RGB:** 0.299 R + 0.587 G + 0.114 B, as [`luma`] says; the caps of RGB video name no luma matrix.
//!
//! No frame is copied: rows of a full-range plane are borrowed, others are converted as they are read.

use std::ops::Range;

use emotion_models::preprocess::{self, GreyImage, GreyRows, luma};
use gst_video::prelude::*;
use gst_video::{VideoColorRange, VideoFormat, VideoFrameRef, VideoInfo};

/// The formats whose luma can be read.
pub const FORMATS: [VideoFormat; 13] = [
    VideoFormat::Gray8,
    VideoFormat::I420,
    VideoFormat::Yv12,
    VideoFormat::Nv12,
    VideoFormat::Nv21,
    VideoFormat::Yuy2,
    VideoFormat::Uyvy,
    VideoFormat::Rgb,
    VideoFormat::Bgr,
    VideoFormat::Rgbx,
    VideoFormat::Bgrx,
    VideoFormat::Rgba,
    VideoFormat::Bgra,
];

/// Why the luma of a frame cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The format is none of [`FORMATS`].
    #[error("cannot read the luma of the format {0:?}; put a videoconvert in front")]
    Format(VideoFormat),
    /// The rows run upwards.
    #[error("expected a positive stride, found {0}")]
    Stride(i32),
    /// The data ends before the picture.
    #[error(transparent)]
    Picture(#[from] preprocess::Error),
}

/// Reads the luma of frames of one format and size.
#[derive(Debug)]
pub struct LumaReader {
    width: usize,
    height: usize,
    layout: Layout,
    /// Full-range values for limited-range ones, `None` if the range is full.
    expand: Option<Box<[u8; 256]>>,
}

/// The luma of a frame.
#[derive(Debug, Clone, Copy)]
pub struct LumaView<'a> {
    reader: &'a LumaReader,
    /// The luma plane, all bytes of its pixels.
    bytes: GreyImage<'a>,
}

/// Where the luma of a pixel stands in the first plane.
#[derive(Debug, Clone, Copy)]
enum Layout {
    Plane,
    /// Every second byte, from `first` on.
    Packed {
        first: usize,
    },
    /// Three colours in `step` bytes.
    Rgb {
        step: usize,
        red: usize,
        green: usize,
        blue: usize,
    },
}

impl LumaReader {
    /// A reader of frames with the format and size of `info`.
    ///
    /// # Errors
    ///
    /// If the format is none of [`FORMATS`].
    pub fn new(info: &VideoInfo) -> Result<Self, Error> {
        let rgb = |step, red, green, blue| Layout::Rgb {
            step,
            red,
            green,
            blue,
        };
        let layout = match info.format() {
            VideoFormat::Gray8
            | VideoFormat::I420
            | VideoFormat::Yv12
            | VideoFormat::Nv12
            | VideoFormat::Nv21 => Layout::Plane,
            VideoFormat::Yuy2 => Layout::Packed { first: 0 },
            VideoFormat::Uyvy => Layout::Packed { first: 1 },
            VideoFormat::Rgb => rgb(3, 0, 1, 2),
            VideoFormat::Bgr => rgb(3, 2, 1, 0),
            VideoFormat::Rgbx | VideoFormat::Rgba => rgb(4, 0, 1, 2),
            VideoFormat::Bgrx | VideoFormat::Bgra => rgb(4, 2, 1, 0),
            other => return Err(Error::Format(other)),
        };
        let is_limited = info.colorimetry().range() == VideoColorRange::Range16_235;
        Ok(Self {
            width: info.width() as usize,
            height: info.height() as usize,
            layout,
            expand: is_limited.then(expansion),
        })
    }

    /// The luma of `frame`, which must have the format and size that the reader was made for.
    ///
    /// # Errors
    ///
    /// If the strides are negative or the data ends before the picture.
    pub fn view<'a>(
        &'a self,
        frame: &'a VideoFrameRef<&gst::BufferRef>,
    ) -> Result<LumaView<'a>, Error> {
        // The luma of every supported format lies in the first plane.
        let stride = frame.plane_stride()[0];
        let stride = usize::try_from(stride).map_err(|_| Error::Stride(stride))?;
        let data = frame.plane_data(0).unwrap_or_default();
        self.view_plane(data, stride)
    }

    fn view_plane<'a>(&'a self, data: &'a [u8], stride: usize) -> Result<LumaView<'a>, Error> {
        let width = self.width * self.layout.bytes_per_pixel();
        let bytes = GreyImage::new(data, width, self.height, stride)?;
        Ok(LumaView {
            reader: self,
            bytes,
        })
    }
}

impl GreyRows for LumaView<'_> {
    fn width(&self) -> usize {
        self.reader.width
    }

    fn height(&self) -> usize {
        self.reader.height
    }

    fn grey<'a>(&'a self, y: usize, columns: Range<usize>, buffer: &'a mut Vec<u8>) -> &'a [u8] {
        let LumaReader { layout, expand, .. } = self.reader;
        let step = layout.bytes_per_pixel();
        let pixels = &self.bytes.row(y)[columns.start * step..columns.end * step];
        if matches!(layout, Layout::Plane) && expand.is_none() {
            return pixels;
        }

        buffer.resize(columns.len(), 0);
        layout.convert_row(pixels, buffer);
        if let Some(table) = expand {
            buffer.iter_mut().for_each(|v| *v = table[usize::from(*v)]);
        }
        buffer
    }
}

impl Layout {
    fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Plane => 1,
            Self::Packed { .. } => 2,
            Self::Rgb { step, .. } => step,
        }
    }

    fn convert_row(self, row: &[u8], grey: &mut [u8]) {
        match self {
            Self::Plane => grey.copy_from_slice(row),
            Self::Packed { first } => {
                for (grey, pixel) in grey.iter_mut().zip(row.chunks_exact(2)) {
                    *grey = pixel[first];
                }
            }
            Self::Rgb {
                step,
                red,
                green,
                blue,
            } => {
                for (grey, pixel) in grey.iter_mut().zip(row.chunks_exact(step)) {
                    *grey = luma(pixel[red], pixel[green], pixel[blue]);
                }
            }
        }
    }
}

fn expansion() -> Box<[u8; 256]> {
    Box::new(std::array::from_fn(|limited| {
        let full = (limited as f32 - 16.0) * 255.0 / 219.0;
        full.round() as u8
    }))
}

#[cfg(test)]
mod tests;
