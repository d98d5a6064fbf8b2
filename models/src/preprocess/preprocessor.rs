//! Crops of faces at the size of a network's input.

use super::area::Area;
use super::bilinear::Bilinear;
use super::error::Error;
use super::grey::{GreyRows, normalize};
use super::light::LightCorrection;
use super::region::Region;

/// Resamples regions to the input of a network. It keeps its buffers from one face to the next.
#[derive(Debug, Clone)]
pub struct Preprocessor {
    size: usize,
    light: LightCorrection,
    area: Area,
    bilinear: Bilinear,
}

impl Preprocessor {
    /// A preprocessor for inputs of `size` × `size`.
    pub fn new(size: usize) -> Self {
        Self {
            size,
            light: LightCorrection::None,
            area: Area::default(),
            bilinear: Bilinear::default(),
        }
    }

    /// The same with the light of each crop corrected.
    #[must_use]
    pub fn with_light(mut self, light: LightCorrection) -> Self {
        self.set_light(light);
        self
    }

    /// Corrects the light of the crops from now on.
    pub fn set_light(&mut self, light: LightCorrection) {
        self.light = light;
    }

    /// Width and height of the result.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Resamples `region` of `picture` into `out`: `[size, size]` values in [-1, 1], row by row. Of the picture, only
    /// what lies in the region is read.
    ///
    /// # Errors
    ///
    /// If the region has no area or `out` has not `size`² values.
    pub fn run(
        &mut self,
        picture: &impl GreyRows,
        region: Region,
        out: &mut [f32],
    ) -> Result<(), Error> {
        if !region.is_valid() {
            return Err(Error::Region(region));
        }
        let expected = self.size * self.size;
        if out.len() != expected {
            return Err(Error::Output {
                expected,
                found: out.len(),
            });
        }
        if region.width.max(region.height) < self.size as f32 {
            self.bilinear.run(picture, region, self.size, out);
        } else {
            self.area.run(picture, region, self.size, out);
        }
        self.light.apply(out, self.size);
        for value in out {
            *value = normalize(*value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
