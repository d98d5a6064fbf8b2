//! Blends drawings into a picture of any of the formats, in the picture's own colours.
//!
//! GStreamer's blending converts whole rows of the picture to and fro for every row of a drawing, takes BT.601 for every
//! picture, and one of each group of pixels for the chroma. Here a drawing's colours are converted instead, by the
//! picture's matrix and range, and averaged over the pixels that share their chroma.

use std::borrow::Cow;

use gst::glib;
use gst_video::prelude::*;
use gst_video::{VideoColorMatrix, VideoFrameRef, VideoInfo};

use super::geometry::Rect;

/// Weights are fixed-point numbers with this many fractional bits.
const FRACTION: u32 = 14;

/// Knows how the colours of a drawing become the components of a picture.
pub(super) struct Blender {
    components: Vec<Component>,
}

/// A component of the picture's format, such as Y or R.
pub(super) struct Component {
    pub(super) plane: u32,
    /// Bytes from one sample to the next, and from there to this component.
    pub(super) step: usize,
    pub(super) offset: usize,
    /// Bytes from a sample to the opacity of its pixel, where pictures have one.
    opacity: Option<usize>,
    /// A sample stands for one or two pixels in each direction: the binary logarithm of that.
    pub(super) x_shift: u32,
    pub(super) y_shift: u32,
    weights: Weights,
    is_opacity: bool,
}

/// A sample is this combination of a drawing's premultiplied colour and of its opacity.
#[derive(Clone, Copy)]
struct Weights {
    red: i16,
    green: i16,
    blue: i16,
    alpha: i16,
}

/// A native-endian word of opacity, red, green and blue, from the highest byte down.
pub(super) type Pixel = [u8; 4];

/// Pixels in cairo's ARGB32, their colours multiplied by the opacity.
#[derive(Clone, Copy)]
pub(super) struct Drawn<'a> {
    pub(super) pixels: &'a [u8],
    /// Bytes from one row to the next.
    pub(super) stride: usize,
    /// Where the drawing goes; it must lie in the picture.
    pub(super) place: Rect,
}

impl Blender {
    /// A blender for pictures as `info` describes them, with 8 bits per component and chroma for at most 2×2 pixels.
    pub(super) fn new(info: &VideoInfo) -> Self {
        let format = info.format_info();
        let opacity = format.has_alpha().then(|| format.poffset()[3] as usize);
        let components = (0..format.n_components() as usize)
            .map(|c| Component {
                plane: format.plane()[c],
                step: format.pixel_stride()[c].unsigned_abs() as usize,
                offset: format.poffset()[c] as usize,
                opacity: opacity.filter(|_| c < 3),
                x_shift: format.w_sub()[c],
                y_shift: format.h_sub()[c],
                weights: Weights::of_component(info, c),
                is_opacity: c == 3,
            })
            .collect();
        Self { components }
    }

    /// The components that make up the colour of a pixel.
    pub(super) fn colours(&self) -> impl Iterator<Item = &Component> {
        let components = self.components.iter();
        components.filter(|component| !component.is_opacity)
    }

    /// Blends `drawn` into a picture as it was described.
    pub(super) fn blend(
        &self,
        frame: &mut VideoFrameRef<&mut gst::BufferRef>,
        drawn: Drawn<'_>,
    ) -> Result<(), glib::BoolError> {
        let mut reduced: Option<Reduced<'_>> = None;
        for component in &self.components {
            let Component {
                plane,
                x_shift,
                y_shift,
                ..
            } = *component;
            // U and V are reduced alike.
            let reduced = match &mut reduced {
                Some(same) if same.shifts == (x_shift, y_shift) => same,
                other => other.insert(Reduced::new(drawn, x_shift, y_shift)),
            };
            let stride = frame.plane_stride()[plane as usize].unsigned_abs() as usize;
            let samples = frame.plane_data_mut(plane)?;
            let left = (drawn.place.x.unsigned_abs() >> x_shift) as usize * component.step;
            let top = (drawn.place.y.unsigned_abs() >> y_shift) as usize;
            for (row, pixels) in reduced.rows().enumerate() {
                component.blend_row(&mut samples[(top + row) * stride + left..], pixels);
            }
        }
        Ok(())
    }
}

impl Weights {
    fn of_component(info: &VideoInfo, c: usize) -> Self {
        let one_if = |condition| f64::from(u8::from(condition));
        let format = info.format_info();
        let [red, green, blue, alpha] = if format.is_rgb() {
            std::array::from_fn(|i| one_if(i == c))
        } else {
            // Grey and unspecified matrices have no coefficients; BT.601 is what GStreamer assumes then.
            let (kr, kb) = info
                .colorimetry()
                .matrix()
                .kr_kb()
                .or_else(|_| VideoColorMatrix::Bt601.kr_kb())
                .unwrap_or((0.299, 0.114));
            let luma = [kr, 1.0 - kr - kb, kb];
            let difference_to = |colour: usize| {
                let span = 2.0 * (1.0 - luma[colour]);
                std::array::from_fn(|i| (one_if(i == colour) - luma[i]) / span)
            };
            let [red, green, blue] = match c {
                0 => luma,
                1 => difference_to(2),
                _ => difference_to(0),
            };
            let (offsets, scales) = format.range_offsets(info.colorimetry().range());
            let scale = f64::from(scales[c]) / 255.0;
            [
                red * scale,
                green * scale,
                blue * scale,
                f64::from(offsets[c]) / 255.0,
            ]
        };
        let fixed = |weight: f64| (weight * f64::from(1 << FRACTION)).round() as i16;
        Self {
            red: fixed(red),
            green: fixed(green),
            blue: fixed(blue),
            alpha: fixed(alpha),
        }
    }

    #[inline]
    fn combine(self, pixel: Pixel) -> i32 {
        let word = u32::from_ne_bytes(pixel);
        let channel = |shift: u32| (word >> shift & 0xff).cast_signed();
        let sum = i32::from(self.red) * channel(16)
            + i32::from(self.green) * channel(8)
            + i32::from(self.blue) * channel(0)
            + i32::from(self.alpha) * channel(24);
        (sum + (1 << (FRACTION - 1))) >> FRACTION
    }
}

impl Component {
    /// What a sample is for an opaque colour.
    pub(super) fn value_of(&self, pixel: Pixel) -> u8 {
        self.weights.combine(pixel).clamp(0, 255) as u8
    }

    fn blend_row(&self, samples: &mut [u8], pixels: &[Pixel]) {
        match self.step {
            1 => self.blend_every::<1>(samples, pixels),
            2 => self.blend_every::<2>(samples, pixels),
            3 => self.blend_every::<3>(samples, pixels),
            4 => self.blend_every::<4>(samples, pixels),
            step => unreachable!("no 8-bit format has samples {step} bytes apart"),
        }
    }

    /// With the distance of the samples in the type, the loops are several times as fast.
    fn blend_every<const STEP: usize>(&self, samples: &mut [u8], pixels: &[Pixel]) {
        let Self {
            offset, weights, ..
        } = *self;
        assert!(offset < STEP);
        let samples = samples.as_chunks_mut::<STEP>().0;
        let count = pixels.len().min(samples.len());
        let (samples, pixels) = (&mut samples[..count], &pixels[..count]);

        match self.opacity {
            Some(opacity) if samples.iter().any(|sample| sample[opacity] != 255) => {
                for (sample, &pixel) in samples.iter_mut().zip(pixels) {
                    let alpha = alpha(pixel);
                    if alpha == 0 {
                        continue;
                    }
                    let below_alpha = i32::from(product(sample[opacity], 255 - alpha));
                    let sum = i32::from(alpha) + below_alpha;
                    let below = i32::from(sample[offset]) * below_alpha;
                    let value = weights.combine(pixel) * 255 + below + sum / 2;
                    sample[offset] = (value / sum).clamp(0, 255) as u8;
                }
            }
            _ => {
                for (sample, &pixel) in samples.iter_mut().zip(pixels) {
                    let below = i32::from(product(sample[offset], 255 - alpha(pixel)));
                    sample[offset] = (weights.combine(pixel) + below).clamp(0, 255) as u8;
                }
            }
        }
    }
}

/// A drawing with one pixel per sample of a component. What lies beside the drawing counts as transparent.
struct Reduced<'a> {
    shifts: (u32, u32),
    pixels: Cow<'a, [Pixel]>,
    /// Pixels per row, and from one row to the next.
    width: usize,
    stride: usize,
}

impl<'a> Reduced<'a> {
    fn new(drawn: Drawn<'a>, x_shift: u32, y_shift: u32) -> Self {
        let Drawn { place, .. } = drawn;
        let width = samples(place.x, place.width, x_shift);
        let height = samples(place.y, place.height, y_shift);
        if (x_shift, y_shift) == (0, 0) {
            let pixels = drawn.pixels.as_chunks().0;
            let stride = drawn.stride / size_of::<Pixel>();
            let pixels = &pixels[..(height - 1) * stride + width];
            return Self {
                shifts: (0, 0),
                pixels: pixels.into(),
                width,
                stride,
            };
        }

        let indent = place.x.unsigned_abs() as usize & x_shift as usize;
        let lead = place.y.unsigned_abs() as usize & y_shift as usize;
        let mut pixels = Vec::with_capacity(width * height);
        let mut above = vec![[0; 4]; width << x_shift];
        let mut below = above.clone();
        for row in 0..height {
            let first = (row << y_shift).wrapping_sub(lead);
            drawn.copy_row(first, &mut above[indent..]);
            drawn.copy_row(first.wrapping_add(y_shift as usize), &mut below[indent..]);
            match x_shift {
                0 => pixels.extend(above.iter().zip(&below).map(|(a, b)| mean([a, a, b, b]))),
                _ => {
                    let groups = above.as_chunks().0.iter().zip(below.as_chunks().0);
                    pixels.extend(groups.map(|([a, b], [c, d])| mean([a, b, c, d])));
                }
            }
        }
        Self {
            shifts: (x_shift, y_shift),
            pixels: pixels.into(),
            width,
            stride: width,
        }
    }

    fn rows(&self) -> impl Iterator<Item = &[Pixel]> {
        self.pixels
            .chunks(self.stride)
            .map(|row| &row[..self.width])
    }
}

/// The number of samples that have a pixel in the span.
fn samples(start: i32, length: i32, shift: u32) -> usize {
    let last = (start + length - 1) >> shift;
    (last - (start >> shift) + 1).unsigned_abs() as usize
}

impl Drawn<'_> {
    /// Copies a row to the start of `target`, or transparency if there is no such row.
    fn copy_row(&self, row: usize, target: &mut [Pixel]) {
        let width = self.place.width.unsigned_abs() as usize;
        if row < self.place.height.unsigned_abs() as usize {
            let start = row * self.stride;
            let row = self.pixels[start..start + 4 * width].as_chunks().0;
            target[..width].copy_from_slice(row);
        } else {
            target[..width].fill([0; 4]);
        }
    }
}

/// The mean of each channel, two channels at a time in the halves of a word.
#[inline]
fn mean(pixels: [&Pixel; 4]) -> Pixel {
    const HALVES: u32 = 0x00ff_00ff;
    const ROUNDING: u32 = 0x0002_0002;
    let words = pixels.map(|pixel| u32::from_ne_bytes(*pixel));
    let sum = |shift: u32| {
        let [a, b, c, d] = words.map(|word| word >> shift & HALVES);
        (a + b + c + d + ROUNDING) >> 2 & HALVES
    };
    (sum(0) | sum(8) << 8).to_ne_bytes()
}

#[inline]
fn alpha(pixel: Pixel) -> u8 {
    (u32::from_ne_bytes(pixel) >> 24) as u8
}

/// `a` · `b` / 255, rounded.
#[inline]
fn product(a: u8, b: u8) -> u8 {
    let product = u16::from(a) * u16::from(b) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

#[cfg(test)]
mod tests;
