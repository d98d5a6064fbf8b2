//! Pictures made of others: faces that fill or overfill the picture, and faces turned in the plane.

use anyhow::Result;
use emotion_models::image_file::view;
use emotion_models::preprocess::{Preprocessor, Region};
use image::GrayImage;
use image::imageops::{FilterType, crop_imm, resize};

use super::annotations::clip;
use super::matching::ScoredBox;
use crate::data::augment::{Margins, Movement, Warp};
use crate::data::crop;

/// Least longer side of a face in pixels: smaller ones would be enlarged beyond recognition.
const LEAST_SIDE: f32 = 40.0;
/// Heights of the face as fractions of the picture's.
pub const FILLS: [f32; 7] = [0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2];
/// Heights of the pictures in pixels.
pub const HEIGHTS: [u32; 6] = [64, 160, 256, 350, 512, 1024];
/// Widths of the pictures as fractions of their heights.
const ASPECTS: [f32; 3] = [4.0 / 3.0, 0.75, 1.0];
/// Angles of the turned faces in degrees, the upright one first. Beyond 60° a face need not be found, but must not be named
/// wrongly.
pub const ANGLES: [f32; 14] = [
    0.0, 15.0, -15.0, 30.0, -30.0, 45.0, -45.0, 60.0, -60.0, 90.0, -90.0, 135.0, -135.0, 180.0,
];
/// Side of the picture of a turned face in pixels.
const TURNED_SIDE: usize = 288;
/// The same as a multiple of the face's longer side.
const SURROUNDINGS: f32 = 3.0;
/// Least share of a face that a box covers if it is a box of that face.
const COVERED: f32 = 0.3;

/// A picture of one face.
#[derive(Debug, Clone)]
pub struct MadeImage {
    /// The picture.
    pub image: GrayImage,
    /// The visible part of the face in pixels.
    pub face: Region,
}

/// Whether a face has enough pixels to make pictures of.
pub fn is_large(face: &Region) -> bool {
    face.width.max(face.height) >= LEAST_SIDE
}

/// The close-up at `index` of a face: [`FILLS`], sizes and aspects in turn. None if the picture around the face is too
/// small for it.
pub fn close_up(picture: &GrayImage, face: &Region, index: usize) -> Option<MadeImage> {
    let fill = FILLS[index % FILLS.len()];
    let height = HEIGHTS[index % HEIGHTS.len()];
    let aspect = ASPECTS[index / FILLS.len() % ASPECTS.len()];
    let cropped = [aspect * face.height / fill, face.height / fill];
    let (x, y) = face.centre();
    let sides = [picture.width(), picture.height()];
    let spans = [x as f32, y as f32]
        .into_iter()
        .zip(cropped)
        .zip(sides)
        .map(|((centre, length), side)| {
            let start = (centre - length / 2.0).max(0.0).round() as u32;
            let end = ((centre + length / 2.0).round() as u32).min(side);
            (start, end.saturating_sub(start))
        });
    let spans: Vec<(u32, u32)> = spans.collect();
    let [(left, width), (top, rows)] = spans[..] else {
        return None;
    };
    // At the border of the picture the face would fill more than it should.
    if (rows as f32) < 0.95 * cropped[1] || (width as f32) < 0.7 * cropped[0] {
        return None;
    }
    let scale = height as f32 / rows as f32;
    let width_px = (width as f32 * scale).round() as u32;
    let cropped_image = crop_imm(picture, left, top, width, rows).to_image();
    let moved = Region {
        x: (face.x - left as f32) * scale,
        y: (face.y - top as f32) * scale,
        width: face.width * scale,
        height: face.height * scale,
    };
    Some(MadeImage {
        image: resize(
            &cropped_image,
            width_px.max(1),
            height,
            FilterType::Triangle,
        ),
        face: clip(moved, [width_px as f32, height as f32])?,
    })
}

/// The face and its surroundings, turned by an angle in degrees about its centre.
///
/// # Errors
///
/// When the face has no area.
pub fn turned(picture: &GrayImage, face: &Region, angle_degrees: f32) -> Result<MadeImage> {
    let (x, y) = face.centre();
    let side = SURROUNDINGS * face.width.max(face.height);
    let around = Region {
        x: x as f32 - side / 2.0,
        y: y as f32 - side / 2.0,
        width: side,
        height: side,
    };
    let upright = crop(&view(picture)?, around, &mut Preprocessor::new(TURNED_SIDE))?;
    let movement = Movement {
        angle_degrees,
        ..Movement::NONE
    };
    let mut pixels = vec![0; upright.len()];
    Warp::new(movement, TURNED_SIDE).apply(
        &upright,
        TURNED_SIDE,
        &mut Margins::default(),
        &mut pixels,
    );
    let scale = TURNED_SIDE as f32 / side;
    let [width, height] = [face.width * scale, face.height * scale];
    let centre = TURNED_SIDE as f32 / 2.0;
    let size = TURNED_SIDE as u32;
    Ok(MadeImage {
        image: GrayImage::from_raw(size, size, pixels).expect("one value for each pixel"),
        face: Region {
            x: centre - width / 2.0,
            y: centre - height / 2.0,
            width,
            height,
        },
    })
}

/// Faces of one kind of made pictures, and those that a detector found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MadeMetrics {
    /// Number of faces.
    pub faces: usize,
    /// Faces with a box of enough overlap.
    pub found: usize,
    /// Faces with exactly one box, whatever its overlap.
    pub with_one_box: usize,
    /// Found faces whose emotion was compared with that of the face before it was turned, …
    pub compared: usize,
    /// … those of which it was the same, …
    pub with_same_emotion: usize,
    /// … and those of which another one is certain enough to be named.
    pub named_otherwise: usize,
}

impl MadeMetrics {
    /// Counts a face and the `boxes` of a detector, of which those with this intersection over union find it.
    pub fn add(&mut self, face: &Region, boxes: &[ScoredBox], least_iou: f32) {
        let overlap = |found: &&ScoredBox| found.region.iou(face) >= least_iou;
        let covers = |found: &&ScoredBox| {
            face.share_in(&found.region)
                .max(found.region.share_in(face))
                >= COVERED
        };
        self.faces += 1;
        self.found += usize::from(boxes.iter().any(|found| overlap(&found)));
        self.with_one_box += usize::from(boxes.iter().filter(covers).count() == 1);
    }

    /// Counts the label of a face, which may be uncertain, and that of the same face upright.
    pub fn compare(&mut self, label: usize, is_uncertain: bool, upright: usize) {
        self.compared += 1;
        self.with_same_emotion += usize::from(label == upright);
        self.named_otherwise += usize::from(label != upright && !is_uncertain);
    }

    /// Fraction of the compared faces that are named otherwise than upright.
    pub fn otherwise(&self) -> Option<f64> {
        (self.compared > 0).then(|| self.named_otherwise as f64 / self.compared as f64)
    }

    /// Fraction of the compared faces with the same emotion as upright.
    pub fn same_emotion(&self) -> Option<f64> {
        (self.compared > 0).then(|| self.with_same_emotion as f64 / self.compared as f64)
    }

    /// Fraction of the faces that were found; NaN without faces.
    pub fn recall(&self) -> f64 {
        self.found as f64 / self.faces as f64
    }

    /// Fraction of the faces with exactly one box; NaN without faces.
    pub fn one_box(&self) -> f64 {
        self.with_one_box as f64 / self.faces as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture with a bright face on black.
    fn picture() -> (GrayImage, Region) {
        let face = Region::new(150.0, 120.0, 60.0, 80.0);
        let inside = |x: u32, y: u32| (150..210).contains(&x) && (120..200).contains(&y);
        let pixel = |x, y| image::Luma([if inside(x, y) { 255 } else { 0 }]);
        (GrayImage::from_fn(400, 360, pixel), face)
    }

    /// Whether the face of a made picture is where the picture is bright.
    fn assert_bright_inside(made: &MadeImage) {
        let (x, y) = made.face.centre();
        assert_eq!(made.image.get_pixel(x as u32, y as u32).0, [255]);
        let bright = made.image.pixels().filter(|pixel| pixel.0[0] > 127).count() as f32;
        let area = made.face.width * made.face.height;
        assert!((bright - area).abs() < 0.08 * area, "{bright} of {area}");
    }

    #[test]
    fn close_ups_fill_the_picture_as_far_as_asked() {
        let (picture, face) = picture();
        for index in 0..FILLS.len() * HEIGHTS.len() * ASPECTS.len() {
            let made = close_up(&picture, &face, index).unwrap();
            let height = made.image.height() as f32;
            assert_eq!(made.image.height(), HEIGHTS[index % HEIGHTS.len()]);
            let fill = FILLS[index % FILLS.len()].min(1.0);
            assert!((made.face.height / height - fill).abs() < 0.03, "{index}");
            assert_bright_inside(&made);
        }
    }

    #[test]
    fn a_face_at_the_border_has_no_close_up_that_needs_more_of_the_picture() {
        let (picture, _) = picture();
        let corner = Region::new(0.0, 0.0, 60.0, 80.0);
        assert!(close_up(&picture, &corner, 0).is_none());
    }

    #[test]
    fn a_turned_face_stays_in_the_middle() {
        let (picture, face) = picture();
        for angle in ANGLES {
            let made = turned(&picture, &face, angle).unwrap();
            assert_bright_inside(&made);
            let (x, y) = made.face.centre();
            assert!((x - 144.0).abs() < 1.0 && (y - 144.0).abs() < 1.0);
        }
        let [upright, right_angle] =
            [0.0, 90.0].map(|angle| turned(&picture, &face, angle).unwrap());
        let lit = |made: &MadeImage, x, y| made.image.get_pixel(x, y).0[0] > 127;
        // The face is higher than wide.
        assert!(lit(&upright, 144, 185) && !lit(&upright, 185, 144));
        assert!(!lit(&right_angle, 144, 185) && lit(&right_angle, 185, 144));
    }

    #[test]
    fn two_boxes_on_a_face_are_one_too_many() {
        let face = Region::new(0.0, 0.0, 100.0, 100.0);
        let scored = |region| ScoredBox {
            region,
            score: 0.9,
            landmarks: None,
        };
        let half = Region::new(20.0, 20.0, 60.0, 60.0);
        let mut metrics = MadeMetrics::default();
        metrics.add(&face, &[scored(face)], 0.5);
        metrics.add(&face, &[scored(face), scored(half)], 0.5);
        metrics.add(&face, &[scored(half)], 0.5);
        metrics.add(&face, &[], 0.5);
        assert_eq!(
            (metrics.faces, metrics.found, metrics.with_one_box),
            (4, 2, 2)
        );
    }
}
