//! A face and its detection.

use emotion_analysis::EmotionResult;
use emotion_models::preprocess::{Landmarks, Region};

/// The type of a region of interest that is a face.
pub const ROI_TYPE: &str = "face";

/// The type of a region of interest that may be a face: the tracker has found it, but not often enough for it to count.
pub const CANDIDATE_TYPE: &str = "face-candidate";

/// The largest number of faces of a frame that are classified and drawn.
pub const MAX_FACES: usize = 500;

/// A face on a buffer.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// Id of the region of interest, unique in the frame after [`assign_ids`](super::assign_ids).
    pub roi_id: i32,
    /// Left edge in pixels; negative where the region begins left of the frame.
    pub x: i32,
    /// Upper edge in pixels; negative where the region begins above the frame.
    pub y: i32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The detector's results, if there are any.
    pub detection: Option<Detection>,
    /// The track that the face belongs to, if the faces are tracked.
    pub object_id: Option<i32>,
    /// Points of the face in fractions of the frame's width and height, if the detector finds them.
    pub landmarks: Option<Landmarks>,
    /// The emotion, if the face is classified.
    pub emotion: Option<EmotionResult>,
}

impl Face {
    /// Its rectangle in pixels.
    pub fn region(&self) -> Region {
        Region::new(
            self.x as f32,
            self.y as f32,
            self.width as f32,
            self.height as f32,
        )
    }
}

/// The results of a detector for a face, besides the rectangle.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Detection {
    /// The detector's confidence, 0 to 1; whether that is a probability depends on the detector.
    pub confidence: f64,
    /// Time since the face was first found, if it is tracked.
    pub age: Option<gst::ClockTime>,
    /// Time since the face was last found; zero while it is found, none if it is not tracked.
    pub lost: Option<gst::ClockTime>,
}
