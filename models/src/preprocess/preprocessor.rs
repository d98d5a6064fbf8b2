//! Crops of faces at the size of a network's input.

use super::area::Area;
use super::bilinear::Bilinear;
use super::error::Error;
use super::grey::{GreyRows, normalize};
use super::landmarks::Landmarks;
use super::light::LightCorrection;
use super::region::Region;

/// Faces tilted by less, in degrees, are not turned upright.
const MIN_ROLL: f32 = 5.0;

/// Resamples regions to the input of a network. It keeps its buffers from one face to the next.
#[derive(Debug, Clone)]
pub struct Preprocessor {
    size: usize,
    light: LightCorrection,
    area: Area,
    bilinear: Bilinear,
    /// A crop that is to be turned.
    tilted: Vec<f32>,
}

impl Preprocessor {
    /// A preprocessor for inputs of `size` × `size`.
    pub fn new(size: usize) -> Self {
        Self {
            size,
            light: LightCorrection::None,
            area: Area::default(),
            bilinear: Bilinear::default(),
            tilted: Vec::new(),
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
        self.check(region, out)?;
        self.resample(picture, region, self.size, out);
        self.finish(out);
        Ok(())
    }

    /// The same of a face with this [roll](super::Landmarks::roll_degrees), turned upright about the centre of the region.
    /// Of the picture, what lies in the circle around the region is read.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), or if the roll is not finite.
    pub fn run_upright(
        &mut self,
        picture: &impl GreyRows,
        region: Region,
        roll_degrees: f32,
        out: &mut [f32],
    ) -> Result<(), Error> {
        self.check(region, out)?;
        if !roll_degrees.is_finite() {
            return Err(Error::Roll(roll_degrees));
        }
        let (sin, cos) = roll_degrees.to_radians().sin_cos();
        // The upright square that holds the tilted one, at the scale of the result.
        let side = (self.size as f32 * (sin.abs() + cos.abs())).ceil() as usize;
        let wider = side as f32 / self.size as f32;
        let around = Region::new(
            region.x + region.width * (1.0 - wider) / 2.0,
            region.y + region.height * (1.0 - wider) / 2.0,
            region.width * wider,
            region.height * wider,
        );
        let mut tilted = std::mem::take(&mut self.tilted);
        tilted.resize(side * side, 0.0);
        self.resample(picture, around, side, &mut tilted);
        turn(&tilted, side, [sin, cos], out, self.size);
        self.tilted = tilted;
        self.finish(out);
        Ok(())
    }

    /// The same of a face that may have landmarks: it is turned upright where they tell that it is tilted by 5 degrees or more.
    /// A network is used to less, and turning blurs.
    ///
    /// # Errors
    ///
    /// As [`run_upright`](Self::run_upright).
    pub fn run_aligned(
        &mut self,
        picture: &impl GreyRows,
        region: Region,
        landmarks: Option<&Landmarks>,
        out: &mut [f32],
    ) -> Result<(), Error> {
        let roll = landmarks.map_or(0.0, Landmarks::roll_degrees);
        if roll.abs() < MIN_ROLL {
            self.run(picture, region, out)
        } else {
            self.run_upright(picture, region, roll, out)
        }
    }

    fn check(&self, region: Region, out: &[f32]) -> Result<(), Error> {
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
        Ok(())
    }

    /// Resamples to `[size, size]` grey values.
    fn resample(&mut self, picture: &impl GreyRows, region: Region, size: usize, out: &mut [f32]) {
        if region.width.max(region.height) < size as f32 {
            self.bilinear.run(picture, region, size, out);
        } else {
            self.area.run(picture, region, size, out);
        }
    }

    /// From grey values to the input of a network.
    fn finish(&self, out: &mut [f32]) {
        self.light.apply(out, self.size);
        for value in out {
            *value = normalize(*value);
        }
    }
}

/// Interpolates the square in the middle of another one of `side`² values that is turned by an angle, given by sine and
/// cosine.
fn turn(tilted: &[f32], side: usize, [sin, cos]: [f32; 2], out: &mut [f32], size: usize) {
    let last = (side - 1) as f32;
    let middle = |i: usize| i as f32 + 0.5 - size as f32 / 2.0;
    let at = |offset: f32| (side as f32 / 2.0 + offset - 0.5).clamp(0.0, last);
    for (row, values) in out.chunks_exact_mut(size).enumerate() {
        for (column, value) in values.iter_mut().enumerate() {
            let [right, down] = [middle(column), middle(row)];
            let [x, y] = [at(cos * right - sin * down), at(sin * right + cos * down)];
            let [left, top] = [x as usize, y as usize];
            let [share_x, share_y] = [x - left as f32, y - top as f32];
            let pixel = |x: usize, y: usize| tilted[y.min(side - 1) * side + x.min(side - 1)];
            let between = |a: f32, b: f32, share: f32| a + share * (b - a);
            let [upper, lower] =
                [top, top + 1].map(|y| between(pixel(left, y), pixel(left + 1, y), share_x));
            *value = between(upper, lower, share_y);
        }
    }
}

#[cfg(test)]
mod tests;
