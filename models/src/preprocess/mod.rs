//! From a grey picture to the network's input, in training and in service alike.
//!
//! A square region of any size and position is resampled to `size` × `size` values in [-1, 1]: with an area filter
//! where it is reduced, so that large faces do not alias, and bilinearly, with half-pixel centres, where it is
//! enlarged. Where a region reaches outside the picture, the border pixels are repeated: the face keeps its scale and
//! aspect.

mod area;
mod bilinear;
mod error;
mod grey;
mod landmarks;
mod light;
mod picture;
mod preprocessor;
mod quality;
mod region;
mod scale;

pub use error::Error;
pub use grey::{GreyRows, luma, normalize};
pub use landmarks::Landmarks;
pub use light::LightCorrection;
pub use picture::GreyImage;
pub use preprocessor::Preprocessor;
pub use quality::Quality;
pub use region::{DEFAULT_MARGIN, MARGINS, Region};
pub use scale::{Part, Scaler};
