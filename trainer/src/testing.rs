//! Small data for tests.

use emotion_models::Emotion;
use emotion_models::preprocess::Region;
use rand::RngExt;

use crate::data::{FACE_SIZE, Faces};
use crate::detector::matching::ScoredBox;
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

pub(crate) fn square(x: f32, y: f32, side: f32) -> Region {
    Region::new(x, y, side, side)
}

/// A square at the upper border.
pub(crate) fn scored_square(x: f32, side: f32, score: f32) -> ScoredBox {
    ScoredBox {
        region: square(x, 0.0, side),
        score,
        landmarks: None,
    }
}
