//! Where a face is and how it moves: a Kalman filter over time, not over frames.
//!
//! Centre, width and height of the box are filtered apart from each other, each with a constant velocity that white noise
//! accelerates: for a step of length t the state (value, velocity) gains the covariance q·[t³/3, t²/2; t²/2, t]. All noise
//! is relative to the size of the face, since a large face is near and moves more pixels.

use emotion_models::preprocess::Region;

/// Standard deviation of a detected box's centre, width and height, in sizes of the face.
const DETECTED: f64 = 0.05;
/// How freely the centre accelerates: the variance that its velocity gains in a second, in sizes²/s².
const FREEDOM: f64 = 4.0;
/// The same of width and height, which change slower.
const SIZE_FREEDOM: f64 = 0.5;
/// What the velocity of a new face may be, as a standard deviation in sizes/s.
const FIRST_VELOCITY: f64 = 1.5;
/// How far a face that is followed by its looks drifts from where it is, as a standard deviation in sizes after a second.
const DRIFT: f64 = 0.06;
/// How exactly following measures a shift, in sizes.
const FOLLOWED: f64 = 0.01;
/// The velocity of a face that is not seen falls to 1/e in so many seconds.
const COASTING: f64 = 1.0;
/// The same of the growth of any face: a face comes nearer for a moment and not for long.
const RESIZING: f64 = 0.3;
/// Boxes never get smaller than this, in pixels.
const SMALLEST: f64 = 1.0;

/// One coordinate: the estimate and its covariance.
#[derive(Debug, Clone, Copy)]
struct Axis {
    value: f64,
    velocity: f64,
    value_variance: f64,
    covariance: f64,
    velocity_variance: f64,
}

impl Axis {
    fn new(value: f64, deviation: f64, velocity_deviation: f64) -> Self {
        Self {
            value,
            velocity: 0.0,
            value_variance: deviation * deviation,
            covariance: 0.0,
            velocity_variance: velocity_deviation * velocity_deviation,
        }
    }

    fn predict(&mut self, seconds: f64, freedom: f64) {
        let t = seconds;
        self.value += t * self.velocity;
        self.value_variance +=
            t * (2.0 * self.covariance + t * self.velocity_variance) + freedom * t.powi(3) / 3.0;
        self.covariance += t * self.velocity_variance + freedom * t * t / 2.0;
        self.velocity_variance += freedom * t;
    }

    fn correct(&mut self, measured: f64, variance: f64) {
        let innovation = measured - self.value;
        let total = self.value_variance + variance;
        let (gain, velocity_gain) = (self.value_variance / total, self.covariance / total);
        self.value += gain * innovation;
        self.velocity += velocity_gain * innovation;
        self.velocity_variance -= velocity_gain * self.covariance;
        self.covariance *= 1.0 - gain;
        self.value_variance *= 1.0 - gain;
    }

    /// Moves by a shift that was seen in the picture, in place of the predicted one.
    fn shift(&mut self, by: f64, seconds: f64, drift: f64, exactness: f64, freedom: f64) {
        self.value += by;
        self.value_variance += drift * drift * seconds;
        // The velocity is measured by itself, so it knows nothing more about the value.
        self.covariance = 0.0;
        self.velocity_variance += freedom * seconds;
        let variance = 2.0 * (exactness / seconds).powi(2);
        let gain = self.velocity_variance / (self.velocity_variance + variance);
        self.velocity += gain * (by / seconds - self.velocity);
        self.velocity_variance *= 1.0 - gain;
    }
}

/// The filter of one face.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    centre_x: Axis,
    centre_y: Axis,
    width: Axis,
    height: Axis,
}

impl Filter {
    /// A face that was first seen at `region`.
    pub(super) fn new(region: &Region) -> Self {
        let (x, y) = centre(region);
        let (width, height) = (f64::from(region.width), f64::from(region.height));
        let size = (width + height) / 2.0;
        let deviation = DETECTED * size;
        let centre = |value| Axis::new(value, deviation, FIRST_VELOCITY * size);
        let length = |value| Axis::new(value, deviation, 0.3 * size);
        Self {
            centre_x: centre(x),
            centre_y: centre(y),
            width: length(width),
            height: length(height),
        }
    }

    /// The mean of width and height in pixels.
    pub(super) fn size(&self) -> f64 {
        f64::midpoint(
            self.width.value.max(SMALLEST),
            self.height.value.max(SMALLEST),
        )
    }

    /// The estimated box.
    pub(super) fn region(&self) -> Region {
        let (width, height) = (
            self.width.value.max(SMALLEST),
            self.height.value.max(SMALLEST),
        );
        Region {
            x: (self.centre_x.value - width / 2.0) as f32,
            y: (self.centre_y.value - height / 2.0) as f32,
            width: width as f32,
            height: height as f32,
        }
    }

    /// Standard deviation of the centre in pixels.
    pub(super) fn uncertainty(&self) -> f64 {
        self.centre_x
            .value_variance
            .max(self.centre_y.value_variance)
            .max(0.0)
            .sqrt()
    }

    /// Pixels per second, of the centre.
    pub(super) fn velocity(&self) -> (f64, f64) {
        (self.centre_x.velocity, self.centre_y.velocity)
    }

    /// Lets `seconds` pass of which nothing is known.
    pub(super) fn predict(&mut self, seconds: f64) {
        let size = self.size();
        let scale = size * size;
        // A step back in time, or none, tells nothing.
        if seconds <= 0.0 {
            return;
        }
        for axis in [&mut self.centre_x, &mut self.centre_y] {
            axis.predict(seconds, FREEDOM * scale);
        }
        for axis in [&mut self.width, &mut self.height] {
            axis.predict(seconds, SIZE_FREEDOM * scale);
            axis.velocity *= (-seconds / RESIZING).exp();
        }
    }

    /// Slows a face down of which nothing was seen for `seconds`: people stop more often than they run on for long.
    pub(super) fn slow_down(&mut self, seconds: f64) {
        for axis in [&mut self.centre_x, &mut self.centre_y] {
            axis.velocity *= (-seconds / COASTING).exp();
        }
    }

    /// Lets `seconds` pass in which the face was seen to move by so many pixels.
    pub(super) fn follow(&mut self, seconds: f64, by: (f64, f64)) {
        let size = self.size();
        if seconds <= 0.0 {
            return;
        }
        for (axis, by) in [(&mut self.centre_x, by.0), (&mut self.centre_y, by.1)] {
            axis.shift(
                by,
                seconds,
                DRIFT * size,
                FOLLOWED * size,
                FREEDOM * size * size,
            );
        }
        for axis in [&mut self.width, &mut self.height] {
            axis.predict(seconds, SIZE_FREEDOM * size * size);
            axis.velocity *= (-seconds / RESIZING).exp();
        }
    }

    /// Takes a detection into account whose noise is `noise` times the usual one.
    pub(super) fn correct(&mut self, detected: &Region, noise: f64) {
        let deviation = DETECTED * noise * self.size();
        let variance = deviation * deviation;
        let (x, y) = centre(detected);
        self.centre_x.correct(x, variance);
        self.centre_y.correct(y, variance);
        self.width.correct(f64::from(detected.width), variance);
        self.height.correct(f64::from(detected.height), variance);
    }
}

/// The middle of a box.
pub(super) fn centre(region: &Region) -> (f64, f64) {
    (
        f64::from(region.x) + f64::from(region.width) / 2.0,
        f64::from(region.y) + f64::from(region.height) / 2.0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32) -> Region {
        Region {
            x,
            y: 0.0,
            width: 100.0,
            height: 100.0,
        }
    }

    #[test]
    fn a_steady_motion_is_learned_and_predicted_at_any_frame_rate() {
        for rate in [10.0_f64, 25.0, 60.0] {
            let mut filter = Filter::new(&at(0.0));
            let seconds = 1.0 / rate;
            for frame in 1..=(2.0 * rate) as usize {
                filter.predict(seconds);
                filter.correct(&at((150.0 * frame as f64 * seconds) as f32), 1.0);
            }
            assert!((filter.velocity().0 - 150.0).abs() < 15.0, "{filter:?}");
            let before = filter.region().x;
            filter.predict(0.2);
            let moved = filter.region().x - before;
            assert!((moved - 30.0).abs() < 4.0, "{rate}: {moved}");
        }
    }

    #[test]
    fn the_noise_of_detections_is_smoothed_on_a_face_that_stands_still() {
        let mut filter = Filter::new(&at(0.0));
        let mut worst: f32 = 0.0;
        for frame in 0..100 {
            filter.follow(0.04, (0.0, 0.0));
            filter.correct(&at(if frame % 2 == 0 { 5.0 } else { -5.0 }), 1.0);
            if frame > 20 {
                worst = worst.max(filter.region().x.abs());
            }
        }
        assert!(worst < 2.5, "{worst} pixels of the 5 are left");
    }

    #[test]
    fn a_followed_shift_moves_the_box_at_once() {
        let mut filter = Filter::new(&at(0.0));
        filter.follow(0.04, (20.0, 0.0));
        assert_eq!(filter.region().x, 20.0);
        assert!(filter.velocity().0 > 100.0, "{:?}", filter.velocity());
    }

    #[test]
    fn time_that_stands_still_or_runs_back_changes_nothing() {
        let mut filter = Filter::new(&at(0.0));
        for seconds in [0.0, -1.0] {
            filter.predict(seconds);
            filter.follow(seconds, (5.0, 5.0));
        }
        assert_eq!(filter.region(), at(0.0));
    }

    #[test]
    fn the_longer_nothing_is_known_the_less_certain_it_is() {
        let mut filter = Filter::new(&at(0.0));
        let mut last = filter.uncertainty();
        for _ in 0..10 {
            filter.predict(0.1);
            assert!(filter.uncertainty() > last);
            last = filter.uncertainty();
        }
    }
}
