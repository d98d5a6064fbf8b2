//! Weights rounded to integers.

use emotion_models::graph::{QuantizedWeights, meeting_pairs};

/// The largest weight.
const LARGEST: f64 = 127.0;

/// The largest sum of two weights of one sign that meet in 16 bits.
const LARGEST_PAIR: i32 = 128;

/// Scales that are tried for each output channel.
const SCALES: usize = 40;

/// The weights of a convolution, `[out, inputs, area]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filters<'a> {
    pub(super) values: &'a [f32],
    pub(super) inputs: usize,
    /// Weights of an output channel for each input channel.
    pub(super) area: usize,
    pub(super) is_depthwise: bool,
    /// The mean square of each input channel, by which errors are weighed.
    pub(super) squares: &'a [f64],
}

/// Rounds each output channel with the scale that makes the least error.
pub(super) fn round(filters: Filters<'_>) -> QuantizedWeights {
    let filter = filters.inputs * filters.area;
    let mut rounded = QuantizedWeights {
        values: Vec::with_capacity(filters.values.len()),
        scales: Vec::new(),
    };
    for values in filters.values.chunks_exact(filter) {
        let largest = values
            .iter()
            .fold(0.0_f64, |a, b| a.max(f64::from(*b).abs()));
        // With the highest, no pair is too large.
        let highest = 2.0 * largest / LARGEST;
        let lowest = 0.6 * largest / LARGEST;
        let tries = (0..SCALES).map(|index| {
            let share = index as f64 / (SCALES - 1) as f64;
            let scale = (highest + share * (lowest - highest)).max(1e-9);
            let integers = with_scale(values, scale, filters);
            (error(values, &integers, scale, filters), scale, integers)
        });
        if let Some((_, scale, integers)) = tries.min_by(|a, b| a.0.total_cmp(&b.0)) {
            rounded.values.extend(integers);
            rounded.scales.push(scale as f32);
        }
    }
    rounded
}

/// The integers of a channel; where two that meet are too large, the larger one gives way.
fn with_scale(values: &[f32], scale: f64, filters: Filters<'_>) -> Vec<i8> {
    let integers = values.iter().map(|&value| {
        let integer = (f64::from(value) / scale).round();
        integer.clamp(-LARGEST, LARGEST) as i8
    });
    let mut integers: Vec<i8> = integers.collect();
    for [a, b] in meeting_pairs(values.len(), filters.area, filters.is_depthwise) {
        let [low, high] = if integers[a] < integers[b] {
            [a, b]
        } else {
            [b, a]
        };
        let [least, most] = [low, high].map(|index| i32::from(integers[index]));
        if least > 0 && least + most > LARGEST_PAIR {
            integers[high] = (LARGEST_PAIR - least) as i8;
        } else if most < 0 && least + most < -LARGEST_PAIR {
            integers[low] = (-LARGEST_PAIR - most) as i8;
        }
    }
    integers
}

/// The mean squared error of what a channel adds up.
fn error(values: &[f32], integers: &[i8], scale: f64, filters: Filters<'_>) -> f64 {
    let pairs = values.iter().zip(integers).enumerate();
    let errors = pairs.map(|(i, (&value, &integer))| {
        let error = f64::from(value) - f64::from(integer) * scale;
        error * error * filters.squares[i / filters.area].max(1e-12)
    });
    errors.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use emotion_models::graph::meet_within_16_bits;

    #[test]
    fn neighbours_that_meet_fit_16_bits_and_are_close_to_the_weights() {
        let values = [1.0, 0.98, -1.0, -0.9, 0.5, -1.0, 0.01, 0.3];
        let rounded = round(Filters {
            values: &values,
            inputs: 8,
            area: 1,
            is_depthwise: false,
            squares: &[1.0; 8],
        });
        assert!(
            meet_within_16_bits(&rounded.values, 1, false),
            "{rounded:?}"
        );
        for (before, after) in values.iter().zip(rounded.to_floats()) {
            assert!((before - after).abs() < 0.02, "{before} {after}");
        }
    }

    #[test]
    fn a_channel_that_matters_more_is_rounded_better() {
        let values = [1.0, 0.003, 0.0, 0.0];
        let with = |squares: &[f64]| {
            let filters = Filters {
                values: &values,
                inputs: 4,
                area: 1,
                is_depthwise: false,
                squares,
            };
            (round(filters).to_floats()[1] - 0.003).abs()
        };
        assert!(with(&[1e-9, 1.0, 1.0, 1.0]) < with(&[1.0, 1e-9, 1.0, 1.0]));
    }
}
