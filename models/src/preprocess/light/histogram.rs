//! Histograms of grey levels.

/// The whole grey level of a value.
pub(super) fn level(value: f32) -> usize {
    // The cast saturates.
    usize::from((value + 0.5) as u8)
}

pub(super) fn histogram(values: impl IntoIterator<Item = f32>) -> [u32; 256] {
    let mut counts = [0; 256];
    for value in values {
        counts[level(value)] += 1;
    }
    counts
}

/// Grey level by grey level, how many values lie at or below it, stretched to 0 to 255 from the darkest level that occurs.
pub(super) fn equalize(crop: &mut [f32]) {
    let counts = histogram(crop.iter().copied());
    let darkest = counts.iter().copied().find(|&count| count > 0).unwrap_or(0);
    let others = crop.len() as u32 - darkest;
    if others == 0 {
        return;
    }
    let mut sum = 0;
    let table = counts.map(|count| {
        sum += count;
        sum.saturating_sub(darkest) as f32 * 255.0 / others as f32
    });
    for value in crop {
        *value = table[level(*value)];
    }
}
