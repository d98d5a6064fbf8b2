//! Brightness, contrast and gamma, applied as one lookup table.

use rand::RngExt;

use crate::random::symmetric;

/// Changes the tone by at most `amount`: gamma between 1 / (1 + amount) and 1 + amount, then v in [-1, 1] becomes
/// (1 ± amount)·v ± amount.
pub(super) fn change(amount: f32, face: &mut [u8], generator: &mut impl RngExt) {
    let gamma = (1.0 + amount).powf(symmetric(1.0, generator));
    let contrast = 1.0 + symmetric(amount, generator);
    let brightness = symmetric(amount, generator);
    let table = table(gamma, contrast, brightness);
    for pixel in face {
        *pixel = table[usize::from(*pixel)];
    }
}

fn table(gamma: f32, contrast: f32, brightness: f32) -> [u8; 256] {
    std::array::from_fn(|level| {
        let value = 2.0 * (level as f32 / 255.0).powf(gamma) - 1.0;
        let changed = contrast * value + brightness;
        // The cast saturates.
        ((changed + 1.0) * 127.5).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};

    #[test]
    fn light_as_it_is_changes_no_level() {
        let expected: Vec<u8> = (0..=255).collect();
        assert_eq!(table(1.0, 1.0, 0.0).to_vec(), expected);
    }

    #[test]
    fn brightness_moves_and_contrast_spreads_about_the_middle() {
        assert_eq!(table(1.0, 1.0, 0.2)[100], 126);
        assert_eq!(table(1.0, 1.2, 0.0)[[27, 228][0]], 7);
        assert_eq!(table(1.0, 0.5, 0.0)[255], 191);
        assert_eq!(table(1.0, 1.5, 0.5)[255], 255);
    }

    #[test]
    fn a_gamma_above_one_darkens_all_but_black_and_white() {
        let table = table(1.3, 1.0, 0.0);
        assert_eq!((table[0], table[255]), (0, 255));
        assert!(table[128] < 120 && table[128] > 90, "{}", table[128]);
    }

    #[test]
    fn the_order_of_the_levels_stays_and_the_amount_bounds_the_change() {
        for stream in 0..200 {
            let mut levels: Vec<u8> = (0..=255).collect();
            let mut generator = generator(1, Purpose::Augmentation, stream);
            change(0.2, &mut levels, &mut generator);
            assert!(levels.is_sorted());
            // Both ends move by at most contrast and brightness together: 0.4 of 2.
            assert!(levels[0] <= 51 && levels[255] >= 204, "{levels:?}");
        }
    }
}
