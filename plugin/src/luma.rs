//! A grey full-range view of a frame of any supported format: what both networks and the cascades look at.
//!
//! - **YUV and grey:** the luma plane or the luma bytes as they are, whatever matrix made them. Limited range (16 to
//!   235, as the colorimetry of the caps says) is expanded to 0 to 255 by table, since the networks are trained on
//!   full-range pictures.
//! - **RGB:** 0.299 R + 0.587 G + 0.114 B, as [`luma`] says; the caps of RGB video name no luma matrix.
//!
//! A plane that is full-range already is borrowed; everything else is converted into one buffer that is kept from
//! frame to frame.

use emotion_models::preprocess::{self, GreyImage, luma};
use gst_video::prelude::*;
use gst_video::{VideoColorRange, VideoFormat, VideoFrameRef, VideoInfo};

/// The formats that have a grey view.
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

/// Why a frame has no grey view.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The format is none of [`FORMATS`].
    #[error("no grey view of the format {0:?}")]
    Format(VideoFormat),
    /// The rows run upwards.
    #[error("expected a positive stride, found {0}")]
    Stride(i32),
    /// The data ends before the picture.
    #[error(transparent)]
    Picture(#[from] preprocess::Error),
}

/// Makes grey views of frames of one format and size.
#[derive(Debug)]
pub struct Luma {
    width: usize,
    height: usize,
    layout: Layout,
    /// Full-range values for limited-range ones, `None` if the range is full.
    expand: Option<Box<[u8; 256]>>,
    converted: Vec<u8>,
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

impl Luma {
    /// For frames described by `info`.
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
            converted: Vec::new(),
        })
    }

    /// The grey view of `frame`, which must have the format and size that this was made for.
    ///
    /// # Errors
    ///
    /// If the strides are negative or the data ends before the picture.
    pub fn view<'a>(
        &'a mut self,
        frame: &'a VideoFrameRef<&gst::BufferRef>,
    ) -> Result<GreyImage<'a>, Error> {
        // The luma of every supported format lies in the first plane.
        let stride = frame.plane_stride()[0];
        let stride = usize::try_from(stride).map_err(|_| Error::Stride(stride))?;
        let data = frame.plane_data(0).unwrap_or_default();
        self.view_plane(data, stride)
    }

    fn view_plane<'a>(&'a mut self, data: &'a [u8], stride: usize) -> Result<GreyImage<'a>, Error> {
        let (width, height) = (self.width, self.height);
        let bytes_per_pixel = match self.layout {
            Layout::Plane => 1,
            Layout::Packed { .. } => 2,
            Layout::Rgb { step, .. } => step,
        };
        let bytes = GreyImage::new(data, width * bytes_per_pixel, height, stride)?;
        if matches!(self.layout, Layout::Plane) && self.expand.is_none() {
            return Ok(bytes);
        }

        self.converted.resize(width * height, 0);
        for (y, grey) in self.converted.chunks_exact_mut(width).enumerate() {
            self.layout.convert_row(bytes.row(y), grey);
            if let Some(table) = &self.expand {
                grey.iter_mut().for_each(|v| *v = table[usize::from(*v)]);
            }
        }
        Ok(GreyImage::new(&self.converted, width, height, width)?)
    }
}

impl Layout {
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
