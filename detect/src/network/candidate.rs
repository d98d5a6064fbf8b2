//! A box from the network.

use emotion_models::preprocess::{Landmarks, Region};

use crate::DetectedFace;

/// A box that may be a face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The box in pixels; may reach outside the image.
    pub region: Region,
    /// Calibrated probability that it is a face, 0 to 1.
    pub confidence: f32,
    /// Its landmarks in pixels, from weights that have learnt them.
    pub landmarks: Option<Landmarks>,
}

impl Candidate {
    pub(super) fn region(&self) -> &Region {
        &self.region
    }

    /// Rounds the box to the grid of pixels.
    pub(super) fn face(&self) -> DetectedFace {
        let Region {
            x,
            y,
            width,
            height,
        } = self.region;
        let span = |start: f32, length: f32| {
            let first = start.round() as i32;
            let end = (start + length).round() as i32;
            (first, end.saturating_sub(first).max(1).unsigned_abs())
        };
        let ((x, width), (y, height)) = (span(x, width), span(y, height));
        DetectedFace {
            x,
            y,
            width,
            height,
            confidence: f64::from(self.confidence),
            landmarks: self.landmarks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_covers_the_pixels_nearest_to_its_box_and_at_least_one() {
        let face = |x: f32, width: f32| {
            let region = Region::new(x, -0.4, width, 0.1);
            Candidate {
                region,
                confidence: 0.5,
                landmarks: None,
            }
            .face()
        };
        let found = face(-3.6, 10.2);
        assert_eq!(
            (found.x, found.width, found.y, found.height),
            (-4, 11, 0, 1)
        );
        assert_eq!(found.confidence, 0.5);
        assert_eq!(face(f32::MAX, f32::MAX).width, 1, "no overflow");
    }
}
