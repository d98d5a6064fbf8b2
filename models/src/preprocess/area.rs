//! Reduction: each output is the mean of the area that it covers.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::grey::GreyRows;
use super::region::Region;
use crate::Instructions;

/// As many channels as there are floats in the widest vectors.
pub(super) const WIDEST: usize = 16;

/// Area filter with its buffers.
#[derive(Debug, Clone)]
pub(super) struct Area {
    instructions: Instructions,
    columns: Taps,
    rows: Taps,
    pixels: Vec<u8>,
    /// Rows of the picture that fall into one row of the output, added up.
    sums: Vec<f32>,
}

impl Default for Area {
    fn default() -> Self {
        Self {
            instructions: Instructions::best(),
            columns: Taps::default(),
            rows: Taps::default(),
            pixels: Vec::new(),
            sums: Vec::new(),
        }
    }
}

impl Area {
    /// Resamples `region` to `[size, size]` grey values.
    pub(super) fn run(
        &mut self,
        picture: &impl GreyRows,
        region: Region,
        size: usize,
        out: &mut [f32],
    ) {
        self.columns
            .place(region.x, region.width, size, picture.width());
        self.rows
            .place(region.y, region.height, size, picture.height());

        let needed = self.columns.span();
        self.sums.resize(needed.len(), 0.0);
        for (out, (start, weights)) in out.chunks_exact_mut(size).zip(self.rows.iter()) {
            self.sums.fill(0.0);
            for (y, &weight) in (start..).zip(weights) {
                let pixels = picture.grey(y, needed.clone(), &mut self.pixels);
                let sums = &mut self.sums;
                let add = AddRow {
                    pixels,
                    weight,
                    sums,
                };
                self.instructions.dispatch(WIDEST, add);
            }
            for (out, (start, weights)) in out.iter_mut().zip(self.columns.iter()) {
                let sums = &self.sums[start - needed.start..][..weights.len()];
                *out = sums.iter().zip(weights).map(|(a, b)| a * b).sum();
            }
        }
    }
}

/// sums += weight · pixels
pub(super) struct AddRow<'a> {
    pub(super) pixels: &'a [u8],
    pub(super) weight: f32,
    pub(super) sums: &'a mut [f32],
}

impl WithSimd for AddRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (sum, &pixel) in self.sums.iter_mut().zip(self.pixels) {
            *sum += self.weight * f32::from(pixel);
        }
    }
}

/// For each output position of one axis, the pixels that it covers and their weights (which sum to 1).
#[derive(Debug, Clone, Default)]
pub(super) struct Taps {
    weights: Vec<f32>,
    /// First pixel, and where the weights stand in `weights`.
    spans: Vec<(usize, Range<usize>)>,
}

impl Taps {
    /// Divides `start .. start + length` of an axis of `pixels` pixels into `size` outputs.
    fn place(&mut self, start: f32, length: f32, size: usize, pixels: usize) {
        self.weights.clear();
        self.spans.clear();
        // f64: a region far outside a large picture still has exact pixel borders.
        let (start, step) = (f64::from(start), f64::from(length) / size as f64);
        for i in 0..size {
            self.push(
                start + i as f64 * step,
                start + (i + 1) as f64 * step,
                pixels,
            );
        }
    }

    /// Divides `pixels` pixels from `first` on, of which none beyond is looked at, into `size` outputs: the mean of
    /// what each covers, or where they are more than the pixels a mixture of the two nearest.
    pub(super) fn resample(&mut self, first: usize, pixels: usize, size: usize) {
        if size <= pixels {
            self.place(0.0, pixels as f32, size, pixels);
        } else {
            self.weights.clear();
            self.spans.clear();
            let step = pixels as f64 / size as f64;
            for i in 0..size {
                let last = (pixels - 1) as f64;
                let position = ((i as f64 + 0.5) * step - 0.5).clamp(0.0, last);
                let before = position.floor();
                let share = (position - before) as f32;
                let begin = self.weights.len();
                self.weights.push(1.0 - share);
                if before < last {
                    self.weights.push(share);
                }
                self.spans
                    .push((before as usize, begin..self.weights.len()));
            }
        }
        for (start, _) in &mut self.spans {
            *start += first;
        }
    }

    /// The mean of the axis from `from` to `to`; what lies outside counts as the border pixel.
    fn push(&mut self, from: f64, to: f64, pixels: usize) {
        let last = pixels - 1;
        let first_pixel = (from.floor().max(0.0) as usize).min(last);
        let last_pixel = ((to.ceil() - 1.0).max(0.0) as usize).clamp(first_pixel, last);
        let begin = self.weights.len();
        for pixel in first_pixel..=last_pixel {
            let left = if pixel == 0 {
                from.min(0.0)
            } else {
                pixel as f64
            };
            let right = if pixel == last {
                to.max(pixels as f64)
            } else {
                (pixel + 1) as f64
            };
            let covered = (right.min(to) - left.max(from)).max(0.0);
            self.weights.push((covered / (to - from)) as f32);
        }
        self.spans.push((first_pixel, begin..self.weights.len()));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.spans
            .iter()
            .map(|(start, range)| (*start, &self.weights[range.clone()]))
    }

    /// All pixels of the axis that are needed. Starts and ends grow with the output position.
    fn span(&self) -> Range<usize> {
        let begin = self.spans.first().map_or(0, |(start, _)| *start);
        let end = self
            .spans
            .last()
            .map_or(0, |(start, range)| start + range.len());
        begin..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_of_every_output_sum_to_one() {
        let mut taps = Taps::default();
        for (start, length) in [
            (-7.3, 20.1),
            (0.4, 3.3),
            (5.5, 91.7),
            (-100.0, 300.0),
            (9.9, 0.2),
        ] {
            taps.place(start, length, 8, 10);
            assert_eq!(taps.iter().count(), 8);
            for (first, weights) in taps.iter() {
                assert!(first + weights.len() <= 10);
                assert!(
                    (weights.iter().sum::<f32>() - 1.0).abs() < 1e-5,
                    "{start} {length} {weights:?}"
                );
            }
        }
    }
}
