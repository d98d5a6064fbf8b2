//! Grey values.

use std::ops::Range;

/// The grey value of a colour: 0.299 R + 0.587 G + 0.114 B, the weights of BT.601, which FER-2013, OpenCV and GStreamer's
/// GRAY8 were made with.
pub fn luma(red: u8, green: u8, blue: u8) -> u8 {
    // 16-bit fixed point; the weights add up to 65536.
    let weighted = 19_595 * u32::from(red) + 38_470 * u32::from(green) + 7_471 * u32::from(blue);
    ((weighted + 32_768) >> 16) as u8
}

/// The network's value for a grey value: 0 to 255 becomes -1 to 1.
pub fn normalize(grey: f32) -> f32 {
    grey * (2.0 / 255.0) - 1.0
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
