//! Makes an area of a picture unrecognisable, in any of the formats.
//!
//! A blurred or pixelated area keeps no more than the mean colours of a few cells: 3 by 3 for a face and its margin, 2 by 2
//! for the face itself. Nothing else can be restored from the picture. With 4 by 4 cells the network still found a face now
//! and then in the blur, and with 6 by 6 the Haar cascade did.

use gst::glib;
use gst_video::VideoFrameRef;
use gst_video::prelude::*;

use super::blend::{Blender, SampleRect};
use super::geometry::Rect;
use super::settings::Privacy;

/// Cells in a row and in a column.
const CELLS: usize = 3;

/// The colour of a covered face, as cairo's ARGB: a dark grey.
const COVER: [u8; 4] = 0xff2b_2f36_u32.to_ne_bytes();

/// The samples of one component of a picture.
struct Samples<'a> {
    data: &'a mut [u8],
    /// Bytes from one row to the next.
    stride: usize,
    /// Bytes from one sample to the next.
    step: usize,
    /// Bytes from the start of a sample to this component.
    offset: usize,
}

/// Makes the area `place`, which must lie in the frame, unrecognisable.
pub(super) fn anonymize(
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
        let area = component.samples_in(place);
        match privacy {
            Privacy::None => {}
            Privacy::Fill => samples.fill(area, component.value_of(COVER)),
            Privacy::Pixelate => samples.pixelate(area),
            Privacy::Blur => samples.blur(area),
        }
    }
    Ok(())
}

/// The cell of a sample in an area of `length` samples.
fn cell_of(sample: usize, length: usize) -> usize {
    sample * CELLS / length
}

impl Samples<'_> {
    fn row(&mut self, area: SampleRect, y: usize) -> impl Iterator<Item = &mut u8> {
        let start = (area.y + y) * self.stride + area.x * self.step + self.offset;
        let end = start + (area.width - 1) * self.step + 1;
        self.data[start..end].iter_mut().step_by(self.step)
    }

    fn fill(&mut self, area: SampleRect, value: u8) {
        for y in 0..area.height {
            self.row(area, y).for_each(|sample| *sample = value);
        }
    }

    fn pixelate(&mut self, area: SampleRect) {
        let means = self.means(area);
        for y in 0..area.height {
            let means = means[cell_of(y, area.height)];
            for (x, sample) in self.row(area, y).enumerate() {
                *sample = means[cell_of(x, area.width)];
            }
        }
    }

    /// The mean of each cell; 0 for a cell without samples.
    fn means(&mut self, area: SampleRect) -> [[u8; CELLS]; CELLS] {
        let mut sums = [[(0_u32, 0_u32); CELLS]; CELLS];
        let columns: Vec<usize> = (0..area.width).map(|x| cell_of(x, area.width)).collect();
        for y in 0..area.height {
            let sums = &mut sums[cell_of(y, area.height)];
            for (sample, &column) in self.row(area, y).zip(&columns) {
                let (sum, count) = &mut sums[column];
                *sum += u32::from(*sample);
                *count += 1;
            }
        }
        sums.map(|row| row.map(|(sum, count)| ((sum + count / 2) / count.max(1)) as u8))
    }

    /// Interpolates between the means of the cells.
    fn blur(&mut self, area: SampleRect) {
        let mut means = self.means(area);
        // An area with fewer samples than cells has empty cells.
        if area.width < CELLS || area.height < CELLS {
            let value =
                means[cell_of(area.height / 2, area.height)][cell_of(area.width / 2, area.width)];
            means = [[value; CELLS]; CELLS];
        }
        let columns: Vec<_> = (0..area.width).map(|x| neighbours(x, area.width)).collect();
        for y in 0..area.height {
            let (upper, lower, weight) = neighbours(y, area.height);
            let line: [i32; CELLS] = std::array::from_fn(|x| {
                let (a, b) = (i32::from(means[upper][x]), i32::from(means[lower][x]));
                a * (ONE - weight) + b * weight
            });
            for (sample, &(left, right, weight)) in self.row(area, y).zip(&columns) {
                let value = line[left] * (ONE - weight) + line[right] * weight;
                *sample = ((value + ONE * ONE / 2) / (ONE * ONE)) as u8;
            }
        }
    }
}

/// A weight of 1.
const ONE: i32 = 256;

/// The two cells between whose middles a sample lies, and the weight of the second in [`ONE`]ths.
fn neighbours(sample: usize, length: usize) -> (usize, usize, i32) {
    let middle = (sample as f32 + 0.5) * CELLS as f32 / length as f32 - 0.5;
    let first = middle.floor();
    let weight = ((middle - first) * ONE as f32).round() as i32;
    let cell = |index: f32| (index.max(0.0) as usize).min(CELLS - 1);
    (cell(first), cell(first + 1.0), weight)
}

#[cfg(test)]
mod tests;
