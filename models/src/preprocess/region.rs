//! Where a face is.

use std::ops::RangeInclusive;

use super::grey::GreyRows;

/// How far a face's crop reaches beyond its box on each side when nobody says otherwise, as a fraction of the box's
/// longer side.
///
/// FER-2013 was cut out by OpenCV's frontal face cascade: on 1,156 of its PrivateTest faces, the margin that turns the
/// cascade's box back into the picture is 0.01 in the median, and the centres differ by less than 1 % of the side.
pub const DEFAULT_MARGIN: f32 = 0.0;

/// The margins that make sense; negative ones crop tighter than the box.
pub const MARGINS: RangeInclusive<f32> = -0.25..=1.0;

/// A rectangle in pixels; it may reach outside the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width, positive.
    pub width: f32,
    /// Height, positive.
    pub height: f32,
}

impl Region {
    /// The rectangle with this upper left corner and size.
    pub const fn new(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    /// The centre.
    pub fn centre(&self) -> (f64, f64) {
        (
            f64::from(self.x) + f64::from(self.width) / 2.0,
            f64::from(self.y) + f64::from(self.height) / 2.0,
        )
    }

    /// The whole picture.
    pub fn whole(picture: &impl GreyRows) -> Self {
        Self {
            x: 0.0,
            y: 0.0,
            width: picture.width() as f32,
            height: picture.height() as f32,
        }
    }

    /// The square about the centre of a face box: its longer side, widened by `margin` times that side on each side.
    pub fn face(x: f32, y: f32, width: f32, height: f32, margin: f32) -> Self {
        let side = width.max(height) * (1.0 + 2.0 * margin);
        Self {
            x: x + (width - side) / 2.0,
            y: y + (height - side) / 2.0,
            width: side,
            height: side,
        }
    }

    /// Intersection over union with `other`, from 0 to 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let both = self.intersection(other);
        both / (self.width * self.height + other.width * other.height - both)
    }

    /// The area that both cover.
    fn intersection(&self, other: &Self) -> f32 {
        let overlap = |a: f32, a_length: f32, b: f32, b_length: f32| {
            ((a + a_length).min(b + b_length) - a.max(b)).max(0.0)
        };
        overlap(self.x, self.width, other.x, other.width)
            * overlap(self.y, self.height, other.y, other.height)
    }

    /// The share of this region that lies in `other`, from 0 to 1.
    pub fn share_in(&self, other: &Self) -> f32 {
        self.intersection(other) / (self.width * self.height)
    }

    pub(super) fn is_valid(&self) -> bool {
        [self.x, self.y, self.width, self.height]
            .iter()
            .all(|v| v.is_finite())
            && self.width > 0.0
            && self.height > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overlap_of_regions_is_their_intersection_over_their_union() {
        let square = |x: f32, side: f32| Region {
            x,
            y: 0.0,
            width: side,
            height: side,
        };
        let a = square(0.0, 10.0);
        assert_eq!(a.iou(&a), 1.0);
        assert!((a.iou(&square(5.0, 10.0)) - 50.0 / 150.0).abs() < 1e-6);
        assert_eq!(a.iou(&square(20.0, 10.0)), 0.0);
    }

    #[test]
    fn a_face_region_is_a_square_about_the_centre() {
        let region = Region::face(10.0, 20.0, 40.0, 60.0, 0.25);
        assert_eq!(
            region,
            Region {
                x: -15.0,
                y: 5.0,
                width: 90.0,
                height: 90.0
            }
        );
    }

    #[test]
    fn the_share_of_a_region_within_another_is_of_its_own_area() {
        let square = |x: f32, side: f32| Region {
            x,
            y: 0.0,
            width: side,
            height: side,
        };
        assert_eq!(square(-5.0, 10.0).share_in(&square(0.0, 100.0)), 0.5);
        assert_eq!(square(0.0, 10.0).share_in(&square(0.0, 100.0)), 1.0);
        assert_eq!(square(50.0, 10.0).share_in(&square(0.0, 20.0)), 0.0);
    }
}
