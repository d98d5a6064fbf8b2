//! How activations lie in memory.

use std::ops::Range;

/// An activation `[H, W, C]` that is stored as `[H + 2b, W + 2b, C]` with a border of b zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Map {
    /// `[H, W, C]`
    pub(crate) shape: [usize; 3],
    border: usize,
}

impl Map {
    /// With a border of one zero.
    pub(crate) fn bordered(shape: [usize; 3]) -> Self {
        Self { shape, border: 1 }
    }

    /// Without a border.
    pub(crate) fn borderless(shape: [usize; 3]) -> Self {
        Self { shape, border: 0 }
    }

    pub(crate) fn border(self) -> usize {
        self.border
    }

    /// All values, the border's among them.
    pub(crate) fn len(self) -> usize {
        (self.shape[0] + 2 * self.border) * self.stride()
    }

    /// All values without the border's.
    pub(crate) fn size(self) -> usize {
        self.shape.iter().product()
    }

    /// Values of a row without its border.
    pub(crate) fn row(self) -> usize {
        self.shape[1] * self.shape[2]
    }

    /// Values from one row to the next.
    pub(crate) fn stride(self) -> usize {
        (self.shape[1] + 2 * self.border) * self.shape[2]
    }

    /// Where the pixel (x, y) of the padded picture begins: (0, 0) is the border's corner.
    pub(crate) fn padded(self, x: usize, y: usize) -> usize {
        y * self.stride() + x * self.shape[2]
    }

    /// Where the pixel (x, y) begins.
    pub(crate) fn at(self, x: usize, y: usize) -> usize {
        self.padded(x + self.border, y + self.border)
    }

    /// The same in values that begin with the border in front of the first row.
    pub(crate) fn in_band(self, x: usize, y: usize) -> usize {
        self.padded(x + self.border, y)
    }

    /// So many rows from `first` on as one piece: from the first value to the last without the borders beside them.
    pub(crate) fn span(self, first: usize, rows: usize) -> Range<usize> {
        let start = self.at(0, first);
        start..start + (rows - 1) * self.stride() + self.row()
    }

    /// The same from the first row on, in values that begin with the border in front of it.
    pub(crate) fn band(self, rows: usize) -> Range<usize> {
        let start = self.in_band(0, 0);
        start..start + (rows - 1) * self.stride() + self.row()
    }

    /// The rows without their borders.
    pub(crate) fn rows(self, values: &[f32]) -> impl Iterator<Item = &[f32]> {
        values
            .chunks_exact(self.stride())
            .skip(self.border)
            .take(self.shape[0])
            .map(move |row| &row[self.border * self.shape[2]..][..self.row()])
    }

    /// The same to be written.
    pub(crate) fn rows_mut(self, values: &mut [f32]) -> impl Iterator<Item = &mut [f32]> {
        values
            .chunks_exact_mut(self.stride())
            .skip(self.border)
            .take(self.shape[0])
            .map(move |row| &mut row[self.border * self.shape[2]..][..self.row()])
    }
}
