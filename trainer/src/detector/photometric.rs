//! Photometric augmentation: exposure, contrast, light from one side, blur, noise and JPEG artefacts.

use std::f32::consts::TAU;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageFormat};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// Probability and strength of each change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PhotometricAugmentation {
    /// Probability of another exposure, and its largest change in stops.
    pub exposure: (f32, f32),
    /// Probability of another gamma and contrast, and their largest change.
    pub contrast: (f32, f32),
    /// Probability of light from one side, and the largest difference in stops between opposite borders.
    pub side: (f32, f32),
    /// Probability of blur, and its largest standard deviation in pixels.
    pub blur: (f32, f32),
    /// Probability of noise, and its largest standard deviation in grey levels.
    pub noise: (f32, f32),
    /// Probability of JPEG compression, and its lowest quality.
    pub jpeg: (f32, u8),
}

impl PhotometricAugmentation {
    /// The settings of the built-in weights.
    pub const DEFAULT: Self = Self {
        exposure: (0.5, 2.5),
        contrast: (0.5, 0.4),
        side: (0.25, 4.0),
        blur: (0.15, 1.6),
        noise: (0.2, 14.0),
        jpeg: (0.12, 25),
    };

    /// Changes an image of `size`² pixels.
    pub(super) fn apply(&self, pixels: &mut Vec<u8>, size: usize, generator: &mut impl Rng) {
        let strength = |(probability, most): (f32, f32), generator: &mut _| {
            happens(probability, generator).then(|| most * RngExt::random::<f32>(generator))
        };
        if let Some(deviation) = strength(self.blur, generator) {
            blur(pixels, size, deviation);
        }
        if let Some(stops) = strength(self.side, generator) {
            side_light(pixels, size, stops, TAU * generator.random::<f32>());
        }
        let mut table: [f32; 256] = std::array::from_fn(|level| level as f32 / 255.0);
        if let Some(amount) = strength(self.contrast, generator) {
            let gamma = (1.0 + amount).powf(2.0 * generator.random::<f32>() - 1.0);
            let contrast = (1.0 + amount).powf(2.0 * generator.random::<f32>() - 1.0);
            table = table.map(|value| 0.5 + contrast * (value.powf(gamma) - 0.5));
        }
        if let Some(stops) = strength(self.exposure, generator) {
            let sign = if generator.random() { 1.0 } else { -1.0 };
            let gain = gain(sign * stops);
            table = table.map(|value| value * gain);
        }
        let table = table.map(|value| (255.0 * value).round() as u8);
        for pixel in &mut *pixels {
            *pixel = table[usize::from(*pixel)];
        }
        if let Some(deviation) = strength(self.noise, generator) {
            noise(pixels, deviation, generator);
        }
        let (probability, worst) = self.jpeg;
        // Also draws the number for a strength, which JPEG does not use: settings and seed decide all samples.
        if strength((probability, 1.0), generator).is_some() {
            jpeg(pixels, size, generator.random_range(worst..=90));
        }
    }
}

/// Factor of grey values with `stops` more light. Grey values are about the light to the power of 1/2.2, as in sRGB.
fn gain(stops: f32) -> f32 {
    (stops / 2.2).exp2()
}

pub(super) fn happens(probability: f32, generator: &mut impl Rng) -> bool {
    generator.random::<f32>() < probability
}

/// Darkens one side and brightens the other, each by half of these stops.
fn side_light(pixels: &mut [u8], size: usize, stops: f32, direction: f32) {
    let side = size as f32;
    let (sin, cos) = direction.sin_cos();
    // The gain of a sum of stops is the product of the gains along x and y.
    let factor = |share: f32| move |at: usize| gain((at as f32 / side - 0.5) * share * stops);
    let across: Vec<f32> = (0..size).map(factor(cos)).collect();
    for (y, row) in pixels.chunks_exact_mut(size).enumerate() {
        let down = factor(sin)(y);
        for (pixel, across) in row.iter_mut().zip(&across) {
            *pixel = (f32::from(*pixel) * across * down).round() as u8;
        }
    }
}

/// A Gaussian filter along rows, then along columns.
fn blur(pixels: &mut Vec<u8>, size: usize, deviation: f32) {
    let reach = (2.5 * deviation).ceil() as usize;
    if deviation < 0.2 {
        return;
    }
    let weight = |at: usize| (-0.5 * (at as f32 / deviation).powi(2)).exp();
    let weights: Vec<f32> = (0..=reach).map(weight).collect();
    let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
    let mut transposed = vec![0u8; size * size];
    // Each pass filters the rows and transposes the image.
    for _ in 0..2 {
        for (y, row) in pixels.chunks_exact(size).enumerate() {
            for x in 0..size {
                let mut value = weights[0] * f32::from(row[x]);
                for (distance, weight) in weights.iter().enumerate().skip(1) {
                    let before = row[x.saturating_sub(distance)];
                    let after = row[(x + distance).min(size - 1)];
                    value += weight * (f32::from(before) + f32::from(after));
                }
                transposed[x * size + y] = (value / sum + 0.5) as u8;
            }
        }
        std::mem::swap(pixels, &mut transposed);
    }
}

/// Adds the sum of four uniform numbers, which is nearly normal.
fn noise(pixels: &mut [u8], deviation: f32, generator: &mut impl Rng) {
    // Bytes have a variance of (256² − 1) / 12.
    let scale = deviation / (4.0f32 * (256.0 * 256.0 - 1.0) / 12.0).sqrt();
    for pixel in pixels {
        let bytes = generator.next_u32().to_le_bytes();
        let sum: f32 = bytes.iter().map(|&byte| f32::from(byte) - 127.5).sum();
        *pixel = (f32::from(*pixel) + scale * sum).round() as u8;
    }
}

/// Compresses the image and decompresses it.
fn jpeg(pixels: &mut Vec<u8>, size: usize, quality: u8) {
    let mut compressed = Vec::new();
    let side = size as u32;
    let mut encoder = JpegEncoder::new_with_quality(&mut compressed, quality);
    // Never fails for a grey square; if it did, the image would stay as it is.
    if encoder
        .encode(pixels, side, side, ExtendedColorType::L8)
        .is_ok()
        && let Ok(image) = image::load_from_memory_with_format(&compressed, ImageFormat::Jpeg)
    {
        *pixels = image.into_luma8().into_raw();
    }
}

#[cfg(test)]
mod tests;
