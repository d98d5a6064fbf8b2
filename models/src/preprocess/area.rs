//! Reduction: each output is the mean of the area that it covers.

use std::ops::Range;

use super::{GreyImage, Region};

/// Area filter with its buffers.
#[derive(Debug, Clone, Default)]
pub(super) struct Area {
    columns: Taps,
    rows: Taps,
    /// The rows of the region, resampled horizontally: `size` values a row.
    narrowed: Vec<f32>,
}

impl Area {
    /// Resamples `region` to `[size, size]` grey values.
    pub(super) fn run(
        &mut self,
        image: &GreyImage<'_>,
        region: Region,
        size: usize,
        out: &mut [f32],
    ) {
        self.columns
            .place(region.x, region.width, size, image.width());
        self.rows
            .place(region.y, region.height, size, image.height());

        let needed = self.rows.span();
        self.narrowed.resize(needed.len() * size, 0.0);
        for (narrow, y) in self.narrowed.chunks_exact_mut(size).zip(needed.clone()) {
            let row = image.row(y);
            for (value, (start, weights)) in narrow.iter_mut().zip(self.columns.iter()) {
                let pixels = &row[start..][..weights.len()];
                *value = pixels
                    .iter()
                    .zip(weights)
                    .map(|(&pixel, weight)| f32::from(pixel) * weight)
                    .sum();
            }
        }
        for (out, (start, weights)) in out.chunks_exact_mut(size).zip(self.rows.iter()) {
            out.fill(0.0);
            let first = (start - needed.start) * size;
            for (narrow, weight) in self.narrowed[first..].chunks_exact(size).zip(weights) {
                for (out, value) in out.iter_mut().zip(narrow) {
                    *out += weight * value;
                }
            }
        }
    }
}

/// For each output position of one axis, the pixels that it covers and their weights (which sum to 1).
#[derive(Debug, Clone, Default)]
struct Taps {
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

    fn iter(&self) -> impl Iterator<Item = (usize, &[f32])> {
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
