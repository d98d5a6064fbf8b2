//! Borders of zeros.

/// Puts `[height, width, channels]` into the middle of `[height + 2·border, width + 2·border, channels]` of zeros, row
/// by row with `copy`.
pub(super) fn pad(
    [height, width, channels]: [usize; 3],
    border: usize,
    out: &mut Vec<f32>,
    x: &[f32],
    copy: impl Fn(&[f32], &mut [f32]),
) {
    let row = width * channels;
    let side = border * channels;
    let padded_row = row + 2 * side;
    out.resize((height + 2 * border) * padded_row, 0.0);
    let (above, rest) = out.split_at_mut(border * padded_row);
    let (rows, below) = rest.split_at_mut(height * padded_row);
    above.fill(0.0);
    below.fill(0.0);
    for (from, to) in x.chunks_exact(row).zip(rows.chunks_exact_mut(padded_row)) {
        to[..side].fill(0.0);
        copy(from, &mut to[side..][..row]);
        to[side + row..].fill(0.0);
    }
}
