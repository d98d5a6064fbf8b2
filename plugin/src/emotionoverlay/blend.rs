//! Blends drawings into a picture of any of the formats, in the picture's own colours.
//!
//! GStreamer's blending converts whole rows of the picture to and fro for every row of a drawing, takes BT.601 for every
//! picture, and one of each group of pixels for the chroma. Here a drawing's colours are converted instead, by the
//! picture's matrix and range, and averaged over the pixels that share their chroma.

use gst::glib;
use gst_video::prelude::*;
use gst_video::{VideoColorMatrix, VideoFrameRef, VideoInfo};

use super::layout::Rect;

/// Weights are fixed-point numbers with this many fractional bits.
const FRACTION: u32 = 14;

/// Knows how the colours of a drawing become the components of a picture.
pub(super) struct Blender {
    components: Vec<Component>,
}

/// A component of the picture's format, such as Y or R.
struct Component {
    plane: u32,
    /// Bytes from one sample to the next, and from there to this component.
    step: usize,
    offset: usize,
    /// Bytes from a sample to the opacity of its pixel, where pictures have one.
    opacity: Option<usize>,
    /// A sample stands for one or two pixels in each direction: the binary logarithm of that.
    x_shift: u32,
    y_shift: u32,
    weights: Weights,
}

/// A sample is this combination of a drawing's premultiplied colour and of its opacity.
#[derive(Clone, Copy)]
struct Weights {
    red: i32,
    green: i32,
    blue: i32,
    alpha: i32,
}

/// Pixels in cairo's ARGB32: native-endian words, colours multiplied by the opacity.
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
            })
            .collect();
        Self { components }
    }

    /// Blends `drawn` into a picture as it was described.
    pub(super) fn blend(
        &self,
        frame: &mut VideoFrameRef<&mut gst::BufferRef>,
        drawn: Drawn<'_>,
    ) -> Result<(), glib::BoolError> {
        let mut reduced: Option<Reduced> = None;
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
        let fixed = |weight: f64| (weight * f64::from(1 << FRACTION)).round() as i32;
        Self {
            red: fixed(red),
            green: fixed(green),
            blue: fixed(blue),
            alpha: fixed(alpha),
        }
    }

    #[inline]
    fn combine(self, argb: u32) -> i32 {
        let sum = self.red * channel(argb, 16)
            + self.green * channel(argb, 8)
            + self.blue * channel(argb, 0)
            + self.alpha * channel(argb, 24);
        (sum + (1 << (FRACTION - 1))) >> FRACTION
    }
}

impl Component {
    fn blend_row(&self, samples: &mut [u8], pixels: &[u32]) {
        match self.step {
            1 => self.blend_every::<1>(samples, pixels),
            2 => self.blend_every::<2>(samples, pixels),
            3 => self.blend_every::<3>(samples, pixels),
            4 => self.blend_every::<4>(samples, pixels),
            step => unreachable!("no 8-bit format has samples {step} bytes apart"),
        }
    }

    /// With the distance of the samples in the type, the loops are several times as fast.
    fn blend_every<const STEP: usize>(&self, samples: &mut [u8], pixels: &[u32]) {
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
                    let alpha = channel(pixel, 24);
                    if alpha == 0 {
                        continue;
                    }
                    let below_alpha = product(i32::from(sample[opacity]), 255 - alpha);
                    let sum = alpha + below_alpha;
                    let below = i32::from(sample[offset]) * below_alpha;
                    let value = weights.combine(pixel) * 255 + below + sum / 2;
                    sample[offset] = (value / sum).clamp(0, 255) as u8;
                }
            }
            _ => {
                for (sample, &pixel) in samples.iter_mut().zip(pixels) {
                    let below = product(i32::from(sample[offset]), 255 - channel(pixel, 24));
                    sample[offset] = (weights.combine(pixel) + below).clamp(0, 255) as u8;
                }
            }
        }
    }
}

/// A drawing with one pixel per sample of a component. What lies beside the drawing counts as transparent.
struct Reduced {
    shifts: (u32, u32),
    /// Pixels per row.
    width: usize,
    pixels: Vec<u32>,
}

impl Reduced {
    fn new(drawn: Drawn<'_>, x_shift: u32, y_shift: u32) -> Self {
        let Drawn { place, .. } = drawn;
        let width = samples(place.x, place.width, x_shift);
        let height = samples(place.y, place.height, y_shift);
        let mut pixels = Vec::with_capacity(width * height);
        if (x_shift, y_shift) == (0, 0) {
            pixels.extend((0..height).flat_map(|row| drawn.row(row)));
            return Self {
                shifts: (0, 0),
                width,
                pixels,
            };
        }

        let indent = place.x.unsigned_abs() as usize & x_shift as usize;
        let lead = place.y.unsigned_abs() as usize & y_shift as usize;
        let rows_of_sample = 1 << y_shift;
        let mut rows = vec![0; rows_of_sample * (width << x_shift)];
        for sample in 0..height {
            rows.fill(0);
            for (i, row) in rows.chunks_exact_mut(width << x_shift).enumerate() {
                let source = (sample * rows_of_sample + i).checked_sub(lead);
                if let Some(source) = source.filter(|&s| s < place.height.unsigned_abs() as usize) {
                    let target = row[indent..].iter_mut();
                    target
                        .zip(drawn.row(source))
                        .for_each(|(target, pixel)| *target = pixel);
                }
            }
            let (above, below) = rows.split_at(width << x_shift);
            match (x_shift, y_shift) {
                (1, 1) => {
                    let pairs = above.as_chunks().0.iter().zip(below.as_chunks().0);
                    pixels.extend(pairs.map(|([a, b], [c, d])| mean([*a, *b, *c, *d])));
                }
                (1, 0) => pixels.extend(
                    above
                        .as_chunks()
                        .0
                        .iter()
                        .map(|[a, b]| mean([*a, *b, *a, *b])),
                ),
                _ => unreachable!("no format has chroma for {x_shift}, {y_shift}"),
            }
        }
        Self {
            shifts: (x_shift, y_shift),
            width,
            pixels,
        }
    }

    fn rows(&self) -> impl Iterator<Item = &[u32]> {
        self.pixels.chunks_exact(self.width)
    }
}

/// The number of samples that have a pixel in the span.
fn samples(start: i32, length: i32, shift: u32) -> usize {
    let last = (start + length - 1) >> shift;
    (last - (start >> shift) + 1).unsigned_abs() as usize
}

impl<'a> Drawn<'a> {
    fn row(&self, row: usize) -> impl Iterator<Item = u32> + use<'a> {
        let start = row * self.stride;
        let length = 4 * self.place.width.unsigned_abs() as usize;
        let words = self.pixels[start..start + length].as_chunks().0;
        words.iter().map(|word| u32::from_ne_bytes(*word))
    }
}

/// The mean of each channel, two channels at a time in the halves of a word.
#[inline]
fn mean(pixels: [u32; 4]) -> u32 {
    const HALVES: u32 = 0x00ff_00ff;
    const ROUNDING: u32 = 0x0002_0002;
    let [a, b, c, d] = pixels;
    let even = (a & HALVES) + (b & HALVES) + (c & HALVES) + (d & HALVES) + ROUNDING;
    let [a, b, c, d] = [a >> 8, b >> 8, c >> 8, d >> 8];
    let odd = (a & HALVES) + (b & HALVES) + (c & HALVES) + (d & HALVES) + ROUNDING;
    (even >> 2 & HALVES) | (odd >> 2 & HALVES) << 8
}

#[inline]
fn channel(argb: u32, shift: u32) -> i32 {
    (argb >> shift & 0xff).cast_signed()
}

/// `a` · `b` / 255, rounded, for factors from 0 to 255.
#[inline]
fn product(a: i32, b: i32) -> i32 {
    let product = a * b + 128;
    (product + (product >> 8)) >> 8
}

#[cfg(test)]
mod tests;
