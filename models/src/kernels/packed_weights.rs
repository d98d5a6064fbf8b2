//! The weights of convolutions in the order in which the loops read them.

use aligned_vec::{AVec, avec};

use crate::Instructions;

/// The weights of a correlation in the order in which the loops read them: `[kernel row, kernel column, input channel,
/// output channel]`, the output channels padded with zeros to whole vectors.
///
/// Output channels that fill half a vector are paired: the two halves are those of neighbouring pixels, which one kernel
/// computes that is a column wider and makes steps of two.
#[derive(Debug, Clone)]
pub(crate) struct PackedWeights {
    pub(super) data: AVec<f32>,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) channels_in: usize,
    /// Of all pixels of a pair.
    pub(super) channels_out: usize,
    pub(super) padded_out: usize,
    /// 2 in a pair, else 1.
    pub(super) pixels: usize,
    pub(super) instructions: Instructions,
}

impl PackedWeights {
    /// Packs `[out, in, taps, taps]`, with `channels` out and in.
    pub(crate) fn new(
        instructions: Instructions,
        weights: &[f32],
        channels: [usize; 2],
        taps: usize,
    ) -> Self {
        let area = taps * taps;
        let [_, channels_in] = channels;
        Self::pack(instructions, channels, [taps, taps], |row, column, i, o| {
            weights[(o * channels_in + i) * area + row * taps + column]
        })
    }

    /// Packs the same for outputs of rows of `width` pixels that are neighbours: in pairs where that saves time.
    pub(crate) fn for_rows(
        instructions: Instructions,
        weights: &[f32],
        channels: [usize; 2],
        taps: usize,
        width: usize,
    ) -> Self {
        let [channels_out, channels_in] = channels;
        let pair = 2 * channels_out;
        if !width.is_multiple_of(2) || instructions.lanes(pair) != pair {
            return Self::new(instructions, weights, channels, taps);
        }
        let area = taps * taps;
        let paired = Self::pack(
            instructions,
            [pair, channels_in],
            [taps, taps + 1],
            |row, column, i, o| {
                let (pixel, o) = (o / channels_out, o % channels_out);
                match column.checked_sub(pixel) {
                    Some(column) if column < taps => {
                        weights[(o * channels_in + i) * area + row * taps + column]
                    }
                    _ => 0.0,
                }
            },
        );
        Self {
            pixels: 2,
            ..paired
        }
    }

    /// Packs `[out, in, taps, taps]` for the gradient of the input: turned by 180°, inputs and outputs exchanged.
    pub(crate) fn transposed(
        weights: &[f32],
        [channels_out, channels_in]: [usize; 2],
        taps: usize,
    ) -> Self {
        let area = taps * taps;
        let channels = [channels_in, channels_out];
        Self::pack(
            Instructions::best(),
            channels,
            [taps, taps],
            |row, column, i, o| {
                weights[(i * channels_in + o) * area + area - 1 - (row * taps + column)]
            },
        )
    }

    fn pack(
        instructions: Instructions,
        [channels_out, channels_in]: [usize; 2],
        [rows, columns]: [usize; 2],
        weight: impl Fn(usize, usize, usize, usize) -> f32,
    ) -> Self {
        let padded_out = padded_to_vectors(instructions, channels_out);
        let mut data = avec![0.0; rows * columns * channels_in * padded_out];
        for (index, outputs) in data.chunks_exact_mut(padded_out).enumerate() {
            let (tap, i) = (index / channels_in, index % channels_in);
            for (o, value) in outputs[..channels_out].iter_mut().enumerate() {
                *value = weight(tap / columns, tap % columns, i, o);
            }
        }
        Self {
            data,
            rows,
            columns,
            channels_in,
            channels_out,
            padded_out,
            pixels: 1,
            instructions,
        }
    }

    /// Output and input channels of a pixel.
    pub(crate) fn channels(&self) -> [usize; 2] {
        [self.channels_out / self.pixels, self.channels_in]
    }

    /// Neighbours that are computed as one output: 2 in a pair, else 1.
    pub(crate) fn pixels(&self) -> usize {
        self.pixels
    }

    /// Width and height of the kernel.
    pub(crate) fn taps(&self) -> usize {
        self.rows
    }

    /// The biases, or zeros, as [`Correlation`](super::Correlation) reads them.
    pub(crate) fn pad_bias(&self, bias: &[f32]) -> Vec<f32> {
        let mut padded = bias.repeat(self.pixels);
        padded.resize(self.padded_out, 0.0);
        padded
    }
}

/// What convolutions of bfloat16 are made of, which x86-64 alone has.
#[cfg(target_arch = "x86_64")]
impl PackedWeights {
    /// `[kernel row, input, output channel]`, where the inputs of a kernel row are columns of channels.
    pub(crate) fn data(&self) -> &[f32] {
        &self.data
    }

    /// The number of inputs in a kernel row, and from one output to the next with stride 1.
    pub(crate) fn run(&self) -> (usize, usize) {
        (
            self.columns * self.channels_in,
            self.pixels * self.channels_in,
        )
    }

    /// The output channels of all pixels of a pair, filled up to whole vectors.
    pub(crate) fn padded_out(&self) -> usize {
        self.padded_out
    }
}

pub(super) fn padded_to_vectors(instructions: Instructions, channels: usize) -> usize {
    channels.next_multiple_of(instructions.lanes(channels))
}
