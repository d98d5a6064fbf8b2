//! Exposure: light from the front, brightness towards the middle, and a guess at what burnt out.
//!
//! Grey values are about a power of the light, so a longer exposure multiplies them, and light from one side multiplies
//! those of that side. Where the light was more than the
//! picture holds, all that is known is where: the inside of a highlight was brighter than its border. So the range
//! above what is not burnt out is given to the highlights, by how much burnt-out surrounding each of their pixels has.

use std::ops::Range;

/// Mean grey value that dark crops are brought to.
const MEAN: f32 = 127.5;

/// How many times brighter they become at most.
const MOST: f32 = 3.0;

/// Grey values from here on are burnt out.
const BURNT_OUT: f32 = 254.0;

/// Share of burnt-out pixels below which there is nothing to restore.
const FEWEST: f32 = 0.02;

/// Share of burnt-out pixels from which on the highlights get the most room.
const MANY: f32 = 0.3;

/// That room, as a share of all grey values: of some tried on FER-2013's PublicTest, brightened, the best.
const ROOM: f32 = 0.25;

/// Reaches of the squares in which surroundings count, as shares of the crop's side.
const REACHES: [f32; 4] = [1.0 / 48.0, 3.0 / 48.0, 7.0 / 48.0, 12.0 / 48.0];

/// Factor between the brightness of the two sides above which it is no longer the light's.
const MOST_BETWEEN_SIDES: f32 = 2.0;

/// Added to the brightness of both sides, lest black sides count as infinitely dark.
const BLACK: f32 = 4.0;

/// Corrects `crop` in place.
pub(super) fn apply(crop: &mut [f32], size: usize) {
    let pixels = crop.len() as f32;
    let burnt_out = crop.iter().filter(|&&value| value >= BURNT_OUT).count() as f32 / pixels;
    let sums = (burnt_out >= FEWEST).then(|| Sums::of(crop, size));

    light_from_the_front(crop, size);
    let mean = crop.iter().sum::<f32>() / pixels;
    let factor = (MEAN / mean.max(1.0)).clamp(1.0, MOST);
    for value in &mut *crop {
        *value = (*value * factor).min(255.0);
    }

    let Some(sums) = sums else { return };
    let room = ROOM * (burnt_out / MANY).min(1.0);
    for (i, value) in crop.iter_mut().enumerate() {
        let (x, y) = (i % size, i / size);
        let excess = if sums.is_burnt_out(x, y) {
            (2.0 * sums.surroundings(x, y) - 1.0).max(0.0)
        } else {
            0.0
        };
        *value = (1.0 - room) * *value + room * 255.0 * excess;
    }
}

/// Makes both sides equally bright, evenly from left to right.
fn light_from_the_front(crop: &mut [f32], size: usize) {
    let (mut left, mut right) = (0.0, 0.0);
    for row in crop.chunks_exact(size) {
        left += row[..size / 2].iter().sum::<f32>();
        right += row[size.div_ceil(2)..].iter().sum::<f32>();
    }
    let half = (size * (size / 2)).max(1) as f32;
    let most = MOST_BETWEEN_SIDES.ln();
    let ratio = ((right / half + BLACK) / (left / half + BLACK)).ln();
    // From centre to centre of the sides it is half the width.
    let slope = -2.0 * ratio.clamp(-most, most);
    let factors: Vec<f32> = (0..size)
        .map(|x| (slope * ((x as f32 + 0.5) / size as f32 - 0.5)).exp())
        .collect();
    for row in crop.chunks_exact_mut(size) {
        for (value, factor) in row.iter_mut().zip(&factors) {
            *value = (*value * factor).min(255.0);
        }
    }
}

/// For each corner between pixels, how many pixels above and to the left of it are burnt out.
struct Sums {
    counts: Vec<u32>,
    size: usize,
}

impl Sums {
    fn of(crop: &[f32], size: usize) -> Self {
        let stride = size + 1;
        let mut counts = vec![0; stride * stride];
        for (y, row) in crop.chunks_exact(size).enumerate() {
            let mut in_row = 0;
            for (x, &value) in row.iter().enumerate() {
                in_row += u32::from(value >= BURNT_OUT);
                counts[(y + 1) * stride + x + 1] = counts[y * stride + x + 1] + in_row;
            }
        }
        Self { counts, size }
    }

    fn is_burnt_out(&self, x: usize, y: usize) -> bool {
        self.count(x..x + 1, y..y + 1) > 0
    }

    /// How many pixels of a rectangle are burnt out.
    fn count(&self, columns: Range<usize>, rows: Range<usize>) -> u32 {
        let at = |x: usize, y: usize| self.counts[y * (self.size + 1) + x];
        at(columns.end, rows.end) + at(columns.start, rows.start)
            - at(columns.start, rows.end)
            - at(columns.end, rows.start)
    }

    /// The mean over all reaches of the share that is burnt out about a pixel.
    fn surroundings(&self, x: usize, y: usize) -> f32 {
        let share = |reach: f32| {
            let reach = ((reach * self.size as f32).round() as usize).max(1);
            let about = |i: usize| i.saturating_sub(reach)..(i + reach + 1).min(self.size);
            let (columns, rows) = (about(x), about(y));
            let pixels = columns.len() * rows.len();
            self.count(columns, rows) as f32 / pixels as f32
        };
        REACHES.into_iter().map(share).sum::<f32>() / REACHES.len() as f32
    }
}
