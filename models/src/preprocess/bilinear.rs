//! Enlargement: bilinear with half-pixel centres, to whole grey levels.
//!
//! The arithmetic is the fixed-point one of OpenCV's `resize` for 8-bit pictures, through which the training pictures of
//! most published weights went: such weights see here what they saw in training, to the bit.

use super::grey::GreyRows;
use super::region::Region;

/// 1 in fixed point.
const ONE: u32 = 2048;

/// Bilinear filter with its buffers.
#[derive(Debug, Clone, Default)]
pub(super) struct Bilinear {
    columns: Vec<Tap>,
    rows: Vec<Tap>,
    upper: Vec<u8>,
    lower: Vec<u8>,
}

/// The two nearest pixels of an output, and the share of the second out of [`ONE`].
#[derive(Debug, Clone, Copy)]
struct Tap {
    first: usize,
    second: usize,
    share: u32,
}

impl Bilinear {
    /// Resamples `region` to `[size, size]` grey values.
    pub(super) fn run(
        &mut self,
        picture: &impl GreyRows,
        region: Region,
        size: usize,
        out: &mut [f32],
    ) {
        place(
            &mut self.columns,
            region.x,
            region.width,
            size,
            picture.width(),
        );
        place(
            &mut self.rows,
            region.y,
            region.height,
            size,
            picture.height(),
        );
        // Positions never go back.
        let first = self.columns.first().map_or(0, |tap| tap.first);
        let last = self.columns.last().map_or(0, |tap| tap.second);
        for tap in &mut self.columns {
            tap.first -= first;
            tap.second -= first;
        }
        for (out, tap) in out.chunks_exact_mut(size).zip(&self.rows) {
            let upper = picture.grey(tap.first, first..last + 1, &mut self.upper);
            let lower = picture.grey(tap.second, first..last + 1, &mut self.lower);
            for (out, column) in out.iter_mut().zip(&self.columns) {
                let upper = ((ONE - tap.share) * column.of(upper)) >> 16;
                let lower = (tap.share * column.of(lower)) >> 16;
                *out = ((upper + lower + 2) >> 2) as f32;
            }
        }
    }
}

impl Tap {
    /// The value between two pixels of a row, in 1/128 grey levels.
    fn of(self, row: &[u8]) -> u32 {
        let [first, second] = [self.first, self.second].map(|pixel| u32::from(row[pixel]));
        (first * (ONE - self.share) + second * self.share) >> 4
    }
}

/// Divides `start .. start + length` of an axis of `pixels` pixels into `size` outputs. Beyond the border both pixels
/// are the border pixel.
fn place(taps: &mut Vec<Tap>, start: f32, length: f32, size: usize, pixels: usize) {
    let (start, step) = (f64::from(start), f64::from(length) / size as f64);
    let last = (pixels - 1) as f64;
    taps.clear();
    taps.extend((0..size).map(|i| {
        // Pixel centres lie at whole numbers.
        let position = start + (i as f64 + 0.5) * step - 0.5;
        let before = position.floor();
        let pixel = |position: f64| position.clamp(0.0, last) as usize;
        Tap {
            first: pixel(before),
            second: pixel(before + 1.0),
            share: ((position - before) * f64::from(ONE)).round_ties_even() as u32,
        }
    }));
}
