//! The part of the frame in which faces are detected, as users write it.

use std::str::FromStr;

use emotion_models::preprocess;

/// A rectangle in pixels, or in fractions of the frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RegionSetting {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
    is_fraction: bool,
}

/// The text is not a region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "region {text:?}: expected x,y,width,height, none negative and the size above 0, such as 0.5,0,0.5,1 for the right half"
)]
pub(super) struct Error {
    text: String,
}

impl FromStr for RegionSetting {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let error = || Error {
            text: text.to_owned(),
        };
        let numbers: Vec<f32> = text
            .split(',')
            .map(|number| number.trim().parse())
            .collect::<Result<_, _>>()
            .map_err(|_| error())?;
        match numbers[..] {
            [x, y, width, height]
                if numbers
                    .iter()
                    .all(|number| number.is_finite() && *number >= 0.0)
                    && width > 0.0
                    && height > 0.0 =>
            {
                Ok(Self {
                    x,
                    y,
                    width,
                    height,
                    is_fraction: numbers.iter().all(|number| *number <= 1.0),
                })
            }
            _ => Err(error()),
        }
    }
}

impl RegionSetting {
    /// The rectangle in pixels of a frame of this size.
    pub(super) fn in_frame(self, width: usize, height: usize) -> preprocess::Region {
        let (right, down) = if self.is_fraction {
            (width as f32, height as f32)
        } else {
            (1.0, 1.0)
        };
        preprocess::Region {
            x: self.x * right,
            y: self.y * down,
            width: self.width * right,
            height: self.height * down,
        }
    }
}

#[cfg(test)]
mod tests;
