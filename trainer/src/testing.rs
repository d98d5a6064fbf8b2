//! Small data for tests.

use emotion_models::Emotion;
use rand::RngExt;

use crate::data::{FACE_SIZE, Faces};
use crate::random::{Purpose, generator};

/// Noise with labels in turn.
pub(crate) fn random_faces(count: usize, seed: u64) -> Faces {
    let mut generator = generator(seed, Purpose::Parameters, 0);
    let mut faces = Faces::default();
    for index in 0..count {
        let pixels: Vec<u8> = (0..FACE_SIZE * FACE_SIZE)
            .map(|_| generator.random())
            .collect();
        faces.push(&pixels, Emotion::ALL[index % Emotion::ALL.len()]);
    }
    faces
}
