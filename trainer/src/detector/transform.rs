//! Maps points and boxes between an image and a sample.

use emotion_models::preprocess::{Landmarks, Region};

/// Mirrors and scales an image and rotates it about a point.
#[derive(Debug, Clone, Copy)]
pub(super) struct SampleTransform {
    /// A point of the image …
    pub(super) from: [f32; 2],
    /// … and its position in the sample.
    pub(super) to: [f32; 2],
    /// Pixels of the sample for one of the image, along x and y; negative along x if mirrored.
    pub(super) scale: [f32; 2],
    /// Cosine and sine of the rotation.
    pub(super) rotation: [f32; 2],
}

impl SampleTransform {
    /// The position of a point of the image.
    pub(super) fn forward(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let [cos, sin] = self.rotation;
        let x = (x - self.from[0]) * self.scale[0];
        let y = (y - self.from[1]) * self.scale[1];
        [
            self.to[0] + cos * x - sin * y,
            self.to[1] + sin * x + cos * y,
        ]
    }

    /// The point of the image at a position of the sample.
    pub(super) fn back(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let [cos, sin] = self.rotation;
        let (x, y) = (x - self.to[0], y - self.to[1]);
        [
            self.from[0] + (cos * x + sin * y) / self.scale[0],
            self.from[1] + (cos * y - sin * x) / self.scale[1],
        ]
    }

    /// The landmarks in the sample.
    pub(super) fn landmarks(&self, landmarks: Landmarks) -> Landmarks {
        let moved = landmarks.map(|point| self.forward(point));
        if self.scale[0] < 0.0 {
            moved.mirrored()
        } else {
            moved
        }
    }

    /// The box in the sample. It keeps its sides when rotated, because faces are round.
    pub(super) fn region(&self, region: &Region) -> Region {
        let centre = [
            region.x + region.width / 2.0,
            region.y + region.height / 2.0,
        ];
        let [x, y] = self.forward(centre);
        let width = region.width * self.scale[0].abs();
        let height = region.height * self.scale[1];
        Region {
            x: x - width / 2.0,
            y: y - height / 2.0,
            width,
            height,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mirrored, stretched and turned by 90°.
    const MAPPING: SampleTransform = SampleTransform {
        from: [10.0, 20.0],
        to: [100.0, 50.0],
        scale: [-2.0, 3.0],
        rotation: [0.0, 1.0],
    };

    #[test]
    fn points_are_mirrored_and_scaled_and_then_turned() {
        assert_eq!(MAPPING.forward([10.0, 20.0]), [100.0, 50.0]);
        // Two to the left by the mirror, down by the turn.
        assert_eq!(MAPPING.forward([11.0, 20.0]), [100.0, 48.0]);
        assert_eq!(MAPPING.forward([10.0, 21.0]), [97.0, 50.0]);
    }

    #[test]
    fn the_right_eye_of_a_mirrored_face_is_where_the_left_one_was() {
        let points = [
            [10.0, 20.0],
            [14.0, 20.0],
            [12.0, 22.0],
            [10.0, 24.0],
            [14.0, 24.0],
        ];
        let moved = MAPPING.landmarks(Landmarks(points)).0;
        assert_eq!(moved[0], MAPPING.forward(points[1]));
        assert_eq!(moved[2], MAPPING.forward(points[2]));
        assert_eq!(moved[4], MAPPING.forward(points[3]));
    }

    #[test]
    fn the_way_back_is_the_inverse() {
        let mapping = SampleTransform {
            rotation: [0.6, 0.8],
            ..MAPPING
        };
        for point in [[0.0, 0.0], [33.0, 4.0], [-7.0, 90.0]] {
            let [x, y] = mapping.back(mapping.forward(point));
            assert!((x - point[0]).abs() < 1e-3 && (y - point[1]).abs() < 1e-3);
        }
    }

    #[test]
    fn a_box_keeps_its_sides_when_it_is_turned_about_its_centre() {
        let region = Region {
            x: 8.0,
            y: 18.0,
            width: 4.0,
            height: 4.0,
        };
        let expected = Region {
            x: 96.0,
            y: 44.0,
            width: 8.0,
            height: 12.0,
        };
        assert_eq!(MAPPING.region(&region), expected);
    }
}
