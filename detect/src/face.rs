//! A detected face.

use emotion_models::preprocess::{Landmarks, Region};

/// A detected face on the grid of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectedFace {
    /// Left edge in pixels; may lie outside the image.
    pub x: i32,
    /// Upper edge in pixels; may lie outside the image.
    pub y: i32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Confidence of the detector, 0 to 1.
    pub confidence: f64,
    /// Its landmarks in pixels, from a detector that finds them.
    pub landmarks: Option<Landmarks>,
}

impl DetectedFace {
    /// The box in pixels.
    pub fn region(&self) -> Region {
        Region::new(
            self.x as f32,
            self.y as f32,
            self.width as f32,
            self.height as f32,
        )
    }

    /// The face with the part of its box that lies in an image of `[width, height]` pixels; none if no pixel does.
    #[must_use]
    pub fn within(self, [width, height]: [usize; 2]) -> Option<Self> {
        let (x, width) = clamp(self.x, self.width, width)?;
        let (y, height) = clamp(self.y, self.height, height)?;
        Some(Self {
            x,
            y,
            width,
            height,
            ..self
        })
    }
}

/// The part of the span that lies within `0..limit`, as start and length.
fn clamp(start: i32, length: u32, limit: usize) -> Option<(i32, u32)> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let end = (i64::from(start) + i64::from(length)).clamp(0, limit);
    let start = i64::from(start).clamp(0, limit);
    let span = (i32::try_from(start).ok()?, u32::try_from(end - start).ok()?);
    (span.1 > 0).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_keeps_the_part_within_the_image_and_one_outside_is_none() {
        let face = |x, y, width, height| DetectedFace {
            x,
            y,
            width,
            height,
            confidence: 0.5,
            landmarks: None,
        };
        let size = [100, 80];
        assert_eq!(face(-5, 70, 20, 30).within(size), Some(face(0, 70, 15, 10)));
        assert_eq!(face(10, 10, 5, 5).within(size), Some(face(10, 10, 5, 5)));
        assert_eq!(face(100, 10, 5, 5).within(size), None);
        assert_eq!(face(-5, 10, 5, 5).within(size), None);
        assert_eq!(
            face(i32::MIN, i32::MIN, u32::MAX, u32::MAX).within(size),
            Some(face(0, 0, 100, 80))
        );
    }
}
