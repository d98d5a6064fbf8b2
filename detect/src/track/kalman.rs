//! Position and motion of a face: a Kalman filter over time, not over frames.
//!
//! Centre, width and height of the box are filtered separately, each with a constant velocity under white acceleration
//! noise: in a step of length t the covariance of the state (value, velocity) grows by q·[t³/3, t²/2; t²/2, t]. All noise
//! is relative to the size of the face, because a large face is near and moves by more pixels.

use emotion_models::preprocess::Region;

/// Standard deviation of a detected box's centre, width and height, in sizes of the face.
const DETECTED: f64 = 0.05;
/// Acceleration noise of the centre: the variance that its velocity gains in a second, in sizes²/s².
const ACCELERATION: f64 = 4.0;
/// The same for width and height, which change more slowly.
const SIZE_ACCELERATION: f64 = 0.5;
/// Standard deviation of the velocity of a new face, in sizes/s.
const FIRST_VELOCITY: f64 = 1.5;
/// Standard deviation of the drift of a face that is followed by its pixels, in sizes after a second.
const DRIFT: f64 = 0.06;
/// Standard deviation of a shift measured by following, in sizes.
const FOLLOWED: f64 = 0.01;
/// Time in seconds in which the velocity of an unseen face falls to 1/e.
const COASTING: f64 = 1.0;
/// The same for the growth of any face: a face comes nearer only for a moment.
const RESIZING: f64 = 0.3;
/// Smallest width and height of a box in pixels.
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

    fn predict(&mut self, seconds: f64, acceleration: f64) {
        let t = seconds;
        self.value += t * self.velocity;
        self.value_variance += t * (2.0 * self.covariance + t * self.velocity_variance)
            + acceleration * t.powi(3) / 3.0;
        self.covariance += t * self.velocity_variance + acceleration * t * t / 2.0;
        self.velocity_variance += acceleration * t;
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

    /// Moves by a shift measured in the image instead of the predicted one. `deviation` is that of the measurement.
    fn shift(&mut self, by: f64, seconds: f64, drift: f64, deviation: f64, acceleration: f64) {
        self.value += by;
        self.value_variance += drift * drift * seconds;
        // The velocity is measured independently, so it is no longer correlated with the value.
        self.covariance = 0.0;
        self.velocity_variance += acceleration * seconds;
        let variance = 2.0 * (deviation / seconds).powi(2);
        let gain = self.velocity_variance / (self.velocity_variance + variance);
        self.velocity += gain * (by / seconds - self.velocity);
        self.velocity_variance *= 1.0 - gain;
    }
}

/// The filter of one face.
#[derive(Debug, Clone)]
pub(super) struct KalmanFilter {
    centre_x: Axis,
    centre_y: Axis,
    width: Axis,
    height: Axis,
}

impl KalmanFilter {
    /// The filter of a face first detected at `region`.
    pub(super) fn new(region: &Region) -> Self {
        let (x, y) = region.centre();
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

    /// Mean of width and height in pixels.
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
        Region::new(
            (self.centre_x.value - width / 2.0) as f32,
            (self.centre_y.value - height / 2.0) as f32,
            width as f32,
            height as f32,
        )
    }

    /// Standard deviation of the centre in pixels.
    pub(super) fn uncertainty(&self) -> f64 {
        self.centre_x
            .value_variance
            .max(self.centre_y.value_variance)
            .max(0.0)
            .sqrt()
    }

    /// Velocity of the centre in pixels per second.
    pub(super) fn velocity(&self) -> (f64, f64) {
        (self.centre_x.velocity, self.centre_y.velocity)
    }

    /// Advances by `seconds` without a measurement.
    pub(super) fn predict(&mut self, seconds: f64) {
        let size = self.size();
        let scale = size * size;
        // A step back in time, or none, has no effect.
        if seconds <= 0.0 {
            return;
        }
        for axis in [&mut self.centre_x, &mut self.centre_y] {
            axis.predict(seconds, ACCELERATION * scale);
        }
        for axis in [&mut self.width, &mut self.height] {
            axis.predict(seconds, SIZE_ACCELERATION * scale);
            axis.velocity *= (-seconds / RESIZING).exp();
        }
    }

    /// Slows down a face unseen for `seconds`: most people stop before long.
    pub(super) fn slow_down(&mut self, seconds: f64) {
        for axis in [&mut self.centre_x, &mut self.centre_y] {
            axis.velocity *= (-seconds / COASTING).exp();
        }
    }

    /// Advances by `seconds` in which the face was measured to move `by` this many pixels.
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
                ACCELERATION * size * size,
            );
        }
        for axis in [&mut self.width, &mut self.height] {
            axis.predict(seconds, SIZE_ACCELERATION * size * size);
            axis.velocity *= (-seconds / RESIZING).exp();
        }
    }

    /// Corrects the estimate with a detection whose noise is `noise` times the usual one.
    pub(super) fn correct(&mut self, detected: &Region, noise: f64) {
        let deviation = DETECTED * noise * self.size();
        let variance = deviation * deviation;
        let (x, y) = detected.centre();
        self.centre_x.correct(x, variance);
        self.centre_y.correct(y, variance);
        self.width.correct(f64::from(detected.width), variance);
        self.height.correct(f64::from(detected.height), variance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32) -> Region {
        Region::new(x, 0.0, 100.0, 100.0)
    }

    #[test]
    fn a_steady_motion_is_learned_and_predicted_at_any_frame_rate() {
        for rate in [10.0_f64, 25.0, 60.0] {
            let mut filter = KalmanFilter::new(&at(0.0));
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
        let mut filter = KalmanFilter::new(&at(0.0));
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
        let mut filter = KalmanFilter::new(&at(0.0));
        filter.follow(0.04, (20.0, 0.0));
        assert_eq!(filter.region().x, 20.0);
        assert!(filter.velocity().0 > 100.0, "{:?}", filter.velocity());
    }

    #[test]
    fn time_that_stands_still_or_goes_back_has_no_effect() {
        let mut filter = KalmanFilter::new(&at(0.0));
        for seconds in [0.0, -1.0] {
            filter.predict(seconds);
            filter.follow(seconds, (5.0, 5.0));
        }
        assert_eq!(filter.region(), at(0.0));
    }

    #[test]
    fn uncertainty_grows_while_nothing_is_measured() {
        let mut filter = KalmanFilter::new(&at(0.0));
        let mut last = filter.uncertainty();
        for _ in 0..10 {
            filter.predict(0.1);
            assert!(filter.uncertainty() > last);
            last = filter.uncertainty();
        }
    }
}
