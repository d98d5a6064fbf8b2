//! The built-in clip, in which the position of every face is known: a portrait, moved, scaled and doubled on a canvas.
//!
//! Every frame is a pure function of its number, so the frames and the boxes are the same on every machine.

mod drawing;

use std::ops::Range;

use emotion_models::preprocess::Region;

pub use drawing::Clip;

/// Width of the canvas in pixels.
pub const WIDTH: usize = 640;
/// Height of the canvas in pixels.
pub const HEIGHT: usize = 480;
/// Frames per second.
pub const FRAMES_PER_SECOND: usize = 25;
/// Number of frames.
pub const FRAMES: usize = 200;
/// The frames without a face.
pub const EMPTY: Range<usize> = 0..10;

/// Head and shoulders, in pixels of the portrait.
const PHOTO: Region = Region {
    x: 96.0,
    y: 0.0,
    width: 272.0,
    height: 272.0,
};
/// The face, from forehead to chin and from ear to ear, in pixels of the portrait.
const FACE: Region = Region {
    x: 176.0,
    y: 66.0,
    width: 100.0,
    height: 122.0,
};

fn is_within_canvas(region: &Region) -> bool {
    region.x >= 0.0
        && region.y >= 0.0
        && region.x + region.width <= WIDTH as f32
        && region.y + region.height <= HEIGHT as f32
}

/// The position of one copy of the photo at one frame.
#[derive(Clone, Copy)]
struct Pose {
    frame: usize,
    centre: (f32, f32),
    scale: f32,
    mirrored: bool,
}

const fn pose(frame: usize, centre_x: f32, centre_y: f32, scale: f32, mirrored: bool) -> Pose {
    Pose {
        frame,
        centre: (centre_x, centre_y),
        scale,
        mirrored,
    }
}

/// Enters from the left, crosses the canvas while shrinking, returns and grows.
const FIRST: [Pose; 5] = [
    pose(EMPTY.end, -150.0, 240.0, 0.9, false),
    pose(40, 170.0, 240.0, 0.9, false),
    pose(90, 420.0, 200.0, 0.5, false),
    pose(130, 170.0, 260.0, 1.1, false),
    pose(FRAMES, 170.0, 220.0, 0.9, false),
];
/// The mirrored copy: enters from the right, shrinks and grows.
const SECOND: [Pose; 4] = [
    pose(90, 790.0, 240.0, 0.8, true),
    pose(125, 480.0, 240.0, 0.8, true),
    pose(165, 480.0, 300.0, 0.5, true),
    pose(FRAMES, 485.0, 210.0, 1.05, true),
];

impl Pose {
    /// The pose of a copy at `frame`, eased between two of its path, or `None` before it enters.
    fn at(path: &[Pose], frame: usize) -> Option<Pose> {
        let (from, to) = path
            .windows(2)
            .map(|pair| (pair[0], pair[1]))
            .rfind(|(from, _)| from.frame <= frame)?;
        let linear = (frame - from.frame) as f32 / (to.frame - from.frame) as f32;
        let eased = linear * linear * (3.0 - 2.0 * linear);
        let between = |a: f32, b: f32| a + (b - a) * eased;
        Some(Pose {
            frame,
            centre: (
                between(from.centre.0, to.centre.0),
                between(from.centre.1, to.centre.1),
            ),
            scale: between(from.scale, to.scale),
            mirrored: from.mirrored,
        })
    }

    /// Maps a rectangle from the portrait to the canvas.
    fn place(&self, rect: Region) -> Region {
        let photo_centre = (PHOTO.x + PHOTO.width / 2.0, PHOTO.y + PHOTO.height / 2.0);
        let left = if self.mirrored {
            photo_centre.0 - (rect.x + rect.width)
        } else {
            rect.x - photo_centre.0
        };
        Region {
            x: self.centre.0 + left * self.scale,
            y: self.centre.1 + (rect.y - photo_centre.1) * self.scale,
            width: rect.width * self.scale,
            height: rect.height * self.scale,
        }
    }
}

fn poses(frame: usize) -> impl Iterator<Item = Pose> {
    [FIRST.as_slice(), SECOND.as_slice()]
        .into_iter()
        .filter_map(move |path| Pose::at(path, frame))
}

/// The boxes of all faces that are completely on the canvas at `frame`, in pixels.
pub fn faces(frame: usize) -> Vec<Region> {
    poses(frame)
        .map(|pose| pose.place(FACE))
        .filter(is_within_canvas)
        .collect()
}

/// The number of faces at `frame` that are cut by the edge of the canvas or outside it.
pub fn cut_faces(frame: usize) -> usize {
    poses(frame).count() - faces(frame).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_there_at_first_then_one_face_then_two() {
        for frame in EMPTY {
            assert_eq!(faces(frame).len(), 0, "frame {frame}");
        }
        assert_eq!(faces(60).len(), 1);
        assert_eq!(faces(FRAMES - 1).len(), 2);
    }

    #[test]
    fn faces_change_in_size_and_never_touch_each_other() {
        let widths: Vec<f32> = (0..FRAMES).flat_map(faces).map(|face| face.width).collect();
        let smallest = widths.iter().copied().fold(f32::INFINITY, f32::min);
        let largest = widths.iter().copied().fold(0.0, f32::max);
        assert!(
            smallest <= 50.0 && largest >= 105.0,
            "{smallest} to {largest}"
        );
        for frame in 0..FRAMES {
            if let [a, b] = faces(frame)[..] {
                assert_eq!(a.iou(&b), 0.0, "frame {frame}");
            }
        }
    }

    #[test]
    fn iou_is_one_for_the_same_box_and_a_seventh_for_a_quarter_overlap() {
        let box_at = |x: f32, y: f32| Region {
            x,
            y,
            width: 10.0,
            height: 10.0,
        };
        assert_eq!(box_at(0.0, 0.0).iou(&box_at(0.0, 0.0)), 1.0);
        assert!((box_at(0.0, 0.0).iou(&box_at(5.0, 5.0)) - 25.0 / 175.0).abs() < 1e-6);
    }
}
