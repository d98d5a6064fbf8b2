//! What can be wrong with pictures and regions.

use super::region::Region;

/// What is wrong with a picture or a region.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The buffer does not hold the picture.
    #[error(
        "a {width}×{height} grey picture with rows {stride} bytes apart needs {expected} bytes, found {found}"
    )]
    Picture {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
        /// Bytes from one row to the next.
        stride: usize,
        /// Bytes needed.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The picture has no pixels, or its rows overlap.
    #[error(
        "a picture needs at least one pixel and a stride of at least its width, found {width}×{height}, stride {stride}"
    )]
    Shape {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
        /// Bytes from one row to the next.
        stride: usize,
    },
    /// The region has no area.
    #[error("a region needs finite coordinates and a positive size, found {0:?}")]
    Region(Region),
    /// The roll is no number.
    #[error("expected a finite roll in degrees, found {0}")]
    Roll(f32),
    /// The output has the wrong length.
    #[error("the output needs {expected} values, found {found}")]
    Output {
        /// `size`² values.
        expected: usize,
        /// Values given.
        found: usize,
    },
}
