//! Pictures in memory.

use std::ops::Range;

use super::error::Error;
use super::grey::GreyRows;

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
