//! Five points of a face.

use super::region::Region;

/// Points of a face in pixels; right and left are the person's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landmarks(pub [[f32; 2]; Self::COUNT]);

impl Landmarks {
    /// Number of points.
    pub const COUNT: usize = 5;

    /// The points in their order.
    pub const NAMES: [&str; Self::COUNT] =
        ["right_eye", "left_eye", "nose", "right_mouth", "left_mouth"];

    /// Each point moved by `movement`.
    #[must_use]
    pub fn map(self, movement: impl FnMut([f32; 2]) -> [f32; 2]) -> Self {
        Self(self.0.map(movement))
    }

    /// The points of the mirror image, whose positions are those of these points: right and left change places.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        let [right_eye, left_eye, nose, right_mouth, left_mouth] = self.0;
        Self([left_eye, right_eye, nose, left_mouth, right_mouth])
    }

    /// The points in pixels, in fractions of the sides of `region`, from its upper left corner.
    #[must_use]
    pub fn to_fractions(self, region: &Region) -> Self {
        self.map(|[x, y]| {
            [
                (x - region.x) / region.width,
                (y - region.y) / region.height,
            ]
        })
    }

    /// The points in pixels, of points in fractions of the sides of `region`.
    #[must_use]
    pub fn to_pixels(self, region: &Region) -> Self {
        self.map(|[x, y]| [region.x + x * region.width, region.y + y * region.height])
    }

    /// Whether all coordinates are finite.
    pub fn is_finite(&self) -> bool {
        self.0.as_flattened().iter().all(|value| value.is_finite())
    }

    /// How far the head is turned in the plane of the picture, in degrees from -180 to 180, clockwise as it is seen; 0 if
    /// all points coincide.
    ///
    /// It is the mean direction of two lines, of which one at least is long in any pose: from eye to eye, and across the
    /// line from the eyes to the mouth.
    pub fn roll_degrees(&self) -> f32 {
        let [right_eye, left_eye, _, right_mouth, left_mouth] = self.0;
        let way = |from: [f32; 2], to: [f32; 2]| [to[0] - from[0], to[1] - from[1]];
        let middle = |a: [f32; 2], b: [f32; 2]| [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
        let across = way(right_eye, left_eye);
        let down = way(middle(right_eye, left_eye), middle(right_mouth, left_mouth));
        let [x, y] = [across[0] + down[1], across[1] - down[0]];
        y.atan2(x).to_degrees()
    }

    /// How far the head is turned to one side, in degrees from -90 to 90, positive to the person's left; 0 if all points
    /// coincide.
    ///
    /// The nose stands out from the plane of eyes and mouth by about half of the distance between the eyes, so it moves to
    /// one side of their middle when the head turns, and the eyes approach each other.
    pub fn yaw_degrees(&self) -> f32 {
        let (sin, cos) = self.roll_degrees().to_radians().sin_cos();
        // Positions along the line from eye to eye.
        let [right_eye, left_eye, nose, right_mouth, left_mouth] =
            self.0.map(|[x, y]| cos * x + sin * y);
        let middle = (right_eye + left_eye + right_mouth + left_mouth) / 4.0;
        let half_width = (left_eye - right_eye) / 2.0;
        (nose - middle).atan2(half_width.max(0.0)).to_degrees()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPRIGHT: Landmarks = Landmarks([
        [30.0, 40.0],
        [70.0, 40.0],
        [50.0, 60.0],
        [35.0, 80.0],
        [65.0, 80.0],
    ]);

    fn turned(degrees: f32) -> Landmarks {
        let (sin, cos) = degrees.to_radians().sin_cos();
        UPRIGHT.map(|[x, y]| [cos * x - sin * y, sin * x + cos * y])
    }

    #[test]
    fn the_roll_is_the_angle_by_which_the_points_are_turned() {
        for degrees in [0.0, 20.0, -45.0, 90.0, 179.0, -135.0] {
            let found = turned(degrees).roll_degrees();
            assert!(
                (found - degrees).abs() < 0.01,
                "{found} instead of {degrees}"
            );
        }
    }

    #[test]
    fn a_profile_has_the_roll_of_its_upright_axis() {
        let profile = Landmarks([
            [50.0, 40.0],
            [51.0, 40.0],
            [40.0, 60.0],
            [49.0, 80.0],
            [50.0, 80.0],
        ]);
        assert!(profile.roll_degrees().abs() < 3.0);
    }

    #[test]
    fn the_nose_moves_to_the_side_to_which_the_head_turns() {
        assert_eq!(UPRIGHT.yaw_degrees(), 0.0);
        for roll in [0.0, 40.0, -90.0] {
            let mut aside = UPRIGHT;
            aside.0[2][0] += 20.0;
            let (sin, cos) = f32::to_radians(roll).sin_cos();
            let yaw = aside
                .map(|[x, y]| [cos * x - sin * y, sin * x + cos * y])
                .yaw_degrees();
            assert!((yaw - 45.0).abs() < 0.5, "{yaw}");
        }
    }

    #[test]
    fn fractions_of_a_region_move_with_it() {
        let fractions = UPRIGHT.to_fractions(&Region::new(20.0, 30.0, 100.0, 200.0));
        assert_eq!(fractions.0[0], [0.1, 0.05]);
        let moved = fractions.to_pixels(&Region::new(0.0, 10.0, 50.0, 200.0));
        assert_eq!(moved.0[0], [5.0, 20.0]);
        assert_eq!(moved.0[4], [22.5, 60.0]);
    }

    #[test]
    fn a_mirrored_upright_face_is_upright() {
        let mirrored = UPRIGHT.map(|[x, y]| [100.0 - x, y]).mirrored();
        assert_eq!(mirrored.roll_degrees(), 0.0);
        assert_eq!(mirrored.0[0], [30.0, 40.0]);
    }
}
