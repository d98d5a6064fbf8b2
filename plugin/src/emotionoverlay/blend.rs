//! Blends sprites into a picture of any of the formats, in the picture's own colours.
//!
//! GStreamer's blending converts whole rows of the picture to and fro for every row of a sprite, assumes BT.601 for every
//! picture, and takes the chroma from one of each group of pixels. Here the sprite's colours are converted instead, with
//! the picture's matrix and range, and averaged over the pixels that share their chroma.

use std::borrow::Cow;

use gst::glib;
use gst_video::prelude::*;
use gst_video::{
    VideoColorMatrix, VideoFormat, VideoFormatFlags, VideoFormatInfo, VideoFrameRef, VideoInfo,
};

use super::geometry::Rect;

/// Coefficients are fixed-point numbers with this many fractional bits.
const FRACTION: u32 = 14;

/// Converts the colours of sprites to the components of a picture.
pub(super) struct Blender {
    info: VideoInfo,
    is_native: bool,
    components: Vec<Component>,
}

/// A component of the picture's format, such as Y or R.
pub(super) struct Component {
    pub(super) plane: u32,
    /// Bytes from one sample to the next.
    pub(super) step: usize,
    /// Bytes from the start of a sample to this component.
    pub(super) offset: usize,
    /// Bytes from the start of a sample to the opacity of its pixel, if the format has one.
    opacity: Option<usize>,
    /// The binary logarithm of the number of pixels, one or two, for which a sample stands in each direction.
    x_shift: u32,
    y_shift: u32,
    coefficients: Coefficients,
    is_opacity: bool,
}

/// An area of a component, in samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct SampleRect {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// The share of premultiplied red, green and blue and of opacity in a sample, as fixed-point numbers.
#[derive(Clone, Copy)]
struct Coefficients([i16; 4]);

/// A native-endian word of opacity, red, green and blue, from the highest byte down.
pub(super) type Pixel = [u8; 4];

/// Pixels in cairo's ARGB32, with premultiplied colours.
#[derive(Clone, Copy)]
pub(super) struct PlacedImage<'a> {
    pub(super) pixels: &'a [u8],
    /// Bytes from one row to the next.
    pub(super) stride: usize,
    /// Where the image goes; it must lie in the picture.
    pub(super) place: Rect,
}

impl Blender {
    /// A blender for pictures that `info` describes.
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
                coefficients: Coefficients::of_component(info, c),
                is_opacity: c == 3,
            })
            .collect();
        Self {
            is_native: is_native(&format),
            info: info.clone(),
            components,
        }
    }

    /// The format and size of the pictures.
    pub(super) fn info(&self) -> &VideoInfo {
        &self.info
    }

    /// Whether it can blend into these pictures: 8 bits per component, chroma for at most 2×2 pixels, and the opacity beside
    /// the colours, if there is any. For all others, GStreamer has to.
    pub(super) fn is_native(&self) -> bool {
        self.is_native
    }

    /// The components that make up the colour of a pixel.
    pub(super) fn colours(&self) -> impl Iterator<Item = &Component> {
        let components = self.components.iter();
        components.filter(|component| !component.is_opacity)
    }

    /// Blends `image` into a picture.
    pub(super) fn blend(
        &self,
        frame: &mut VideoFrameRef<&mut gst::BufferRef>,
        image: PlacedImage<'_>,
    ) -> Result<(), glib::BoolError> {
        let mut subsampled: Option<Subsampled<'_>> = None;
        for component in &self.components {
            // U and V share their subsampling.
            let subsampled = match &mut subsampled {
                Some(same) if same.shifts == component.shifts() => same,
                other => other.insert(Subsampled::new(image, component)),
            };
            let stride = frame.plane_stride()[component.plane as usize].unsigned_abs() as usize;
            let samples = frame.plane_data_mut(component.plane)?;
            let SampleRect { x, y, .. } = component.samples_in(image.place);
            for (row, pixels) in (y..).zip(subsampled.rows()) {
                let start = row * stride + x * component.step;
                component.blend_row(&mut samples[start..], pixels);
            }
        }
        Ok(())
    }
}

fn is_native(format: &VideoFormatInfo) -> bool {
    let components = format.n_components() as usize;
    let others = VideoFormatFlags::COMPLEX | VideoFormatFlags::TILED | VideoFormatFlags::PALETTE;
    // GStreamer 1.22 describes VYUY with exchanged chroma, and converts it rightly.
    format.format() != VideoFormat::Vyuy
        && !format.flags().intersects(others)
        && format.depth()[..components].iter().all(|depth| *depth == 8)
        && format.pixel_stride()[..components]
            .iter()
            .all(|step| (1..=4).contains(step))
        && format.w_sub()[..components].iter().all(|shift| *shift <= 1)
        && format.h_sub()[..components].iter().all(|shift| *shift <= 1)
        && (components < 4 || format.n_planes() == 1)
}

impl Coefficients {
    fn of_component(info: &VideoInfo, c: usize) -> Self {
        let one_if = |condition| f64::from(u8::from(condition));
        let format = info.format_info();
        let coefficients: [f64; 4] = if format.is_rgb() || c == 3 {
            std::array::from_fn(|i| one_if(i == c))
        } else {
            // Grey and unspecified matrices have no coefficients; GStreamer assumes BT.601 then.
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
        Self(coefficients.map(|value| (value * f64::from(1 << FRACTION)).round() as i16))
    }

    #[inline]
    fn combine(self, pixel: Pixel) -> i32 {
        let word = u32::from_ne_bytes(pixel);
        let channel = |shift: u32| (word >> shift & 0xff).cast_signed();
        let [red, green, blue, alpha] = self.0.map(i32::from);
        let sum = red * channel(16) + green * channel(8) + blue * channel(0) + alpha * channel(24);
        (sum + (1 << (FRACTION - 1))) >> FRACTION
    }
}

impl Component {
    /// The samples that have a pixel in `place`.
    pub(super) fn samples_in(&self, place: Rect) -> SampleRect {
        let span = |start: i32, length: i32, shift: u32| {
            let first = start.unsigned_abs() as usize >> shift;
            let last = (start + length - 1).unsigned_abs() as usize >> shift;
            (first, last + 1 - first)
        };
        let (x, width) = span(place.x, place.width, self.x_shift);
        let (y, height) = span(place.y, place.height, self.y_shift);
        SampleRect {
            x,
            y,
            width,
            height,
        }
    }

    /// The sample of an opaque colour.
    pub(super) fn value_of(&self, pixel: Pixel) -> u8 {
        self.coefficients.combine(pixel).clamp(0, 255) as u8
    }

    fn shifts(&self) -> (u32, u32) {
        (self.x_shift, self.y_shift)
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

    /// A constant distance between samples makes the loops several times as fast.
    fn blend_every<const STEP: usize>(&self, samples: &mut [u8], pixels: &[Pixel]) {
        let Self {
            offset,
            coefficients,
            ..
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
                    let value = coefficients.combine(pixel) * 255 + below + sum / 2;
                    sample[offset] = (value / sum).clamp(0, 255) as u8;
                }
            }
            _ => {
                for (sample, &pixel) in samples.iter_mut().zip(pixels) {
                    let below = i32::from(product(sample[offset], 255 - alpha(pixel)));
                    sample[offset] = (coefficients.combine(pixel) + below).clamp(0, 255) as u8;
                }
            }
        }
    }
}

/// An image with one pixel per sample of a component. Pixels beside the image are transparent.
struct Subsampled<'a> {
    shifts: (u32, u32),
    pixels: Cow<'a, [Pixel]>,
    /// Pixels per row.
    width: usize,
    /// Pixels from one row to the next.
    stride: usize,
}

impl<'a> Subsampled<'a> {
    fn new(image: PlacedImage<'a>, component: &Component) -> Self {
        let SampleRect { width, height, .. } = component.samples_in(image.place);
        let (x_shift, y_shift) = component.shifts();
        if (x_shift, y_shift) == (0, 0) {
            let pixels = image.pixels.as_chunks().0;
            let stride = image.stride / size_of::<Pixel>();
            let pixels = &pixels[..(height - 1) * stride + width];
            return Self {
                shifts: (0, 0),
                pixels: pixels.into(),
                width,
                stride,
            };
        }

        let indent = image.place.x.unsigned_abs() as usize & x_shift as usize;
        let lead = image.place.y.unsigned_abs() as usize & y_shift as usize;
        let mut pixels = Vec::with_capacity(width * height);
        let mut above = vec![[0; 4]; width << x_shift];
        let mut below = above.clone();
        for row in 0..height {
            let first = (row << y_shift).wrapping_sub(lead);
            image.copy_row(first, &mut above[indent..]);
            image.copy_row(first.wrapping_add(y_shift as usize), &mut below[indent..]);
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

impl PlacedImage<'_> {
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
