//! How activations lie in memory.

/// `[H, W, C]` of an activation that is stored as `[H + 2, W + 2, C]` with zeros around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Map(pub(crate) [usize; 3]);

impl Map {
    /// All values, the border's among them.
    pub(crate) fn len(self) -> usize {
        let Self([height, ..]) = self;
        (height + 2) * self.stride()
    }

    /// Values of a row without its border.
    pub(crate) fn row(self) -> usize {
        let Self([_, width, channels]) = self;
        width * channels
    }

    /// Values from one row to the next.
    pub(crate) fn stride(self) -> usize {
        let Self([_, width, channels]) = self;
        (width + 2) * channels
    }

    /// Where the pixel (x, y) of the padded picture begins: (0, 0) is the border's corner.
    pub(crate) fn padded(self, x: usize, y: usize) -> usize {
        let Self([.., channels]) = self;
        y * self.stride() + x * channels
    }

    /// All values without the border's.
    pub(crate) fn size(self) -> usize {
        let Self([height, ..]) = self;
        height * self.row()
    }

    /// The rows from `first` on, so many, as one piece: from the first value to the last without the borders beside
    /// them.
    pub(crate) fn span(self, first: usize, rows: usize) -> std::ops::Range<usize> {
        let start = self.padded(1, first + 1);
        start..start + (rows - 1) * self.stride() + self.row()
    }

    /// The same of so many rows from the first one on, in values that begin with the border in front of it.
    pub(crate) fn in_band(self, rows: usize) -> std::ops::Range<usize> {
        let Self([.., channels]) = self;
        channels..channels + (rows - 1) * self.stride() + self.row()
    }

    /// The rows without their borders.
    pub(crate) fn rows(self, values: &[f32]) -> impl Iterator<Item = &[f32]> {
        let Self([height, _, channels]) = self;
        values
            .chunks_exact(self.stride())
            .skip(1)
            .take(height)
            .map(move |row| &row[channels..][..self.row()])
    }

    /// The same to be written.
    pub(crate) fn rows_mut(self, values: &mut [f32]) -> impl Iterator<Item = &mut [f32]> {
        let Self([height, _, channels]) = self;
        values
            .chunks_exact_mut(self.stride())
            .skip(1)
            .take(height)
            .map(move |row| &mut row[channels..][..self.row()])
    }
}
