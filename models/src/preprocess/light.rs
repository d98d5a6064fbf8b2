//! Light correction of a crop, on its grey values before they become the network's input.

mod clahe;
mod exposure;
mod histogram;

use std::fmt;

/// How the light of a crop is corrected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum LightCorrection {
    /// Not at all.
    #[default]
    None,
    /// Histogram equalisation: every grey level becomes equally frequent.
    Equalize,
    /// Contrast-limited adaptive histogram equalisation (Zuiderveld, "Contrast limited adaptive histogram equalization",
    /// Graphics Gems IV, 1994) in 2 × 2 tiles with a clip limit of 2.
    Clahe,
    /// Light from one side is evened out, dark crops become brighter, and where highlights are burnt out, their shape is
    /// estimated.
    Exposure,
}

impl LightCorrection {
    /// All of them, in the order of their names' table.
    pub const ALL: [Self; 4] = [Self::None, Self::Equalize, Self::Clahe, Self::Exposure];

    /// The name under which people choose it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Equalize => "equalize",
            Self::Clahe => "clahe",
            Self::Exposure => "exposure",
        }
    }

    /// The correction of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|light| light.name() == name)
    }

    /// Corrects the `size` × `size` grey values (0 to 255) of `crop` in place.
    pub(super) fn apply(self, crop: &mut [f32], size: usize) {
        match self {
            Self::None => {}
            Self::Equalize => histogram::equalize(crop),
            Self::Clahe => clahe::apply(crop, size),
            Self::Exposure => exposure::apply(crop, size),
        }
    }
}

impl fmt::Display for LightCorrection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
