//! By how much the work of an element delays the frames of a live stream, for the latency query.

use std::time::Duration;

use gst::prelude::*;

/// Latencies are multiples of this, so that small changes do not set the latency of a pipeline anew.
const STEP: Duration = Duration::from_millis(5);
/// Of this many frames…
const PERIOD: usize = 128;
/// … so many may take longer than the latency says. The first frame of a stream always does.
const EXCEPTIONS: usize = 2;

/// The latency that an element reports. It grows with the work and never shrinks.
#[derive(Debug, Default)]
pub(crate) struct WorkLatency {
    reported: Duration,
    /// The times above it in this period.
    longer: Vec<Duration>,
    frames: usize,
    has_grown: bool,
}

impl WorkLatency {
    /// The element worked on a frame for `time`.
    pub(crate) fn add(&mut self, time: Duration) {
        if self.frames == PERIOD {
            self.frames = 0;
            self.longer.clear();
        }
        self.frames += 1;
        if time > self.reported {
            self.longer.push(time);
        }
        if self.longer.len() > EXCEPTIONS
            && let Some(least) = self.longer.iter().min()
        {
            let steps = least.as_nanos().div_ceil(STEP.as_nanos());
            self.reported = STEP * u32::try_from(steps).unwrap_or(u32::MAX);
            self.has_grown = true;
            self.frames = 0;
            self.longer.clear();
        }
    }

    /// Whether it has grown since this was asked last.
    pub(crate) fn take_growth(&mut self) -> bool {
        std::mem::take(&mut self.has_grown)
    }

    /// Adds it to the latency of a live stream up to here.
    pub(crate) fn add_to(&self, query: &mut gst::query::Latency) {
        let (is_live, min, max) = query.result();
        if let (true, Ok(reported)) = (is_live, gst::ClockTime::try_from(self.reported)) {
            let max = max.map(|max| max.saturating_add(reported));
            query.set(is_live, min.saturating_add(reported), max);
        }
    }
}

/// Tells the pipeline that the latency of `element` has changed.
pub(crate) fn post(element: &impl IsA<gst::Element>) {
    let element = element.upcast_ref::<gst::Element>();
    let message = gst::message::Latency::builder().src(element).build();
    // Fails without a bus, which is no error: nobody listens.
    let _ = element.post_message(message);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(milliseconds: impl IntoIterator<Item = u64>) -> Duration {
        let mut latency = WorkLatency::default();
        for time in milliseconds {
            latency.add(Duration::from_millis(time));
        }
        latency.reported
    }

    #[test]
    fn the_work_of_a_frame_is_reported_in_steps() {
        assert_eq!(reported([7; 2]), Duration::ZERO);
        assert_eq!(reported([7; 3]), Duration::from_millis(10));
        assert_eq!(reported([10; 200]), Duration::from_millis(10));
        // Searches between frames that are followed.
        let mixed = (0..300).map(|frame| if frame % 10 == 0 { 31 } else { 2 });
        assert_eq!(reported(mixed), Duration::from_millis(35));
    }

    #[test]
    fn a_slow_frame_now_and_then_is_an_exception() {
        let times = (0..1000).map(|frame| if frame % 60 == 0 { 400 } else { 8 });
        assert_eq!(reported(times), Duration::from_millis(10));
    }

    #[test]
    fn growth_is_told_once() {
        let mut latency = WorkLatency::default();
        for _ in 0..3 {
            assert!(!latency.take_growth());
            latency.add(Duration::from_millis(1));
        }
        assert!(latency.take_growth());
        assert!(!latency.take_growth());
    }

    #[test]
    fn only_live_streams_are_delayed() {
        gst::init().unwrap();
        let mut latency = WorkLatency::default();
        (0..3).for_each(|_| latency.add(Duration::from_millis(4)));
        let [zero, added] = [0, 5].map(gst::ClockTime::from_mseconds);
        for (is_live, max, expected) in [
            (false, None, (false, zero, None)),
            (true, None, (true, added, None)),
            (true, Some(added), (true, added, Some(added + added))),
        ] {
            let mut query = gst::query::Latency::new();
            query.set(is_live, zero, max);
            latency.add_to(&mut query);
            assert_eq!(query.result(), expected);
        }
    }
}
