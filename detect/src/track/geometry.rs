//! Positions of boxes in the frame.

use emotion_models::preprocess::Region;

/// Whether a box touches the border of the frame.
pub(super) fn touches_border(region: &Region, frame: &Region) -> bool {
    region.x <= 1.0
        || region.y <= 1.0
        || region.x + region.width >= frame.width - 1.0
        || region.y + region.height >= frame.height - 1.0
}

/// Whether the centre of `region` lies in one of `parts`; without parts it does.
pub(super) fn is_within(parts: Option<&[Region]>, region: &Region) -> bool {
    let (x, y) = region.centre();
    parts.is_none_or(|parts| {
        parts.iter().any(|part| {
            let (dx, dy) = (x - f64::from(part.x), y - f64::from(part.y));
            (0.0..f64::from(part.width)).contains(&dx)
                && (0.0..f64::from(part.height)).contains(&dy)
        })
    })
}
