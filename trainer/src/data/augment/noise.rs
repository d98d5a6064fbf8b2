//! Nearly normal noise from one random word a pixel.

use rand::RngExt;

/// Bits in a word.
const BITS: usize = 32;

/// Adds noise of one standard deviation for all pixels, drawn between 0 and `limit` grey levels.
///
/// The number of ones in 32 bits, minus 16, follows a binomial distribution, which is nearly normal, with a variance
/// of 8.
pub(super) fn add(limit: f32, face: &mut [u8], generator: &mut impl RngExt) {
    let scale = limit * generator.random::<f32>() / (BITS as f32 / 4.0).sqrt();
    let by_ones: [i16; BITS + 1] =
        std::array::from_fn(|ones| (scale * (ones as f32 - BITS as f32 / 2.0)).round() as i16);
    for pixel in face {
        let ones = generator.random::<u32>().count_ones() as usize;
        *pixel = (i16::from(*pixel) + by_ones[ones]).clamp(0, 255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};

    /// Mean and standard deviation of grey 128 with noise.
    fn moments(limit: f32, stream: u64) -> (f32, f32) {
        let mut face = vec![128; 48 * 48];
        let mut generator = generator(1, Purpose::Augmentation, stream);
        add(limit, &mut face, &mut generator);
        let mean = |values: &mut dyn Iterator<Item = f32>| values.sum::<f32>() / (48.0 * 48.0);
        let average = mean(&mut face.iter().map(|&pixel| f32::from(pixel)));
        let variance = mean(&mut face.iter().map(|&p| (f32::from(p) - average).powi(2)));
        (average, variance.sqrt())
    }

    #[test]
    fn noise_keeps_the_mean_and_stays_below_its_limit() {
        let mut largest = 0.0_f32;
        for stream in 0..100 {
            let (mean, deviation) = moments(20.0, stream);
            assert!((mean - 128.0).abs() < 1.6, "{mean}");
            largest = largest.max(deviation);
        }
        assert!((18.5..20.8).contains(&largest), "{largest}");
    }
}
