//! Contrast-limited adaptive histogram equalisation.

use super::histogram::{histogram, level};

/// Tiles in a row and in a column.
const TILES: usize = 2;

/// How many times more frequent than the average a grey level may count.
const CLIP_LIMIT: f32 = 2.0;

/// Equalises each tile by itself, with frequent levels clipped, and interpolates between the tiles.
pub(super) fn apply(crop: &mut [f32], size: usize) {
    if size < TILES {
        return;
    }
    let border = |tile: usize| tile * size / TILES;
    let tables: [[[f32; 256]; TILES]; TILES] = std::array::from_fn(|row| {
        std::array::from_fn(|column| {
            let rows = &crop[border(row) * size..border(row + 1) * size];
            let columns = border(column)..border(column + 1);
            let values = rows
                .chunks_exact(size)
                .flat_map(|row| row[columns.clone()].iter().copied());
            table(histogram(values))
        })
    });
    let shares: Vec<_> = (0..size).map(|position| share(position, size)).collect();
    for (row, (above, below, down)) in crop.chunks_exact_mut(size).zip(&shares) {
        for (value, (left, right, across)) in row.iter_mut().zip(&shares) {
            let level = level(*value);
            let along = |row: usize| {
                let tables = &tables[row];
                tables[*left][level] * (1.0 - across) + tables[*right][level] * across
            };
            *value = along(*above) * (1.0 - down) + along(*below) * down;
        }
    }
}

/// The two tiles whose centres enclose a position, and the share of the second.
fn share(position: usize, size: usize) -> (usize, usize, f32) {
    let tile = (position as f32 + 0.5) * TILES as f32 / size as f32 - 0.5;
    let first = tile.floor().max(0.0) as usize;
    let second = (tile.floor() + 1.0).clamp(0.0, (TILES - 1) as f32) as usize;
    (first.min(TILES - 1), second, tile - tile.floor())
}

/// The grey value for each level, from how often each occurs. What is clipped is shared among all levels.
fn table(counts: [u32; 256]) -> [f32; 256] {
    let pixels = counts.iter().sum::<u32>() as f32;
    let limit = (CLIP_LIMIT * pixels / 256.0).max(1.0);
    let kept = counts.map(|count| (count as f32).min(limit));
    let shared = (pixels - kept.iter().sum::<f32>()) / 256.0;
    let mut sum = 0.0;
    kept.map(|count| {
        sum += count + shared;
        (sum * 255.0 / pixels).min(255.0)
    })
}
