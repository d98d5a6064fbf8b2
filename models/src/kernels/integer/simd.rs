//! What the loops need of an instruction set.

/// Vectors of an instruction set that the machine has: who holds a value of such a type knows that.
pub(super) trait IntegerSimd: Copy {
    /// Sums in a vector, and a quarter of its bytes.
    const LANES: usize;
    /// Vectors that the processor holds at a time.
    const REGISTERS: usize;
    /// Whether activations are read as numbers with a sign, 128 less.
    const IS_SIGNED: bool;
    /// Sums.
    type Sums: Copy;
    /// Activations or weights.
    type Bytes: Copy;
    /// Floats, as many as sums.
    type Floats: Copy;

    fn sums(self, values: &[i32]) -> Self::Sums;
    fn activations(self, values: &[u8]) -> Self::Bytes;
    fn weights(self, values: &[i8]) -> Self::Bytes;
    /// The same four activations in each lane.
    fn splat_quad(self, quad: [u8; 4]) -> Self::Bytes;
    /// Adds to each sum the four products of its lane. The sum of the first two products, and that of the last two, fits 16
    /// bits.
    fn dot(self, sums: Self::Sums, x: Self::Bytes, weights: Self::Bytes) -> Self::Sums;
    /// Quads of the three activations `[top, bottom, middle, 0]` of each channel. Which channels each vector holds,
    /// [`channel`](Self::channel) says.
    fn interleave(self, rows: [Self::Bytes; 3]) -> [Self::Bytes; 4];
    /// The channel of a lane in one of the vectors that [`interleave`](Self::interleave) makes.
    fn channel(vector: usize, lane: usize) -> usize {
        // Pieces of 16 bytes are interleaved each by itself.
        lane / 4 * 16 + vector * 4 + lane % 4
    }

    fn to_floats(self, sums: Self::Sums) -> Self::Floats;
    fn floats(self, values: &[f32]) -> Self::Floats;
    fn splat_float(self, value: f32) -> Self::Floats;
    fn bytes_to_floats(self, values: &[u8]) -> Self::Floats;
    fn mul(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn add(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// Rounds to the nearest even and keeps within 0 to 255.
    fn store(self, values: Self::Floats, out: &mut [u8]);
    /// The same of four vectors, whose channels are those of [`interleave`](Self::interleave).
    fn store_interleaved(self, values: [Self::Floats; 4], out: &mut [u8]);
}

/// A loop for any instruction set.
pub(super) trait IntegerKernel {
    /// The loop; mark it `#[inline(always)]`, for only inlined code uses the machine's instructions.
    fn run<S: IntegerSimd>(self, simd: S);
}
