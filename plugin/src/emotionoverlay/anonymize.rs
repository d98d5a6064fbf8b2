//! Makes a part of a picture unrecognisable, in any of the formats.
//!
//! Blurred or as squares, no more is left of the part than the mean colours of a few cells: 3 by 3 for a face and its
//! margin, 2 by 2 for the face itself. What is not in them cannot be restored from the picture. With 4 by 4 the network,
//! and with 6 by 6 the Haar cascade, still found a face now and then in the blur.

use gst::glib;
use gst_video::VideoFrameRef;
use gst_video::prelude::*;

use super::blend::{Blender, Component};
use super::geometry::Rect;
use super::settings::Privacy;

/// Cells in a row and in a column.
const CELLS: usize = 3;

/// The colour of a covered face, as cairo's ARGB: a dark grey.
const COVER: [u8; 4] = 0xff2b_2f36_u32.to_ne_bytes();

/// Samples of one component of a picture.
struct Samples<'a> {
    data: &'a mut [u8],
    stride: usize,
    /// Bytes from one sample to the next, and from there to this component.
    step: usize,
    offset: usize,
}

/// A part of them, in samples.
#[derive(Debug, Clone, Copy)]
struct Part {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

/// Hides what is to be seen at `place`, which must lie in the frame.
pub(super) fn conceal(
    blender: &Blender,
    frame: &mut VideoFrameRef<&mut gst::BufferRef>,
    place: Rect,
    privacy: Privacy,
) -> Result<(), glib::BoolError> {
    for component in blender.colours() {
        let stride = frame.plane_stride()[component.plane as usize].unsigned_abs() as usize;
        let mut samples = Samples {
            data: frame.plane_data_mut(component.plane)?,
            stride,
            step: component.step,
            offset: component.offset,
        };
        let part = Part::of(place, component);
        match privacy {
            Privacy::None => {}
            Privacy::Fill => samples.fill(part, component.value_of(COVER)),
            Privacy::Pixelate => {
                let means = samples.means(part);
                samples.write(part, |x, y| {
                    means[cell_of(y, part.height)][cell_of(x, part.width)]
                });
            }
            Privacy::Blur => samples.blur(part),
        }
    }
    Ok(())
}

impl Part {
    /// The samples that have a pixel in `place`.
    fn of(place: Rect, component: &Component) -> Self {
        let span = |start: i32, length: i32, shift: u32| {
            let first = start.unsigned_abs() as usize >> shift;
            let last = (start + length - 1).unsigned_abs() as usize >> shift;
            (first, last + 1 - first)
        };
        let (x, width) = span(place.x, place.width, component.x_shift);
        let (y, height) = span(place.y, place.height, component.y_shift);
        Self {
            x,
            y,
            width,
            height,
        }
    }
}

/// The cell that a sample of a part lies in, which is so many samples long.
fn cell_of(sample: usize, length: usize) -> usize {
    sample * CELLS / length
}

impl Samples<'_> {
    fn row(&mut self, part: Part, y: usize) -> impl Iterator<Item = &mut u8> {
        let start = (part.y + y) * self.stride + part.x * self.step + self.offset;
        let end = start + (part.width - 1) * self.step + 1;
        self.data[start..end].iter_mut().step_by(self.step)
    }

    fn write(&mut self, part: Part, value: impl Fn(usize, usize) -> u8) {
        for y in 0..part.height {
            for (x, sample) in self.row(part, y).enumerate() {
                *sample = value(x, y);
            }
        }
    }

    fn fill(&mut self, part: Part, value: u8) {
        self.write(part, |_, _| value);
    }

    /// The mean of each cell; cells without a sample are not looked at.
    fn means(&mut self, part: Part) -> [[u8; CELLS]; CELLS] {
        let mut sums = [[(0_u32, 0_u32); CELLS]; CELLS];
        let columns: Vec<usize> = (0..part.width).map(|x| cell_of(x, part.width)).collect();
        for y in 0..part.height {
            let sums = &mut sums[cell_of(y, part.height)];
            for (sample, &column) in self.row(part, y).zip(&columns) {
                let (sum, count) = &mut sums[column];
                *sum += u32::from(*sample);
                *count += 1;
            }
        }
        sums.map(|row| row.map(|(sum, count)| ((sum + count / 2) / count.max(1)) as u8))
    }

    /// Goes evenly from the mean of each cell to those of its neighbours.
    fn blur(&mut self, part: Part) {
        let mut means = self.means(part);
        // A part with fewer samples than cells has empty cells.
        if part.width < CELLS || part.height < CELLS {
            let value =
                means[cell_of(part.height / 2, part.height)][cell_of(part.width / 2, part.width)];
            means = [[value; CELLS]; CELLS];
        }
        let columns = weights(part.width);
        for y in 0..part.height {
            let (upper, lower, share) = weight(y, part.height);
            let line: [i32; CELLS] = std::array::from_fn(|x| {
                let (a, b) = (i32::from(means[upper][x]), i32::from(means[lower][x]));
                a * (ONE - share) + b * share
            });
            for (sample, &(left, right, share)) in self.row(part, y).zip(&columns) {
                let value = line[left] * (ONE - share) + line[right] * share;
                *sample = ((value + ONE * ONE / 2) / (ONE * ONE)) as u8;
            }
        }
    }
}

/// The whole in shares.
const ONE: i32 = 256;

fn weights(length: usize) -> Vec<(usize, usize, i32)> {
    (0..length).map(|sample| weight(sample, length)).collect()
}

/// The two cells whose middles a sample lies between, and the share of the second, in [`ONE`]ths.
fn weight(sample: usize, length: usize) -> (usize, usize, i32) {
    let middle = (sample as f32 + 0.5) * CELLS as f32 / length as f32 - 0.5;
    let first = middle.floor();
    let share = ((middle - first) * ONE as f32).round() as i32;
    let cell = |index: f32| (index.max(0.0) as usize).min(CELLS - 1);
    (cell(first), cell(first + 1.0), share)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A part of a noisy plane with two samples in a pixel, before and after.
    fn changed(change: impl Fn(&mut Samples<'_>, Part)) -> (Vec<u8>, Vec<u8>, Part) {
        let before: Vec<u8> = (0..200 * 100_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        let mut after = before.clone();
        let part = Part {
            x: 7,
            y: 11,
            width: 61,
            height: 47,
        };
        change(
            &mut Samples {
                data: &mut after,
                stride: 200,
                step: 2,
                offset: 1,
            },
            part,
        );
        (before, after, part)
    }

    fn differs_outside(before: &[u8], after: &[u8], part: Part) -> bool {
        before.iter().zip(after).enumerate().any(|(i, (b, a))| {
            let (x, y) = (i % 200 / 2, i / 200);
            let inside = (part.x..part.x + part.width).contains(&x)
                && (part.y..part.y + part.height).contains(&y)
                && i % 2 == 1;
            !inside && b != a
        })
    }

    #[test]
    fn squares_leave_one_value_for_each_cell_and_nothing_else_changes() {
        let (before, after, part) = changed(|samples, part| {
            let means = samples.means(part);
            samples.write(part, |x, y| {
                means[cell_of(y, part.height)][cell_of(x, part.width)]
            });
        });
        assert!(!differs_outside(&before, &after, part));
        let row = |y: usize| -> Vec<u8> {
            let start = (part.y + y) * 200 + part.x * 2 + 1;
            after[start..start + part.width * 2]
                .iter()
                .step_by(2)
                .copied()
                .collect()
        };
        assert_eq!(row(0), row(part.height / CELLS - 1));
        let mut values = row(0);
        values.dedup();
        assert!(values.len() <= CELLS, "{values:?}");
    }

    #[test]
    fn a_blur_has_no_steps_and_keeps_the_brightness() {
        let (before, after, part) = changed(|samples, part| samples.blur(part));
        assert!(!differs_outside(&before, &after, part));
        let mean = |plane: &[u8]| {
            let mut sum = 0;
            for y in part.y..part.y + part.height {
                for x in part.x..part.x + part.width {
                    sum += u32::from(plane[y * 200 + x * 2 + 1]);
                }
            }
            f64::from(sum) / (part.width * part.height) as f64
        };
        assert!((mean(&before) - mean(&after)).abs() < 3.0);
        for y in part.y..part.y + part.height {
            for x in part.x..part.x + part.width - 1 {
                let at = |x: usize| i32::from(after[y * 200 + x * 2 + 1]);
                assert!((at(x) - at(x + 1)).abs() < 16, "{x}, {y}");
            }
        }
    }

    #[test]
    fn parts_of_any_size_can_be_hidden() {
        for (width, height) in [(1, 1), (1, 9), (5, 3), (6, 6), (100, 2)] {
            let mut data = vec![7; 100 * 10];
            let part = Part {
                x: 0,
                y: 0,
                width,
                height,
            };
            let mut samples = Samples {
                data: &mut data,
                stride: 100,
                step: 1,
                offset: 0,
            };
            samples.blur(part);
            samples.fill(part, 9);
            assert_eq!(data.iter().filter(|v| **v == 9).count(), width * height);
        }
    }
}
