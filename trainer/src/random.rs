//! Random numbers that depend on their purpose, not on the time when they are drawn.
//!
//! Each use has its own generator, addressed by seed, purpose and stream. So the order of rows, the number of threads and
//! resuming change no number, and no generator state has to be saved.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The purpose of random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// First values of a parameter; the stream is a hash of the parameter's name.
    Parameters = 1,
    /// Order of the rows in an epoch; the stream is the epoch.
    Shuffle = 2,
    /// Augmentation of one face; the stream is epoch and row.
    Augmentation = 3,
    /// Mixing of the faces of a batch; the stream is epoch and batch.
    Mixing = 4,
    /// Crop and augmentation of one sample for the detector; the stream is epoch and sample.
    Sampling = 5,
    /// The exposure of one face; the stream is epoch and row.
    Exposure = 6,
    /// What a camera and a codec do to one face; the stream is epoch and row.
    Degradation = 7,
    /// The cover of one face; the stream is epoch and row.
    Cover = 8,
    /// Rotation, shift, scale and mirroring of one face; the stream is view and row.
    Movement = 9,
}

/// The generator for one `purpose` and `stream` of the run with this `seed`.
pub fn generator(seed: u64, purpose: Purpose, stream: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8] = purpose as u8;
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(stream);
    generator
}

/// Uniform from `-limit` to `limit`.
pub(crate) fn symmetric(limit: f32, generator: &mut impl RngExt) -> f32 {
    limit * (2.0 * generator.random::<f32>() - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::Rng;

    #[test]
    fn the_same_address_gives_the_same_numbers() {
        let draw = || generator(7, Purpose::Shuffle, 3).next_u64();
        assert_eq!(draw(), draw());
    }

    #[test]
    fn seed_purpose_and_stream_each_change_the_numbers() {
        let first = generator(7, Purpose::Shuffle, 3).next_u64();
        assert_ne!(first, generator(8, Purpose::Shuffle, 3).next_u64());
        assert_ne!(first, generator(7, Purpose::Augmentation, 3).next_u64());
        assert_ne!(first, generator(7, Purpose::Shuffle, 4).next_u64());
    }
}
