//! Times and their medians.

use std::time::Instant;

use anyhow::Result;

/// The times of one side in seconds, one for each turn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns(Vec<f64>);

impl Turns {
    pub(crate) fn push(&mut self, seconds: f64) {
        self.0.push(seconds);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Divides the time of each turn by `count`.
    pub(crate) fn per(mut self, count: usize) -> Self {
        for turn in &mut self.0 {
            *turn /= count as f64;
        }
        self
    }

    /// Median in seconds; NaN without turns.
    pub(crate) fn median(&self) -> f64 {
        median(&self.0)
    }

    /// Median deviation from the median, as a share of the median.
    pub(crate) fn spread(&self) -> f64 {
        let centre = self.median();
        let distances: Vec<f64> = self.0.iter().map(|turn| (turn - centre).abs()).collect();
        median(&distances) / centre
    }
}

/// Measures both sides in turn, each by a function that returns the seconds of its turn.
pub(crate) fn in_turn(
    rounds: usize,
    mut ours: impl FnMut() -> Result<f64>,
    mut peer: impl FnMut() -> Result<f64>,
) -> Result<[Turns; 2]> {
    let mut turns = [Turns::default(), Turns::default()];
    for _ in 0..rounds {
        turns[0].push(ours()?);
        turns[1].push(peer()?);
    }
    Ok(turns)
}

/// Median time of a call in seconds.
pub(crate) fn timed(calls: usize, mut call: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let started = Instant::now();
        call()?;
        times.push(started.elapsed().as_secs_f64());
    }
    Ok(median(&times))
}

/// Largest difference; infinite if the numbers of values differ.
pub(crate) fn max_difference(ours: &[f32], theirs: &[f32]) -> f32 {
    if ours.len() != theirs.len() {
        return f32::INFINITY;
    }
    let differences = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

/// The middle value, or the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        len => f64::midpoint(sorted[(len - 1) / 2], sorted[len / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_not_moved_by_one_slow_turn() {
        assert_eq!(median(&[3.0, 1.0, 100.0]), 3.0);
        assert_eq!(median(&[1.0, 2.0, 3.0, 100.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn half_of_the_turns_are_within_the_spread() {
        let turns = Turns(vec![8.0, 9.0, 10.0, 11.0, 100.0]);
        assert_eq!(turns.median(), 10.0);
        assert_eq!(turns.spread(), 0.1);
    }
}
