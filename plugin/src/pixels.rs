//! Pixels as they are stored, and as they are shown.
//!
//! Boxes are in pixels of the frame that the caps describe. Detectors and classifiers see square pixels: where the pixel aspect
//! ratio is not 1:1, or a buffer holds one field of a frame, they see the picture enlarged in one direction.

use std::ops::Range;

use emotion_models::preprocess::{GreyRows, Landmarks, Region};
use gst_video::VideoInfo;

/// The largest ratio of a pixel's sides that counts; more is a mistake in the caps.
const MAX_RATIO: f64 = 10.0;

/// The frame that caps describe, the rows of its buffers, and its size in square pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PixelGrid {
    /// Width and height of the caps.
    frame: (u32, u32),
    /// Rows in a buffer: half of them where each field has a buffer of its own.
    rows: u32,
    /// Width and height in square pixels.
    square: (u32, u32),
}

impl PixelGrid {
    pub(crate) fn new(info: &VideoInfo) -> Self {
        let (width, height, rows) = (info.width(), info.height(), info.field_height());
        let par = info.par();
        let ratio = if par.numer() > 0 && par.denom() > 0 {
            f64::from(par.numer()) / f64::from(par.denom())
        } else {
            1.0
        };
        // A row of a field stands for two.
        let ratio = ratio * f64::from(rows.max(1)) / f64::from(height.max(1));
        let ratio = ratio.clamp(1.0 / MAX_RATIO, MAX_RATIO);
        let enlarged = |pixels: u32, by: f64| (f64::from(pixels) * by).round() as u32;
        let square = if ratio >= 1.0 {
            (enlarged(width, ratio), rows)
        } else {
            (width, enlarged(rows, 1.0 / ratio))
        };
        Self {
            frame: (width, height),
            rows,
            square,
        }
    }

    /// Width and height of the frame in pixels of the caps.
    pub(crate) fn frame(&self) -> (u32, u32) {
        self.frame
    }

    /// Width and height of a buffer in stored pixels.
    pub(crate) fn stored(&self) -> (u32, u32) {
        (self.frame.0, self.rows)
    }

    /// Width and height in square pixels.
    pub(crate) fn square(&self) -> (u32, u32) {
        self.square
    }

    /// Width by height of the picture as it is shown.
    pub(crate) fn aspect(&self) -> f64 {
        f64::from(self.square.0) / f64::from(self.square.1.max(1))
    }

    /// Whether stored pixels are square, and all of the frame's.
    pub(crate) fn is_square(&self) -> bool {
        self.square == self.stored()
    }

    /// Square pixels per pixel of the caps in each direction.
    pub(crate) fn square_per_frame(&self) -> (f32, f32) {
        let ratio = |square: u32, frame: u32| square as f32 / frame.max(1) as f32;
        (
            ratio(self.square.0, self.frame.0),
            ratio(self.square.1, self.frame.1),
        )
    }

    /// A region in pixels of the caps, in square pixels.
    pub(crate) fn to_square(self, region: Region) -> Region {
        let (x, y) = self.square_per_frame();
        scaled(region, x, y)
    }

    /// A region in square pixels, in pixels of the caps.
    pub(crate) fn to_frame(self, region: Region) -> Region {
        let (x, y) = self.square_per_frame();
        scaled(region, 1.0 / x, 1.0 / y)
    }

    /// Points in square pixels, in pixels of the caps.
    pub(crate) fn points_to_frame(self, points: Landmarks) -> Landmarks {
        let (by_x, by_y) = self.square_per_frame();
        points.map(|[x, y]| [x / by_x, y / by_y])
    }

    /// Points in fractions of the frame, in square pixels.
    pub(crate) fn points_to_square(self, points: Landmarks) -> Landmarks {
        let (width, height) = self.square;
        points.to_pixels(&Region::new(0.0, 0.0, width as f32, height as f32))
    }
}

fn scaled(region: Region, x: f32, y: f32) -> Region {
    Region::new(
        region.x * x,
        region.y * y,
        region.width * x,
        region.height * y,
    )
}

/// A picture in square pixels, interpolated as it is read.
#[derive(Debug)]
pub(crate) struct SquarePixels<'a, I> {
    image: &'a I,
    width: usize,
    height: usize,
}

impl<'a, I: GreyRows> SquarePixels<'a, I> {
    /// The `image` of stored pixels in the square pixels of `grid`.
    pub(crate) fn new(image: &'a I, grid: &PixelGrid) -> Self {
        let (width, height) = grid.square();
        Self {
            image,
            width: width as usize,
            height: height as usize,
        }
    }
}

/// The two stored samples between whose middles an enlarged one lies, and the weight of the second in 256ths.
fn neighbours(index: usize, enlarged: usize, stored: usize) -> (usize, usize, u32) {
    let place = (index as f64 + 0.5) * stored as f64 / enlarged as f64 - 0.5;
    let first = place.floor();
    let weight = ((place - first) * 256.0).round() as u32;
    let sample = |place: f64| (place.max(0.0) as usize).min(stored - 1);
    (sample(first), sample(first + 1.0), weight)
}

fn mixed(first: u8, second: u8, weight: u32) -> u8 {
    ((u32::from(first) * (256 - weight) + u32::from(second) * weight + 128) >> 8) as u8
}

impl<I: GreyRows> GreyRows for SquarePixels<'_, I> {
    fn width(&self) -> usize {
        self.width
    }

    fn height(&self) -> usize {
        self.height
    }

    fn grey<'a>(&'a self, y: usize, columns: Range<usize>, buffer: &'a mut Vec<u8>) -> &'a [u8] {
        let stored = (self.image.width(), self.image.height());
        if self.width != stored.0 && !columns.is_empty() {
            let place = |x: usize| neighbours(x, self.width, stored.0);
            let from = place(columns.start).0;
            let to = place(columns.end - 1).1 + 1;
            let mut scratch = Vec::new();
            let row = self.image.grey(y, from..to, &mut scratch);
            buffer.clear();
            buffer.extend(columns.map(|x| {
                let (first, second, weight) = place(x);
                mixed(row[first - from], row[second - from], weight)
            }));
            return buffer;
        }
        if self.height == stored.1 {
            return self.image.grey(y, columns, buffer);
        }
        let (upper, lower, weight) = neighbours(y, self.height, stored.1);
        if weight == 0 || upper == lower {
            return self.image.grey(upper, columns, buffer);
        }
        let (mut above, mut below) = (Vec::new(), Vec::new());
        let above = self.image.grey(upper, columns.clone(), &mut above);
        let below = self.image.grey(lower, columns, &mut below);
        buffer.clear();
        buffer.extend((above.iter().zip(below)).map(|(a, b)| mixed(*a, *b, weight)));
        buffer
    }
}

#[cfg(test)]
mod tests;
