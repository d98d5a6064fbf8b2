//! When to detect: on every frame, at an interval, or as often as the frame changes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::interval::Interval;

/// Time between detections under [`DetectionInterval::Auto`] while little changes, ...
const CALM: Duration = Duration::from_millis(500);
/// ... and while much of the frame changes.
const BUSY: Duration = Duration::from_millis(200);
/// The share of the frame that counts as much.
const BUSY_CHANGE: f32 = 0.15;
/// Least time between detections around faces that were missed or cannot be followed.
const AROUND_FACES: Duration = Duration::from_millis(80);

/// The time between two detections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DetectionInterval {
    /// Depends on how much the frame changes: up to five detections a second, and none while nothing changes.
    #[default]
    Auto,
    /// A fixed interval.
    Every(Interval),
}

/// A text that is not a [`DetectionInterval`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no interval of detections: expected auto, a number of frames such as 5, or a duration such as 200ms or 0.5s"
)]
pub struct InvalidDetectionInterval(String);

impl FromStr for DetectionInterval {
    type Err = InvalidDetectionInterval;

    fn from_str(text: &str) -> Result<Self, InvalidDetectionInterval> {
        if text.trim() == "auto" {
            return Ok(Self::Auto);
        }
        match text.parse() {
            Ok(Interval::Frames(0)) | Err(_) => Err(InvalidDetectionInterval(text.to_owned())),
            Ok(interval) => Ok(Self::Every(interval)),
        }
    }
}

impl fmt::Display for DetectionInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Every(interval) => interval.fmt(f),
        }
    }
}

/// The conditions on a frame that decide about a detection.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FrameConditions {
    /// Time of the frame.
    pub(super) now: Duration,
    /// Faces cannot be followed from the last frame to this one.
    pub(super) is_sparse: bool,
    /// The share of the frame that changed since the last detection.
    pub(super) change: f32,
    /// A detected face is not confirmed yet.
    pub(super) has_unconfirmed: bool,
    /// The last detection missed a face.
    pub(super) has_missed: bool,
    /// A face could not be followed.
    pub(super) has_unfollowed: bool,
}

/// The part of a frame in which a detection is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DueDetection {
    None,
    /// Around the faces that are unconfirmed, missed or unfollowed.
    AroundFaces,
    WholeFrame,
}

/// Decides when a detection is due.
#[derive(Debug, Default)]
pub(super) struct DetectionSchedule {
    last: Option<Duration>,
    last_around_faces: Option<Duration>,
    /// Frames since the last detection in a whole frame.
    frames: u32,
}

impl DetectionSchedule {
    /// The detection that is due on the next frame; call it once for each frame.
    pub(super) fn due(
        &mut self,
        interval: DetectionInterval,
        conditions: FrameConditions,
    ) -> DueDetection {
        self.frames = self.frames.saturating_add(1);
        let Some(last) = self.last else {
            return DueDetection::WholeFrame;
        };
        let FrameConditions {
            now,
            is_sparse,
            change,
            has_unconfirmed,
            has_missed,
            has_unfollowed,
        } = conditions;
        let elapsed = now.saturating_sub(last);
        let is_over = match interval {
            DetectionInterval::Every(interval) => interval.is_over(self.frames, elapsed),
            DetectionInterval::Auto => {
                change > 0.0 && (is_sparse || elapsed >= auto_interval(change))
            }
        };
        if is_over {
            return DueDetection::WholeFrame;
        }
        let has_unfollowed = has_unfollowed && interval == DetectionInterval::Auto && change > 0.0;
        let last_any = self.last_around_faces.map_or(last, |time| time.max(last));
        let may_repeat = now.saturating_sub(last_any) >= AROUND_FACES;
        if has_unconfirmed || (may_repeat && (has_missed || has_unfollowed)) {
            DueDetection::AroundFaces
        } else {
            DueDetection::None
        }
    }

    /// Records that a detection has run or begun on a frame.
    pub(super) fn record(&mut self, now: Duration, detection: DueDetection) {
        match detection {
            DueDetection::None => {}
            DueDetection::AroundFaces => self.last_around_faces = Some(now),
            DueDetection::WholeFrame => {
                self.last = Some(now);
                self.frames = 0;
            }
        }
    }

    /// Makes a detection due in the whole next frame.
    pub(super) fn reset(&mut self) {
        self.last = None;
    }
}

/// Time between detections while this share of the frame changes.
fn auto_interval(change: f32) -> Duration {
    let busy = (change / BUSY_CHANGE).clamp(0.0, 1.0);
    CALM - (CALM - BUSY).mul_f32(busy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(40);

    /// The numbers of the frames, of 26, in which a whole-frame detection is due.
    fn due_frames(interval: &str, conditions: FrameConditions) -> Vec<u32> {
        let interval = interval.parse().unwrap();
        let mut schedule = DetectionSchedule::default();
        let is_due = |frame: &u32| {
            let now = FRAME * *frame;
            let due = schedule.due(interval, FrameConditions { now, ..conditions });
            schedule.record(now, due);
            due == DueDetection::WholeFrame
        };
        (0..26).filter(is_due).collect()
    }

    fn changing(change: f32) -> FrameConditions {
        FrameConditions {
            change,
            ..FrameConditions::default()
        }
    }

    #[test]
    fn intervals_in_frames_and_times_are_kept() {
        let still = FrameConditions::default();
        assert_eq!(due_frames("1", still), (0..26).collect::<Vec<_>>());
        assert_eq!(due_frames("5", still), [0, 5, 10, 15, 20, 25]);
        assert_eq!(due_frames("200ms", still), [0, 5, 10, 15, 20, 25]);
        assert_eq!(due_frames("0.25 s", still), [0, 7, 14, 21]);
        assert_eq!(due_frames("0s", still).len(), 26);
    }

    #[test]
    fn auto_detects_more_often_the_more_changes_and_never_again_in_a_still_frame() {
        let counts = [0.0, 0.01, 0.08, 0.5].map(|share| due_frames("auto", changing(share)).len());
        assert_eq!(counts[0], 1);
        assert!(counts.is_sorted(), "{counts:?}");
        assert!(counts[1] < counts[3], "{counts:?}");
        assert_eq!(counts[3], 6);
    }

    #[test]
    fn an_unfollowed_face_is_detected_in_between() {
        let mut schedule = DetectionSchedule::default();
        schedule.record(Duration::ZERO, DueDetection::WholeFrame);
        let unfollowed = FrameConditions {
            has_unfollowed: true,
            ..changing(0.1)
        };
        let due = |schedule: &mut DetectionSchedule, frame: u32, interval| {
            let now = FRAME * frame;
            let due = schedule.due(interval, FrameConditions { now, ..unfollowed });
            schedule.record(now, due);
            due
        };
        assert_eq!(
            due(&mut schedule, 1, DetectionInterval::Auto),
            DueDetection::None
        );
        assert_eq!(
            due(&mut schedule, 2, DetectionInterval::Auto),
            DueDetection::AroundFaces
        );
        assert_eq!(
            due(&mut schedule, 3, DetectionInterval::Auto),
            DueDetection::None
        );
        let hourly = DetectionInterval::Every(Interval::Time(Duration::from_secs(3600)));
        assert_eq!(due(&mut schedule, 4, hourly), DueDetection::None);
    }

    #[test]
    fn an_unconfirmed_face_is_detected_on_the_next_frame_at_any_interval() {
        for interval in ["auto", "100", "1000s"] {
            let mut schedule = DetectionSchedule::default();
            schedule.record(Duration::ZERO, DueDetection::WholeFrame);
            let unconfirmed = FrameConditions {
                now: FRAME,
                has_unconfirmed: true,
                ..changing(0.0)
            };
            let due = schedule.due(interval.parse().unwrap(), unconfirmed);
            assert_eq!(due, DueDetection::AroundFaces, "{interval}");
        }
    }

    #[test]
    fn after_a_reset_a_detection_is_due_at_once() {
        let mut schedule = DetectionSchedule::default();
        schedule.record(Duration::ZERO, DueDetection::WholeFrame);
        schedule.reset();
        assert_eq!(
            schedule.due(DetectionInterval::Auto, FrameConditions::default()),
            DueDetection::WholeFrame
        );
    }

    #[test]
    fn intervals_are_read_as_they_are_written() {
        for text in ["auto", "1", "25", "200ms", "1500ms"] {
            assert_eq!(text.parse::<DetectionInterval>().unwrap().to_string(), text);
        }
        assert_eq!(
            "2s".parse::<DetectionInterval>().unwrap().to_string(),
            "2000ms"
        );
    }

    #[test]
    fn other_texts_are_refused_with_examples() {
        for text in [
            "", "0", "-1", "fast", "5 frames", "ms", "-3s", "NaNs", "infs",
        ] {
            let error = text.parse::<DetectionInterval>().unwrap_err().to_string();
            assert!(error.contains("200ms"), "{text}: {error}");
        }
    }
}
