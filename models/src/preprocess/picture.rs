//! Pictures of any layout as rows of grey values.

use std::ops::Range;

use super::Error;

/// The grey value of a colour: 0.299 R + 0.587 G + 0.114 B, the weights of BT.601, which FER-2013, OpenCV and GStreamer's
/// GRAY8 were made with.
pub fn luma(red: u8, green: u8, blue: u8) -> u8 {
    // 16-bit fixed point; the weights add up to 65536.
    let weighted = 19_595 * u32::from(red) + 38_470 * u32::from(green) + 7_471 * u32::from(blue);
    ((weighted + 32_768) >> 16) as u8
}

/// A picture whose grey values in full range (0 is black, 255 is white) can be had row by row, however it stores them.
pub trait GreyRows {
    /// Pixels in a row, at least one.
    fn width(&self) -> usize;

    /// Rows, at least one.
    fn height(&self) -> usize;

    /// The grey values of `columns` of row `y`, worked out in `buffer` if they do not stand in the picture.
    ///
    /// # Panics
    ///
    /// When there is no such row or no such column.
    fn grey<'a>(&'a self, y: usize, columns: Range<usize>, buffer: &'a mut Vec<u8>) -> &'a [u8];
}

/// A borrowed 8-bit grey picture in full range (0 is black, 255 is white).
#[derive(Clone, Copy, Debug)]
pub struct GreyImage<'a> {
    data: &'a [u8],
    width: usize,
    height: usize,
    stride: usize,
}

impl<'a> GreyImage<'a> {
    /// A view of `height` rows of `width` pixels, `stride` bytes apart.
    ///
    /// # Errors
    ///
    /// If the picture is empty, or `data` ends before its last pixel.
    pub fn new(data: &'a [u8], width: usize, height: usize, stride: usize) -> Result<Self, Error> {
        if width == 0 || height == 0 || stride < width {
            return Err(Error::Shape {
                width,
                height,
                stride,
            });
        }
        // The last row may end without its padding.
        let expected = stride.saturating_mul(height - 1).saturating_add(width);
        if data.len() < expected {
            return Err(Error::Picture {
                width,
                height,
                stride,
                expected,
                found: data.len(),
            });
        }
        Ok(Self {
            data,
            width,
            height,
            stride,
        })
    }

    /// The pixels of row `y`, which must be below [`height`](GreyRows::height).
    pub fn row(&self, y: usize) -> &'a [u8] {
        &self.data[y * self.stride..][..self.width]
    }
}

impl GreyRows for GreyImage<'_> {
    fn width(&self) -> usize {
        self.width
    }

    fn height(&self) -> usize {
        self.height
    }

    fn grey<'b>(&'b self, y: usize, columns: Range<usize>, _: &'b mut Vec<u8>) -> &'b [u8] {
        &self.row(y)[columns]
    }
}
