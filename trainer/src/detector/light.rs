//! What cameras and light do to a picture: exposure, contrast, light from one side, blur, noise and JPEG.

use std::f32::consts::TAU;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageFormat};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::sample::Sample;

/// How frequent each change is, and how far it goes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PhotometricAugmentation {
    /// Frequency of another exposure, and how many stops darker and brighter at most.
    pub exposure: (f32, f32),
    /// Frequency of another gamma and contrast, and by how much at most.
    pub contrast: (f32, f32),
    /// Frequency of light from one side, and the stops from one border to the other at most.
    pub side: (f32, f32),
    /// Frequency of blur, and its standard deviation in pixels at most.
    pub blur: (f32, f32),
    /// Frequency of noise, and its standard deviation in grey levels at most.
    pub noise: (f32, f32),
    /// Frequency of JPEG, and its quality at least.
    pub jpeg: (f32, u8),
}

impl PhotometricAugmentation {
    /// As the built-in weights were trained.
    pub const DEFAULT: Self = Self {
        exposure: (0.5, 2.5),
        contrast: (0.5, 0.4),
        side: (0.25, 4.0),
        blur: (0.15, 1.6),
        noise: (0.2, 14.0),
        jpeg: (0.12, 25),
    };

    /// Changes the pixels of a sample.
    pub(super) fn change(&self, sample: &mut Sample, generator: &mut impl Rng) {
        let happens = |(frequency, most): (f32, f32), generator: &mut _| {
            happens(frequency, generator).then(|| most * RngExt::random::<f32>(generator))
        };
        if let Some(deviation) = happens(self.blur, generator) {
            blur(sample, deviation);
        }
        if let Some(stops) = happens(self.side, generator) {
            side_light(sample, stops, TAU * generator.random::<f32>());
        }
        let mut table: [f32; 256] = std::array::from_fn(|level| level as f32 / 255.0);
        if let Some(amount) = happens(self.contrast, generator) {
            let gamma = (1.0 + amount).powf(2.0 * generator.random::<f32>() - 1.0);
            let contrast = (1.0 + amount).powf(2.0 * generator.random::<f32>() - 1.0);
            table = table.map(|value| 0.5 + contrast * (value.powf(gamma) - 0.5));
        }
        if let Some(stops) = happens(self.exposure, generator) {
            let sign = if generator.random() { 1.0 } else { -1.0 };
            let gain = gain(sign * stops);
            table = table.map(|value| value * gain);
        }
        let table = table.map(|value| (255.0 * value).round() as u8);
        for pixel in &mut sample.pixels {
            *pixel = table[usize::from(*pixel)];
        }
        if let Some(deviation) = happens(self.noise, generator) {
            noise(sample, deviation, generator);
        }
        let (frequency, worst) = self.jpeg;
        if happens((frequency, 1.0), generator).is_some() {
            jpeg(sample, generator.random_range(worst..=90));
        }
    }
}

/// What a grey value is multiplied by when so many stops more light falls on it: to the power of 1/2.2, nearly as sRGB has it.
fn gain(stops: f32) -> f32 {
    (stops / 2.2).exp2()
}

fn happens(frequency: f32, generator: &mut impl Rng) -> bool {
    generator.random::<f32>() < frequency
}

/// Darkens one side and brightens the other, each by half of these stops.
fn side_light(sample: &mut Sample, stops: f32, direction: f32) {
    let size = sample.size as f32;
    let (sin, cos) = direction.sin_cos();
    // The gain of a sum is the product of what x and y give.
    let factor = |share: f32| move |at: usize| gain((at as f32 / size - 0.5) * share * stops);
    let across: Vec<f32> = (0..sample.size).map(factor(cos)).collect();
    for (y, row) in sample.pixels.chunks_exact_mut(sample.size).enumerate() {
        let down = factor(sin)(y);
        for (pixel, across) in row.iter_mut().zip(&across) {
            *pixel = (f32::from(*pixel) * across * down).round() as u8;
        }
    }
}

/// A Gauss filter, along rows, then along columns.
fn blur(sample: &mut Sample, deviation: f32) {
    let reach = (2.5 * deviation).ceil() as usize;
    if deviation < 0.2 {
        return;
    }
    let weight = |at: usize| (-0.5 * (at as f32 / deviation).powi(2)).exp();
    let weights: Vec<f32> = (0..=reach).map(weight).collect();
    let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
    let size = sample.size;
    let mut turned = vec![0u8; size * size];
    // Twice the same, each time from rows to columns.
    for _ in 0..2 {
        for (y, row) in sample.pixels.chunks_exact(size).enumerate() {
            for x in 0..size {
                let mut value = weights[0] * f32::from(row[x]);
                for (distance, weight) in weights.iter().enumerate().skip(1) {
                    let before = row[x.saturating_sub(distance)];
                    let after = row[(x + distance).min(size - 1)];
                    value += weight * (f32::from(before) + f32::from(after));
                }
                turned[x * size + y] = (value / sum + 0.5) as u8;
            }
        }
        std::mem::swap(&mut sample.pixels, &mut turned);
    }
}

/// Adds the sum of four even numbers, which is nearly normal.
fn noise(sample: &mut Sample, deviation: f32, generator: &mut impl Rng) {
    // Bytes have a variance of (256² − 1) / 12.
    let scale = deviation / (4.0f32 * (256.0 * 256.0 - 1.0) / 12.0).sqrt();
    for pixel in &mut sample.pixels {
        let bytes = generator.next_u32().to_le_bytes();
        let sum: f32 = bytes.iter().map(|&byte| f32::from(byte) - 127.5).sum();
        *pixel = (f32::from(*pixel) + scale * sum).round() as u8;
    }
}

/// Packs the sample and unpacks it again.
fn jpeg(sample: &mut Sample, quality: u8) {
    let mut packed = Vec::new();
    let side = sample.size as u32;
    let encoded = JpegEncoder::new_with_quality(&mut packed, quality).encode(
        &sample.pixels,
        side,
        side,
        ExtendedColorType::L8,
    );
    // A sample is a picture that can be packed; if it were not, it would stay as it is.
    if encoded.is_ok()
        && let Ok(picture) = image::load_from_memory_with_format(&packed, ImageFormat::Jpeg)
    {
        sample.pixels = picture.into_luma8().into_raw();
    }
}

#[cfg(test)]
mod tests;
