//! What values activations take.

use std::collections::BTreeMap;

use emotion_models::inference::{Error, InferenceExecutor};

/// Bins of a channel's histogram, from its lowest value to its highest.
const BINS: usize = 512;

/// Steps of an activation of eight bits.
const STEPS: f64 = 255.0;

/// Shares of a range that are tried as the range of the integers.
const SHARES: [f64; 15] = [
    1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4, 0.35, 0.3,
];

/// How the range of a channel is chosen; what lies outside is cut off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClipMethod {
    /// From the lowest to the highest value.
    Max,
    /// The values without so large a share at either end.
    Tail(f64),
    /// The range with the least mean squared error of rounding and cutting off.
    MeanSquaredError,
}

/// The values of one channel.
#[derive(Debug, Clone)]
struct Channel {
    low: f32,
    high: f32,
    count: f64,
    sum: f64,
    squares: f64,
    bins: Vec<u32>,
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            low: 0.0,
            high: 0.0,
            count: 0.0,
            sum: 0.0,
            squares: 0.0,
            bins: Vec::new(),
        }
    }
}

/// First and second moments of each channel.
#[derive(Debug)]
pub struct Moments {
    /// Means.
    pub means: Vec<f64>,
    /// Means of the squares.
    pub squares: Vec<f64>,
}

/// The values that the activations of a network take, by the names of
/// [`Quantization::activations`](emotion_models::graph::Quantization::activations).
#[derive(Debug, Default)]
pub struct Statistics {
    activations: BTreeMap<String, Vec<Channel>>,
}

impl Statistics {
    /// Those of pictures as the executor takes them, of which `picture` gives each of `count`.
    ///
    /// # Errors
    ///
    /// If a picture has another size than the network's input, or cannot be read.
    pub fn collect<E: From<Error>>(
        executor: &mut InferenceExecutor,
        count: usize,
        mut picture: impl FnMut(usize) -> Result<Vec<f32>, E>,
    ) -> Result<Self, E> {
        let mut statistics = Self::default();
        for index in 0..count {
            executor.observe(&picture(index)?, |name, channels, values| {
                statistics.add_range(name, channels, values);
            })?;
        }
        for channel in statistics.activations.values_mut().flatten() {
            channel.bins = vec![0; BINS];
        }
        for index in 0..count {
            executor.observe(&picture(index)?, |name, channels, values| {
                statistics.add_to_histograms(name, channels, values);
            })?;
        }
        Ok(statistics)
    }

    fn add_range(&mut self, name: &str, count: usize, values: &[f32]) {
        if !self.activations.contains_key(name) {
            let channels = vec![Channel::default(); count];
            self.activations.insert(name.to_owned(), channels);
        }
        let Some(channels) = self.activations.get_mut(name) else {
            return;
        };
        for pixel in values.chunks_exact(count) {
            for (channel, &value) in channels.iter_mut().zip(pixel) {
                channel.low = channel.low.min(value);
                channel.high = channel.high.max(value);
            }
        }
    }

    fn add_to_histograms(&mut self, name: &str, count: usize, values: &[f32]) {
        let Some(channels) = self.activations.get_mut(name) else {
            return;
        };
        for pixel in values.chunks_exact(count) {
            for (channel, &value) in channels.iter_mut().zip(pixel) {
                channel.count += 1.0;
                channel.sum += f64::from(value);
                channel.squares += f64::from(value) * f64::from(value);
                let span = channel.high - channel.low;
                let place = (value - channel.low) / span.max(f32::MIN_POSITIVE) * BINS as f32;
                channel.bins[(place as usize).min(BINS - 1)] += 1;
            }
        }
    }

    /// Lowest and highest value of each channel of each activation, 0 among them.
    pub fn ranges(&self, clip: ClipMethod) -> BTreeMap<String, Vec<[f32; 2]>> {
        let activations = self.activations.iter();
        activations
            .map(|(name, channels)| {
                let ranges = channels.iter().map(|channel| channel.range(clip));
                (name.clone(), ranges.collect())
            })
            .collect()
    }

    /// The moments of an activation whose channels are multiplied by these factors.
    pub(super) fn scaled_moments(&self, name: &str, factors: &[f64]) -> Moments {
        let channels = self.activations.get(name);
        let mean = |sum: fn(&Channel) -> f64| {
            let means = factors.iter().enumerate().map(move |(index, _)| {
                let channel = channels.map(|channels| &channels[index]);
                channel.map_or(0.0, |channel| sum(channel) / channel.count.max(1.0))
            });
            means.collect::<Vec<f64>>()
        };
        let (means, squares) = (mean(|channel| channel.sum), mean(|channel| channel.squares));
        let scaled = |values: Vec<f64>, power: i32| {
            let pairs = values.into_iter().zip(factors);
            pairs
                .map(|(value, factor)| value * factor.powi(power))
                .collect()
        };
        Moments {
            means: scaled(means, 1),
            squares: scaled(squares, 2),
        }
    }
}

impl Channel {
    fn range(&self, clip: ClipMethod) -> [f32; 2] {
        let [low, high] = [f64::from(self.low), f64::from(self.high)];
        let [low, high] = match clip {
            ClipMethod::Max => [low, high],
            ClipMethod::Tail(share) => {
                let count = share * self.count;
                let inside = |bins: &mut dyn Iterator<Item = &u32>| {
                    let mut sum = 0.0;
                    let outside = bins.take_while(|&&bin| {
                        sum += f64::from(bin);
                        sum <= count
                    });
                    outside.count()
                };
                let below = inside(&mut self.bins.iter());
                let above = inside(&mut self.bins.iter().rev());
                let bin = (high - low) / BINS as f64;
                let (lowest, highest) = (below as f64 * bin + low, high - above as f64 * bin);
                [lowest.min(0.0), highest.max(0.0)]
            }
            ClipMethod::MeanSquaredError => {
                let ranges = SHARES.map(|share| [share * low, share * high]);
                let best = ranges
                    .into_iter()
                    .min_by(|a, b| self.squared_error(*a).total_cmp(&self.squared_error(*b)));
                best.unwrap_or([low, high])
            }
        };
        [low as f32, high as f32]
    }

    /// The mean squared error of integers with this range.
    fn squared_error(&self, [low, high]: [f64; 2]) -> f64 {
        let step = (high - low) / STEPS;
        let rounding = step * step / 12.0;
        let bin = f64::from(self.high - self.low) / BINS as f64;
        let errors = self.bins.iter().enumerate().map(|(index, &count)| {
            let value = f64::from(self.low) + (index as f64 + 0.5) * bin;
            let outside = (low - value).max(value - high).max(0.0);
            f64::from(count) * (outside * outside + rounding)
        });
        errors.sum::<f64>() / self.count.max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values 0, 1 … 99, and 1000.
    fn channel() -> Channel {
        let mut statistics = Statistics::default();
        let values: Vec<f32> = (0..100_u16).map(f32::from).chain([1000.0]).collect();
        statistics.add_range("a", 1, &values);
        let channel = &mut statistics.activations.get_mut("a").unwrap()[0];
        channel.bins = vec![0; BINS];
        statistics.add_to_histograms("a", 1, &values);
        statistics.activations["a"][0].clone()
    }

    #[test]
    fn a_range_holds_all_values_or_leaves_out_the_tails() {
        let channel = channel();
        assert_eq!(channel.range(ClipMethod::Max), [0.0, 1000.0]);
        let [low, high] = channel.range(ClipMethod::Tail(0.01));
        assert_eq!(low, 0.0);
        assert!((99.0..105.0).contains(&high), "{high}");
    }

    #[test]
    fn a_range_of_least_error_leaves_out_what_costs_more_than_it_serves() {
        // One value of a million lies far outside.
        let mut channel = channel();
        for bin in &mut channel.bins[..52] {
            *bin *= 10_000_000;
        }
        channel.count = 1e9;
        let [_, high] = channel.range(ClipMethod::MeanSquaredError);
        assert!(high < 500.0, "{high}");
    }

    #[test]
    fn moments_follow_the_factors() {
        let mut statistics = Statistics::default();
        let values = [1.0, 10.0, 3.0, 30.0];
        statistics.add_range("a", 2, &values);
        for channel in statistics.activations.values_mut().flatten() {
            channel.bins = vec![0; BINS];
        }
        statistics.add_to_histograms("a", 2, &values);
        let Moments { means, squares } = statistics.scaled_moments("a", &[-2.0, 0.5]);
        assert_eq!(means, [-4.0, 10.0]);
        assert_eq!(squares, [20.0, 125.0]);
    }
}
