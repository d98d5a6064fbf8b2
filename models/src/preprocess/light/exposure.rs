//! Exposure: brightness towards the middle, and a guess at what burnt out.
//!
//! Grey values are about a power of the light, so a longer exposure multiplies them. Where the light was more than the
//! picture holds, all that is known is where: the inside of a highlight was brighter than its border. So the range
//! above what is not burnt out is given to the highlights, by how much burnt-out surrounding each of their pixels has.

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

/// That room, as a share of all grey values: what 1.5 stops take, 1 − 2^(−1.5 / 2.2).
const ROOM: f32 = 0.37;

/// Reaches of the squares in which surroundings count, as shares of the crop's side.
const REACHES: [f32; 4] = [1.0 / 48.0, 3.0 / 48.0, 7.0 / 48.0, 12.0 / 48.0];

/// Corrects `crop` in place.
pub(super) fn apply(crop: &mut [f32], size: usize) {
    let pixels = crop.len() as f32;
    let mean = crop.iter().sum::<f32>() / pixels;
    let burnt_out = crop.iter().filter(|&&value| value >= BURNT_OUT).count() as f32 / pixels;
    let factor = (MEAN / mean.max(1.0)).clamp(1.0, MOST);
    if burnt_out < FEWEST {
        if factor > 1.0 {
            for value in crop {
                *value = (*value * factor).min(255.0);
            }
        }
        return;
    }
    let sums = Sums::of(crop, size);
    let room = ROOM * (burnt_out / MANY).min(1.0);
    for (i, value) in crop.iter_mut().enumerate() {
        let excess = if *value >= BURNT_OUT {
            2.0 * sums.surroundings(i % size, i / size) - 1.0
        } else {
            0.0
        };
        let exposed = (*value * factor).min(255.0);
        *value = (1.0 - room) * exposed + room * 255.0 * excess.max(0.0);
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

    /// The mean over all reaches of the share that is burnt out about a pixel.
    fn surroundings(&self, x: usize, y: usize) -> f32 {
        let stride = self.size + 1;
        let share = |reach: f32| {
            let reach = ((reach * self.size as f32).round() as usize).max(1);
            let (left, right) = (x.saturating_sub(reach), (x + reach + 1).min(self.size));
            let (top, bottom) = (y.saturating_sub(reach), (y + reach + 1).min(self.size));
            let at = |x: usize, y: usize| self.counts[y * stride + x];
            let count = at(right, bottom) + at(left, top) - at(left, bottom) - at(right, top);
            count as f32 / ((right - left) * (bottom - top)) as f32
        };
        REACHES.into_iter().map(share).sum::<f32>() / REACHES.len() as f32
    }
}
