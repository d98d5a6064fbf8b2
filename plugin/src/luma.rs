//! The luma of a frame of any supported format as grey values in full range: the input of the networks and the cascades.
//!
//! - **YUV and grey:** the luma as it is, whatever matrix made it, of more than eight bits the upper eight. Limited range (16
//!   to 235, as the colorimetry of the caps says) is expanded to 0 to 255, since the networks are trained on
//!   full-range pictures.
//! - **RGB:** 0.299 R + 0.587 G + 0.114 B, as [`luma`](emotion_models::preprocess::luma) says; the caps of RGB video name no
//!   luma matrix.
//!
//! No frame is copied: rows of a full-range plane are borrowed, others are converted as they are read.

mod formats;
mod layout;

use std::ops::Range;

use emotion_models::preprocess::{self, GreyImage, GreyRows};
use gst_video::prelude::*;
use gst_video::{
    VideoColorRange, VideoFormat, VideoFormatInfo, VideoFrameRef, VideoInfo, VideoMeta,
    VideoPackFlags,
};

pub use self::formats::FORMATS;
use self::layout::Layout;

/// Why the luma of a frame cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The format is none of [`FORMATS`].
    #[error("cannot read the luma of the format {0:?}; put a videoconvert in front")]
    Format(VideoFormat),
    /// The rows run upwards, or are too short for their pixels.
    #[error("expected a stride of at least {least} bytes, found {found}")]
    Stride {
        /// Bytes of a row's pixels.
        least: i32,
        /// The stride of the frame.
        found: i32,
    },
    /// The data ends before the picture.
    #[error(transparent)]
    Picture(#[from] preprocess::Error),
}

/// Reads the luma of frames of one format and size.
#[derive(Debug)]
pub struct LumaReader {
    width: usize,
    /// Rows of a buffer: those of a field where each field has a buffer of its own.
    rows: usize,
    format: VideoFormatInfo,
    layout: Layout,
    /// Offsets and strides of the planes where the buffer does not tell.
    offsets: [usize; 4],
    strides: [i32; 4],
    /// Whether black is 16 and white 235.
    is_limited: bool,
}

/// The luma of a frame.
#[derive(Debug, Clone, Copy)]
pub struct LumaView<'a> {
    reader: &'a LumaReader,
    /// The first plane, all bytes of its pixels.
    bytes: GreyImage<'a>,
    planes: [&'a [u8]; 4],
    strides: [i32; 4],
}

impl LumaReader {
    /// A reader of frames with the format and size of `info`.
    ///
    /// # Errors
    ///
    /// If the format is none of [`FORMATS`].
    pub fn new(info: &VideoInfo) -> Result<Self, Error> {
        let layout = FORMATS
            .contains(&info.format())
            .then(|| Layout::of(&info.format_info()))
            .flatten()
            .ok_or(Error::Format(info.format()))?;
        let is_limited = info.colorimetry().range() == VideoColorRange::Range16_235;
        let mut offsets = [0; 4];
        let mut strides = [0; 4];
        for plane in 0..info.n_planes() as usize {
            (offsets[plane], strides[plane]) = (info.offset()[plane], info.stride()[plane]);
        }
        Ok(Self {
            width: info.width() as usize,
            rows: info.field_height() as usize,
            format: info.format_info(),
            layout,
            offsets,
            strides,
            is_limited,
        })
    }

    /// The luma of `frame`, which must have the format and size that the reader was made for, all rows in one buffer.
    ///
    /// # Errors
    ///
    /// If the strides are negative or the data ends before the picture.
    pub fn view<'a>(
        &'a self,
        frame: &'a VideoFrameRef<&gst::BufferRef>,
    ) -> Result<LumaView<'a>, Error> {
        let mut planes: [&[u8]; 4] = [&[]; 4];
        let mut strides = [0; 4];
        for plane in 0..frame.n_planes() as usize {
            planes[plane] = frame.plane_data(plane as u32).unwrap_or_default();
            strides[plane] = frame.plane_stride()[plane];
        }
        self.view_planes(planes, strides)
    }

    /// The luma of the field in `data`, the contents of `buffer`. (The bindings take a field for a whole frame, and would
    /// read twice as many rows.)
    ///
    /// # Errors
    ///
    /// As [`view`](Self::view).
    pub fn view_field<'a>(
        &'a self,
        buffer: &gst::BufferRef,
        data: &'a [u8],
    ) -> Result<LumaView<'a>, Error> {
        let (mut offsets, mut strides) = (self.offsets, self.strides);
        if let Some(meta) = buffer.meta::<VideoMeta>() {
            for plane in 0..meta.n_planes() as usize {
                (offsets[plane], strides[plane]) = (meta.offset()[plane], meta.stride()[plane]);
            }
        }
        let mut planes: [&[u8]; 4] = [&[]; 4];
        for plane in 0..self.format.n_planes() as usize {
            planes[plane] = data.get(offsets[plane]..).unwrap_or_default();
        }
        self.view_planes(planes, strides)
    }

    fn view_planes<'a>(
        &'a self,
        planes: [&'a [u8]; 4],
        strides: [i32; 4],
    ) -> Result<LumaView<'a>, Error> {
        // Formats whose pixels do not begin at whole bytes have no pixel stride.
        let pixel_stride = self.format.pixel_stride()[0];
        let least = match i32::try_from(self.width).map(|width| width.saturating_mul(pixel_stride))
        {
            Ok(least) if least > 0 => least,
            _ => self.strides[0],
        };
        let width = least.unsigned_abs() as usize;
        let plane = |plane: usize| {
            let found = strides[plane];
            let stride = usize::try_from(found).ok().filter(|_| found >= least);
            let stride = stride.ok_or(Error::Stride { least, found })?;
            GreyImage::new(planes[plane], width, self.rows, stride).map_err(Error::from)
        };
        if let Layout::Unpacked { .. } = self.layout {
            for others in 1..self.format.n_planes() as usize {
                plane(others)?;
            }
        }
        Ok(LumaView {
            reader: self,
            bytes: plane(0)?,
            planes,
            strides,
        })
    }
}

impl LumaView<'_> {
    /// The pixels of row `y` as GStreamer unpacks them, which begins at the left of the picture.
    fn unpacked(&self, y: usize, columns: usize, step: usize) -> Vec<u8> {
        let LumaReader { format, .. } = self.reader;
        let planes = format.n_planes() as usize;
        let mut row = vec![0; self.reader.width.max(columns) * step];
        format.unpack(
            VideoPackFlags::TRUNCATE_RANGE,
            &mut row,
            &self.planes[..planes],
            &self.strides[..planes],
            0,
            y as i32,
            columns as i32,
        );
        row
    }
}

impl GreyRows for LumaView<'_> {
    fn width(&self) -> usize {
        self.reader.width
    }

    fn height(&self) -> usize {
        self.reader.rows
    }

    fn grey<'a>(&'a self, y: usize, columns: Range<usize>, buffer: &'a mut Vec<u8>) -> &'a [u8] {
        let LumaReader {
            layout, is_limited, ..
        } = self.reader;
        let step = layout.bytes_per_pixel();
        let bytes = columns.start * step..columns.end * step;
        if layout.is_luma_plane() {
            let row = &self.bytes.row(y)[bytes];
            if !is_limited {
                return row;
            }
            buffer.clear();
            buffer.extend(row.iter().map(|&limited| expanded(limited)));
            return buffer;
        }

        buffer.resize(columns.len(), 0);
        if let Layout::Unpacked { step, .. } = *layout {
            layout.convert_row(&self.unpacked(y, columns.end, step)[bytes], buffer);
        } else {
            layout.convert_row(&self.bytes.row(y)[bytes], buffer);
        }
        if *is_limited {
            buffer.iter_mut().for_each(|v| *v = expanded(*v));
        }
        buffer
    }
}

/// (limited - 16) · 255 / 219, rounded, from 0 to 255: in 16 bits, so that compilers take many pixels at a time.
fn expanded(limited: u8) -> u8 {
    let steps = u16::from(limited.saturating_sub(16).min(219));
    // 168 + 85 / 256 is 1024 · 36 / 219 up to a hundred-thousandth, which is exact enough for 220 values.
    (steps + ((steps * 168 + ((steps * 85) >> 8) + 512) >> 10)) as u8
}

#[cfg(test)]
mod tests;
