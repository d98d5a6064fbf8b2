//! Options of a detection.

use emotion_models::preprocess::{GreyRows, Part, Region};

use crate::DetectedFace;

/// Which faces are detected, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Longer side of the smallest face in pixels. 0 stands for the size from which the detector is reliable: 16 pixels
    /// of the network's input, or 30 for a cascade.
    pub min_size_px: u32,
    /// Longer side of the largest face in pixels; 0 for any.
    pub max_size_px: u32,
    /// The region, in pixels, that is searched and that contains the centres of the faces; none: the whole image.
    pub region: Option<Region>,
    /// The number of faces that are kept, the largest; 0 for all.
    pub max_faces: usize,
    /// Network: least confidence of a face, 0 to 1.
    pub threshold: f32,
    /// Network: longest side of its input in pixels; larger images are reduced. 0 chooses it by the size of the image
    /// and of the smallest face.
    pub detection_size_px: u32,
    /// Network: number of overlapping tiles along the longer side of the image; each is searched in addition to the
    /// whole. 1 for none; 0 chooses by the size of the image where it chooses the detection size too: for a face of 30 pixels,
    /// 2 at 1920×1080 and up to 4 in larger images.
    pub tiles: u32,
    /// Network: intersection over union from which two boxes belong to one face.
    pub nms_iou: f32,
    /// Cascade: ratio of one searched face size to the next, above 1.
    pub scale_factor: f64,
    /// Cascade: a face is where more than this many neighbouring windows agree.
    pub min_neighbors: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            min_size_px: 0,
            max_size_px: 0,
            region: None,
            max_faces: 0,
            threshold: 0.5,
            detection_size_px: 0,
            tiles: 0,
            nms_iou: 0.4,
            scale_factor: 1.1,
            min_neighbors: 5,
        }
    }
}

impl Options {
    /// The pixels of `image` that `region` touches, without one all; none if the region lies outside.
    pub(crate) fn visible_part(region: Option<Region>, image: &impl GreyRows) -> Option<Part> {
        let Some(region) = region else {
            return Some(Part::whole(image));
        };
        // Values that are too large or NaN end at the border.
        let span = |start: f32, length: f32, pixels: usize| {
            let first = start.floor().max(0.0) as usize;
            let end = ((start + length).ceil().max(0.0) as usize).min(pixels);
            (first < end).then(|| (first, end - first))
        };
        let (x, width) = span(region.x, region.width, image.width())?;
        let (y, height) = span(region.y, region.height, image.height())?;
        Some(Part {
            x,
            y,
            width,
            height,
        })
    }

    /// Whether the size and position of a face are within the limits.
    pub(crate) fn accepts(&self, face: &Region) -> bool {
        let side = face.width.max(face.height);
        let is_inside = self.region.is_none_or(|region| {
            let (x, y) = (face.x + face.width / 2.0, face.y + face.height / 2.0);
            (region.x..region.x + region.width).contains(&x)
                && (region.y..region.y + region.height).contains(&y)
        });
        side >= self.min_size_px as f32
            && (self.max_size_px == 0 || side <= self.max_size_px as f32)
            && is_inside
    }

    /// Keeps the [`max_faces`](Self::max_faces) largest faces in their order.
    pub(crate) fn keep_largest(&self, faces: &mut Vec<DetectedFace>) {
        if self.max_faces == 0 || faces.len() <= self.max_faces {
            return;
        }
        let area = |face: &DetectedFace| u64::from(face.width) * u64::from(face.height);
        let mut areas: Vec<u64> = faces.iter().map(area).collect();
        areas.sort_unstable_by(|a, b| b.cmp(a));
        let least = areas[self.max_faces - 1];
        // Of several faces as small as the smallest kept one, the first ones stay.
        let larger = areas.iter().filter(|&&area| area > least).count();
        let mut room = self.max_faces - larger;
        faces.retain(|face| match area(face).cmp(&least) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal if room > 0 => {
                room -= 1;
                true
            }
            _ => false,
        });
    }
}
