//! Medians and what they leave out.

/// The times of one side, a figure per turn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns(Vec<f64>);

impl Turns {
    pub(crate) fn push(&mut self, seconds: f64) {
        self.0.push(seconds);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Each turn's time divided by `count`.
    pub(crate) fn per(mut self, count: usize) -> Self {
        for turn in &mut self.0 {
            *turn /= count as f64;
        }
        self
    }

    /// The median in seconds; NaN without turns.
    pub(crate) fn median(&self) -> f64 {
        median(&self.0)
    }

    /// How far the turns lie apart: half of them are within ± this share of the median.
    pub(crate) fn spread(&self) -> f64 {
        let centre = self.median();
        let distances: Vec<f64> = self.0.iter().map(|turn| (turn - centre).abs()).collect();
        median(&distances) / centre
    }
}

/// The middle value; the mean of the two in the middle if there is no single one.
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
