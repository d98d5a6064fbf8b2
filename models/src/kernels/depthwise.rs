//! Depthwise correlation: each channel with a 3×3 kernel of its own.

use pulp::Simd;

use super::vector_loop::{VectorLoop, run_on};
use crate::Instructions;

/// The number of weights of a channel.
pub(crate) const TAPS: usize = 9;

/// The shapes of one sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Depthwise {
    /// Width of the output.
    pub(crate) width: usize,
    pub(crate) channels: usize,
    /// Width of the input, its border included: at least `stride · (width - 1) + 3`.
    pub(crate) width_in: usize,
    /// Step between outputs.
    pub(crate) stride: usize,
    /// How it is computed.
    pub(crate) instructions: Instructions,
}

impl Depthwise {
    /// `out[y, x, c] = Σ weights[r, k, c] · x[s·y + r, s·x + k, c]` with stride s.
    ///
    /// `x` is `[height_in, width_in, channels]` with its border, `weights` `[9, channels]`, `out` `[height, width,
    /// channels]`.
    pub(crate) fn correlate(self, x: &[f32], weights: &[f32], out: &mut [f32]) {
        let kernel = Correlate {
            shape: self,
            x,
            weights,
            out,
        };
        run_on(self.instructions, kernel);
    }

    /// Adds `Σ x[s·y + r, s·x + k, c] · dy[y, x, c]` over the pixels of one sample to `sum`, shapes as in
    /// [`correlate`](Self::correlate).
    pub(crate) fn add_gradient(self, x: &[f32], dy: &[f32], sum: &mut [f32]) {
        let kernel = AddGradient {
            shape: self,
            x,
            dy,
            sum,
        };
        run_on(self.instructions, kernel);
    }

    /// The three rows of `x` that meet output row `y`.
    #[inline(always)]
    fn rows<T>(self, x: &[T], y: usize, vectors: usize) -> [&[T]; 3] {
        let row = self.width_in * vectors;
        std::array::from_fn(|r| &x[(y * self.stride + r) * row..][..row])
    }
}

/// Neighbours in a row that are computed together: their loads overlap, and their sums do not wait for each other.
const TILE: usize = 4;

/// A number that is not known when the code is compiled.
const ANY: usize = 0;

/// Calls the method `rows::<S, CHANNELS, STRIDE>` of `$kernel`. Where the numbers are known, places are constants.
macro_rules! rows {
    ($kernel:expr, $simd:expr) => {
        match ($kernel.shape.channels, $kernel.shape.stride) {
            (8, 1) => $kernel.rows::<S, 8, 1>($simd),
            (16, 1) => $kernel.rows::<S, 16, 1>($simd),
            (32, 1) => $kernel.rows::<S, 32, 1>($simd),
            (48, 1) => $kernel.rows::<S, 48, 1>($simd),
            (_, 1) => $kernel.rows::<S, ANY, 1>($simd),
            (_, _) => $kernel.rows::<S, ANY, 2>($simd),
        }
    };
}

/// Vectors of a pixel.
#[inline(always)]
fn vectors<S: Simd, const CHANNELS: usize>(channels: usize) -> usize {
    if CHANNELS == ANY {
        channels / S::F32_LANES
    } else {
        CHANNELS / S::F32_LANES
    }
}

/// Calls `meet(value, pixel, tap)` for each of the `PIXELS` outputs and each of the three taps that `row`, whose pixels
/// are `step` values apart, meets there.
#[inline(always)]
fn slide<V: Copy, const STRIDE: usize, const PIXELS: usize>(
    row: &[V],
    step: usize,
    mut meet: impl FnMut(V, usize, usize),
) {
    let columns = (PIXELS - 1) * STRIDE + 3;
    let row = &row[..(columns - 1) * step + 1];
    for column in 0..columns {
        let value = row[column * step];
        for pixel in 0..PIXELS {
            let tap = column.wrapping_sub(pixel * STRIDE);
            if tap < 3 {
                meet(value, pixel, tap);
            }
        }
    }
}

struct Correlate<'a> {
    shape: Depthwise,
    x: &'a [f32],
    weights: &'a [f32],
    out: &'a mut [f32],
}

impl VectorLoop for Correlate<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.shape.channels
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        rows!(self, simd);
    }
}

impl Correlate<'_> {
    #[inline(always)]
    fn rows<S: Simd, const CHANNELS: usize, const STRIDE: usize>(self, simd: S) {
        let Depthwise {
            width, channels, ..
        } = self.shape;
        let vectors = vectors::<S, CHANNELS>(channels);
        let x = S::as_simd_f32s(self.x).0;
        let weights = S::as_simd_f32s(self.weights).0;
        let out = S::as_mut_simd_f32s(self.out).0;
        for (y, out) in out.chunks_exact_mut(width * vectors).enumerate() {
            let rows = self.shape.rows(x, y, vectors);
            for v in 0..vectors {
                let mut taps = [simd.splat_f32s(0.0); TAPS];
                for (tap, weights) in taps.iter_mut().zip(weights.chunks_exact(vectors)) {
                    *tap = weights[v];
                }
                let from = |column: usize| rows.map(|row| &row[column * STRIDE * vectors + v..]);
                let mut column = 0;
                while column + TILE <= width {
                    let out = &mut out[column * vectors + v..];
                    pixels::<S, STRIDE, TILE>(simd, from(column), &taps, vectors, out);
                    column += TILE;
                }
                while column < width {
                    let out = &mut out[column * vectors + v..];
                    pixels::<S, STRIDE, 1>(simd, from(column), &taps, vectors, out);
                    column += 1;
                }
            }
        }
    }
}

/// Computes one vector of `PIXELS` neighbours, `vectors` apart in `out`.
#[inline(always)]
fn pixels<S: Simd, const STRIDE: usize, const PIXELS: usize>(
    simd: S,
    rows: [&[S::f32s]; 3],
    taps: &[S::f32s; TAPS],
    vectors: usize,
    out: &mut [S::f32s],
) {
    let mut sums = [simd.splat_f32s(0.0); PIXELS];
    for (row, taps) in rows.into_iter().zip(taps.as_chunks::<3>().0) {
        slide::<_, STRIDE, PIXELS>(row, vectors, |x, pixel, tap| {
            sums[pixel] = simd.mul_add_e_f32s(x, taps[tap], sums[pixel]);
        });
    }
    let out = &mut out[..(PIXELS - 1) * vectors + 1];
    for (pixel, sum) in sums.into_iter().enumerate() {
        out[pixel * vectors] = sum;
    }
}

struct AddGradient<'a> {
    shape: Depthwise,
    x: &'a [f32],
    dy: &'a [f32],
    sum: &'a mut [f32],
}

impl VectorLoop for AddGradient<'_> {
    type Output = ();

    fn channels(&self) -> usize {
        self.shape.channels
    }

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        rows!(self, simd);
    }
}

impl AddGradient<'_> {
    #[inline(always)]
    fn rows<S: Simd, const CHANNELS: usize, const STRIDE: usize>(self, simd: S) {
        let Depthwise {
            width, channels, ..
        } = self.shape;
        let vectors = vectors::<S, CHANNELS>(channels);
        let x = S::as_simd_f32s(self.x).0;
        let dy = S::as_simd_f32s(self.dy).0;
        let total = S::as_mut_simd_f32s(self.sum).0;
        for v in 0..vectors {
            let mut sums = [simd.splat_f32s(0.0); TAPS];
            for (y, dy) in dy.chunks_exact(width * vectors).enumerate() {
                let rows = self.shape.rows(x, y, vectors);
                let from = |column: usize| rows.map(|row| &row[column * STRIDE * vectors + v..]);
                let mut column = 0;
                while column + TILE <= width {
                    let dy = &dy[column * vectors + v..];
                    add_pixels::<S, STRIDE, TILE>(simd, from(column), dy, vectors, &mut sums);
                    column += TILE;
                }
                while column < width {
                    let dy = &dy[column * vectors + v..];
                    add_pixels::<S, STRIDE, 1>(simd, from(column), dy, vectors, &mut sums);
                    column += 1;
                }
            }
            for (total, sum) in total.chunks_exact_mut(vectors).zip(sums) {
                total[v] = simd.add_f32s(total[v], sum);
            }
        }
    }
}

/// Adds to the gradients of the taps what one vector of `PIXELS` neighbours, `vectors` apart in `dy`, makes.
#[inline(always)]
fn add_pixels<S: Simd, const STRIDE: usize, const PIXELS: usize>(
    simd: S,
    rows: [&[S::f32s]; 3],
    dy: &[S::f32s],
    vectors: usize,
    sums: &mut [S::f32s; TAPS],
) {
    let dy = &dy[..(PIXELS - 1) * vectors + 1];
    let mut gradients = [simd.splat_f32s(0.0); PIXELS];
    for (pixel, gradient) in gradients.iter_mut().enumerate() {
        *gradient = dy[pixel * vectors];
    }
    for (row, sums) in rows.into_iter().zip(sums.as_chunks_mut::<3>().0) {
        slide::<_, STRIDE, PIXELS>(row, vectors, |x, pixel, tap| {
            sums[tap] = simd.mul_add_e_f32s(x, gradients[pixel], sums[tap]);
        });
    }
}

/// `[in, 1, 3, 3]` in the order in which the loops read them: `[9, in]`.
pub(crate) fn taps_first(weights: &[f32]) -> Vec<f32> {
    let channels = weights.len() / TAPS;
    (0..weights.len())
        .map(|i| weights[i % channels * TAPS + i / channels])
        .collect()
}
