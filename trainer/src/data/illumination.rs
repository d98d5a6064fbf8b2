//! Images as they would look in other light, for augmentation and evaluation.
//!
//! A stop doubles the light. Light is linear in intensity, so grey values are converted by the transfer function of sRGB
//! (IEC 61966-2-1) and back. As in a camera, highlights clip to white and shadows to black.

/// An illumination of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Illumination {
    /// As the image was taken.
    AsIs,
    /// Some stops darker.
    Darkened,
    /// Some stops brighter.
    Brightened,
    /// Some stops darker at the left border to as many brighter at the right one, evenly.
    FromTheSide,
}

impl Illumination {
    /// All illuminations.
    pub const ALL: [Self; 4] = [
        Self::AsIs,
        Self::Darkened,
        Self::Brightened,
        Self::FromTheSide,
    ];

    /// Its name in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AsIs => "as it is",
            Self::Darkened => "darkened",
            Self::Brightened => "brightened",
            Self::FromTheSide => "from the side",
        }
    }

    /// Applies it with this number of `stops` to an image of grey values in rows of `width`.
    pub fn apply(self, stops: f32, pixels: &mut [u8], width: usize) {
        match self {
            Self::AsIs => {}
            Self::Darkened => expose(-stops, pixels),
            Self::Brightened => expose(stops, pixels),
            Self::FromTheSide => light_along([stops, 0.0], pixels, width),
        }
    }
}

/// Adds `stops` of exposure to all pixels.
pub fn expose(stops: f32, pixels: &mut [u8]) {
    let table = table(stops);
    for pixel in pixels {
        *pixel = table[usize::from(*pixel)];
    }
}

/// Adds exposure that grows evenly along both axes `[x, y]`, from minus `stops` at the first column and row to `stops` at
/// the last ones.
pub fn light_along(stops: [f32; 2], pixels: &mut [u8], width: usize) {
    let height = pixels.len() / width;
    let growing = |stops: f32, length: usize| {
        let last = length.saturating_sub(1).max(1) as f32;
        move |at: usize| (stops * (2.0 * at as f32 / last - 1.0)).exp2()
    };
    let [along, down] = [growing(stops[0], width), growing(stops[1], height)];
    let along: Vec<f32> = (0..width).map(along).collect();
    let linear: [f32; 256] = std::array::from_fn(|level| linear(level as f32 / 255.0));
    for (y, row) in pixels.chunks_exact_mut(width).enumerate() {
        let down = down(y);
        for (pixel, along) in row.iter_mut().zip(&along) {
            *pixel = level(linear[usize::from(*pixel)] * along * down);
        }
    }
}

/// Each grey level with `stops` more exposure.
fn table(stops: f32) -> [u8; 256] {
    let gain = stops.exp2();
    std::array::from_fn(|grey| level(linear(grey as f32 / 255.0) * gain))
}

/// The grey level of a linear intensity; the cast saturates.
fn level(light: f32) -> u8 {
    (encoded(light.min(1.0)) * 255.0).round() as u8
}

fn linear(value: f32) -> f32 {
    if value <= 0.04045 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

fn encoded(light: f32) -> f32 {
    if light <= 0.003_130_8 {
        12.92 * light
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of ten pixels of one level in a light that is one and a half stops off.
    fn lit(light: Illumination, level: u8) -> Vec<u8> {
        let mut pixels = vec![level; 30];
        light.apply(1.5, &mut pixels, 10);
        pixels
    }

    #[test]
    fn no_change_of_light_changes_no_level() {
        assert!((0..=255).all(|level| table(0.0)[level] as usize == level));
        assert_eq!(lit(Illumination::AsIs, 99), [99; 30]);
    }

    #[test]
    fn a_stop_doubles_linear_light() {
        // 0.5 in sRGB is 0.2140 of the light, twice that 0.4281, which is 0.6858 in sRGB.
        let [half, brighter] = [127.5_f32 / 255.0, 0.6858].map(linear);
        assert!((2.0 * half - brighter).abs() < 1e-3);
        assert_eq!(table(1.0)[188], 255);
        assert_eq!(table(-1.0)[255], 188);
    }

    #[test]
    fn more_light_burns_out_and_less_keeps_all_in_range() {
        assert_eq!(lit(Illumination::Brightened, 170)[0], 255);
        assert!(lit(Illumination::Brightened, 100)[0] > 150);
        assert!((55..65).contains(&lit(Illumination::Darkened, 100)[0]));
    }

    #[test]
    fn light_from_the_side_grows_to_the_right() {
        let pixels = lit(Illumination::FromTheSide, 100);
        let row = &pixels[..10];
        assert!(row.is_sorted() && row[0] < 65 && row[9] > 150);
        assert!(pixels.chunks_exact(10).all(|other| other == row));
    }

    #[test]
    fn light_along_both_axes_is_the_sum_of_their_stops() {
        let mut pixels = [100; 9];
        light_along([1.0, -1.0], &mut pixels, 3);
        assert_eq!([pixels[0], pixels[4], pixels[8]], [100; 3]);
        assert_eq!(
            [pixels[2], pixels[6]],
            [2.0, -2.0].map(|stops| table(stops)[100])
        );
        let mut one = [100];
        light_along([1.0, 1.0], &mut one, 1);
        assert_eq!(one[0], table(-2.0)[100]);
    }
}
