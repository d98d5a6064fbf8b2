//! Axes with round ticks.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// The range of an axis and its ticks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    /// The visible range.
    pub(crate) range: Range<f64>,
    /// Multiples of 1, 2 or 5 times a power of ten, within the range.
    pub(crate) ticks: Vec<f64>,
    /// Decimals of the labels.
    pub(crate) decimals: usize,
}

impl Axis {
    /// From `low` to `high`, with at most about `count` ticks; around the value if both are equal.
    pub(crate) fn new(low: f64, high: f64, count: usize) -> Self {
        let (low, high) = if high > low {
            (low, high)
        } else if low == 0.0 {
            (0.0, 1.0)
        } else {
            (low - 0.1 * low.abs(), low + 0.1 * low.abs())
        };
        let step = round_step((high - low) / count.max(1) as f64);
        // A thousandth of a step of tolerance: 0.30000000000000004 is within 0.1..0.3.
        let first = (low / step - 1e-3).ceil() as i64;
        let last = (high / step + 1e-3).floor() as i64;
        Self {
            range: low..high,
            ticks: (first..=last).map(|index| index as f64 * step).collect(),
            decimals: (-step.log10().floor()).max(0.0) as usize,
        }
    }

    /// Integers from 1 to `last`; the axis is half a unit longer at both ends.
    pub(crate) fn counting(last: usize, count: usize) -> Self {
        let last = last.max(1);
        let step = round_step(last as f64 / count as f64).max(1.0) as usize;
        let mut ticks: Vec<f64> = (0..=last / step)
            .map(|index| (index * step).max(1) as f64)
            .collect();
        ticks.dedup();
        Self {
            range: 0.5..last as f64 + 0.5,
            ticks,
            decimals: 0,
        }
    }

    /// The label of a tick.
    pub(crate) fn label(&self, tick: f64) -> String {
        format!("{tick:.*}", self.decimals)
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, &value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (value - self.range.start) / (self.range.end - self.range.start);
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            return Vec::new();
        }
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

/// The smallest of 1, 2, 5, 10, … times a power of ten that is no smaller than `step`.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|factor| factor * power >= step * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_range() {
        let axis = Axis::new(0.87, 1.86, 5);
        let labels: Vec<_> = axis.ticks.iter().map(|&tick| axis.label(tick)).collect();
        assert_eq!(labels, ["1.0", "1.2", "1.4", "1.6", "1.8"]);
        assert_eq!(axis.range, 0.87..1.86);
    }

    #[test]
    fn both_ends_have_ticks_when_they_are_round() {
        let axis = Axis::new(0.1, 0.3, 2);
        let labels: Vec<_> = axis.ticks.iter().map(|&tick| axis.label(tick)).collect();
        assert_eq!(labels, ["0.1", "0.2", "0.3"]);
    }

    #[test]
    fn a_single_value_gets_room_around_it() {
        let axis = Axis::new(1.5, 1.5, 4);
        assert!(axis.range.contains(&1.5) && axis.ticks.len() >= 2);
        assert_eq!(Axis::new(0.0, 0.0, 2).ticks, [0.0, 0.5, 1.0]);
    }

    #[test]
    fn epochs_are_counted_from_one_in_whole_numbers() {
        assert_eq!(Axis::counting(1, 10).ticks, [1.0]);
        assert_eq!(Axis::counting(5, 10).ticks, [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(
            Axis::counting(60, 10).ticks,
            [1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
        );
        assert_eq!(Axis::counting(1000, 10).ticks[..3], [1.0, 100.0, 200.0]);
    }
}
