//! What cameras and codecs do to a face: blur, few pixels, compression.

use std::f32::consts::PI;
use std::io::Cursor;

use emotion_models::preprocess::{GreyImage, Preprocessor, Region};
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::{DynamicImage, ExtendedColorType};
use rand::RngExt;

use super::settings::Augmentation;
use crate::data::crop;

/// The fewest pixels to which a face is reduced.
const SMALLEST: usize = 16;
/// Lengths of a blur, as fractions of the side.
const BLUR: (f32, f32) = (0.02, 0.09);
/// Qualities of JPEG, of 100.
const QUALITY: (u8, u8) = (10, 70);

/// The degradation of one face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Degradation {
    /// Its blur, if it is blurred.
    pub(crate) blur: Option<Blur>,
    /// Its side in pixels, if it is reduced.
    pub(crate) size: Option<usize>,
    /// Its quality in JPEG, if it is compressed.
    pub(crate) quality: Option<u8>,
}

impl Degradation {
    /// Draws the degradation of a face of `size`² pixels.
    pub(crate) fn sample(limits: &Augmentation, size: usize, generator: &mut impl RngExt) -> Self {
        let mut happens = |share: f32| share > 0.0 && generator.random::<f32>() < share;
        let (blur, reduce, compress) = (
            happens(limits.blur),
            happens(limits.reduce),
            happens(limits.compress),
        );
        Self {
            blur: blur.then(|| Blur::sample(size, generator)),
            size: reduce.then(|| generator.random_range(SMALLEST.min(size - 1)..size)),
            quality: compress.then(|| generator.random_range(QUALITY.0..=QUALITY.1)),
        }
    }
}

/// A blur by motion along a line, or by a lens, which is one along both diagonals of a square.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Blur {
    /// Its length in pixels.
    pub(crate) length: f32,
    /// The direction in radians.
    pub(crate) angle: f32,
    /// Whether it is that of a lens.
    pub(crate) is_even: bool,
}

impl Blur {
    fn sample(size: usize, generator: &mut impl RngExt) -> Self {
        let (least, most) = BLUR;
        Self {
            length: size as f32 * generator.random_range(least..most),
            angle: generator.random_range(0.0..PI),
            is_even: generator.random(),
        }
    }

    /// Blurs a face of `size`² pixels; its border is repeated.
    pub(crate) fn apply(&self, face: &mut [u8], size: usize) {
        smear(face, size, self.length, self.angle);
        if self.is_even {
            smear(face, size, self.length, self.angle + PI / 2.0);
        }
    }
}

/// Replaces each pixel by the mean along a line through it.
fn smear(face: &mut [u8], size: usize, length: f32, angle: f32) {
    let steps = (2.0 * length).ceil().max(2.0) as usize;
    let (sin, cos) = angle.sin_cos();
    let offsets: Vec<[f32; 2]> = (0..=steps)
        .map(|step| (step as f32 / steps as f32 - 0.5) * length)
        .map(|distance| [cos * distance, sin * distance])
        .collect();
    let sharp = face.to_vec();
    let last = (size - 1) as f32;
    let at = |x: f32, y: f32| {
        let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(size - 1), (top + 1).min(size - 1));
        let (dx, dy) = (x.fract(), y.fract());
        let row = |y: usize| {
            let [a, b] = [left, right].map(|x| f32::from(sharp[y * size + x]));
            a + (b - a) * dx
        };
        row(top) + (row(bottom) - row(top)) * dy
    };
    for (y, line) in face.chunks_exact_mut(size).enumerate() {
        for (x, pixel) in line.iter_mut().enumerate() {
            let values = offsets
                .iter()
                .map(|[dx, dy]| at(x as f32 + dx, y as f32 + dy));
            *pixel = (values.sum::<f32>() / offsets.len() as f32).round() as u8;
        }
    }
}

/// A face of `size`² pixels at `new_size`²: reduced as a camera sees it from further away, enlarged as the plugin does it.
pub(crate) fn resized(face: &[u8], size: usize, new_size: usize) -> Vec<u8> {
    let image = GreyImage::new(face, size, size, size).expect("a face has size² pixels");
    crop(
        &image,
        Region::whole(&image),
        &mut Preprocessor::new(new_size),
    )
    .expect("a face has an area")
}

/// What JPEG leaves of a face of `size`² pixels.
pub(crate) fn compress(face: &mut Vec<u8>, size: usize, quality: u8) {
    let mut file = Vec::new();
    let side = size as u32;
    JpegEncoder::new_with_quality(&mut file, quality)
        .encode(face, side, side, ExtendedColorType::L8)
        .expect("a face fits into a JPEG");
    let decoder = JpegDecoder::new(Cursor::new(file)).expect("the file was just written");
    let image = DynamicImage::from_decoder(decoder).expect("the file was just written");
    *face = image.into_luma8().into_raw();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};

    const SIZE: usize = 48;

    /// Black with a white pixel in the middle.
    fn point() -> Vec<u8> {
        let mut face = vec![0; SIZE * SIZE];
        face[24 * SIZE + 24] = 255;
        face
    }

    #[test]
    fn motion_spreads_a_point_along_its_direction_only() {
        let mut face = point();
        let blur = Blur {
            length: 5.0,
            angle: 0.0,
            is_even: false,
        };
        blur.apply(&mut face, SIZE);
        let lit: Vec<_> = (0..SIZE * SIZE).filter(|&index| face[index] > 0).collect();
        assert!(lit.iter().all(|index| index / SIZE == 24), "{lit:?}");
        assert!((5..=7).contains(&lit.len()), "{lit:?}");
    }

    #[test]
    fn a_lens_spreads_it_along_both_axes() {
        let mut face = point();
        let blur = Blur {
            length: 3.0,
            angle: 0.0,
            is_even: true,
        };
        blur.apply(&mut face, SIZE);
        let rows: Vec<_> = (0..SIZE).filter(|y| face[y * SIZE + 24] > 0).collect();
        let columns: Vec<_> = (0..SIZE).filter(|x| face[24 * SIZE + x] > 0).collect();
        assert_eq!(rows, columns);
        assert!(rows.len() >= 3, "{rows:?}");
    }

    #[test]
    fn an_even_grey_stays_under_every_degradation() {
        let mut face = vec![100; SIZE * SIZE];
        let blur = Blur {
            length: 4.0,
            angle: 1.0,
            is_even: true,
        };
        blur.apply(&mut face, SIZE);
        face = resized(&face, SIZE, 20);
        compress(&mut face, 20, 30);
        assert_eq!(face.len(), 20 * 20);
        assert!(
            face.iter().all(|pixel| pixel.abs_diff(100) <= 2),
            "{face:?}"
        );
    }

    #[test]
    fn shares_sizes_and_qualities_are_those_that_were_asked_for() {
        let limits = Augmentation {
            blur: 0.5,
            reduce: 0.25,
            compress: 1.0,
            ..Augmentation::NONE
        };
        let samples: Vec<Degradation> = (0..2000)
            .map(|stream| {
                let mut generator = generator(1, Purpose::Degradation, stream);
                Degradation::sample(&limits, SIZE, &mut generator)
            })
            .collect();
        let count = |is: &dyn Fn(&Degradation) -> bool| samples.iter().filter(|s| is(s)).count();
        assert!((900..1100).contains(&count(&|sample| sample.blur.is_some())));
        assert!((430..570).contains(&count(&|sample| sample.size.is_some())));
        assert_eq!(count(&|sample| sample.quality.is_some()), 2000);
        let sizes: Vec<_> = samples.iter().filter_map(|sample| sample.size).collect();
        assert_eq!(sizes.iter().min(), Some(&16));
        assert_eq!(sizes.iter().max(), Some(&47));
    }
}
