//! Where eyes and mouth are, and what a cover puts there.

/// Height of the eyes, as a fraction of the side.
pub(super) const EYES: f32 = 0.38;
/// Height of the mouth.
pub(super) const MOUTH: f32 = 0.77;
/// Distance of an eye from the middle.
pub(super) const EYE_DISTANCE: f32 = 0.2;
/// Width of the soft edge, as a fraction of the side.
pub(super) const EDGE: f32 = 0.02;

/// What a cover puts at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pixel {
    /// How far the point lies inside, as a fraction of the side, negative outside; exact near the edge.
    pub(super) depth: f32,
    /// Grey level, not limited to 0 to 255.
    pub(super) grey: f32,
}
