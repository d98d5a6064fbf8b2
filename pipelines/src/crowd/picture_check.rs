//! Notices pictures that show nothing: frozen, black, or with a covered lens.

use std::time::Duration;

use emotion_models::preprocess::GreyRows as _;
use gst_video::{VideoFrameRef, VideoInfo};
use gstemotion::luma::{LumaReader, LumaView};

use super::config::PictureCheckSettings;
use super::element_chain::ProcessedFrame;

/// The samples of a picture: columns and rows.
const COLUMNS: usize = 48;
const ROWS: usize = 27;
/// How often a picture is looked at, by the times of the pictures.
const PERIOD: Duration = Duration::from_millis(500);
/// A picture whose brightest samples are below this grey value is black.
const BLACK: u8 = 24;
/// Below this mean difference of neighbouring samples a picture shows nothing.
const LEAST_DETAIL: f64 = 1.5;

/// What is wrong with the pictures of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum PictureProblem {
    /// Each is exactly like the one before.
    Frozen,
    /// They are black.
    Black,
    /// They have no detail, as if something covered the lens.
    Covered,
}

impl PictureProblem {
    /// All problems.
    pub(super) const ALL: [Self; 3] = [Self::Frozen, Self::Black, Self::Covered];

    /// Its name in the API, in metrics and in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Black => "black",
            Self::Covered => "covered",
        }
    }

    /// The event that it begins.
    pub(super) fn event(self) -> &'static str {
        match self {
            Self::Frozen => "picture-frozen",
            Self::Black => "picture-black",
            Self::Covered => "picture-covered",
        }
    }
}

/// Grey values of a picture at evenly spread places.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PictureSample {
    columns: usize,
    values: Vec<u8>,
}

impl PictureSample {
    /// Samples a picture.
    fn of(picture: &LumaView<'_>) -> Self {
        let (width, height) = (picture.width(), picture.height());
        let (columns, rows) = (COLUMNS.min(width), ROWS.min(height));
        let mut buffer = Vec::new();
        let mut values = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            let y = (2 * row + 1) * height / (2 * rows);
            let grey = picture.grey(y, 0..width, &mut buffer);
            values
                .extend((0..columns).map(|column| grey[(2 * column + 1) * width / (2 * columns)]));
        }
        Self { columns, values }
    }

    fn is_black(&self) -> bool {
        let mut sorted = self.values.clone();
        sorted.sort_unstable();
        // A clock in the picture may be bright.
        sorted
            .get(sorted.len() * 97 / 100)
            .is_some_and(|value| *value < BLACK)
    }

    /// The mean difference of neighbouring samples.
    fn detail(&self) -> f64 {
        let rows = self.values.chunks(self.columns);
        let across = rows.flat_map(|row| row.windows(2).map(|pair| (pair[0], pair[1])));
        let below = self.values.iter().zip(&self.values[self.columns..]);
        let (mut sum, mut count) = (0_u64, 0_u64);
        for (a, b) in across.chain(below.map(|(a, b)| (*a, *b))) {
            sum += u64::from(a.abs_diff(b));
            count += 1;
        }
        sum as f64 / count.max(1) as f64
    }
}

/// Reads and watches the pictures of one source.
#[derive(Debug)]
pub(super) struct PictureWatch {
    check: PictureCheck,
    /// For frames of this format and size.
    reader: Option<(VideoInfo, LumaReader)>,
    current: Option<PictureProblem>,
    next: Duration,
}

impl PictureWatch {
    pub(super) fn new(settings: PictureCheckSettings) -> Self {
        Self {
            check: PictureCheck::new(settings),
            reader: None,
            current: None,
            next: Duration::ZERO,
        }
    }

    /// What is wrong after `frame` at `time`.
    pub(super) fn observe(
        &mut self,
        frame: &ProcessedFrame,
        info: &VideoInfo,
        time: Duration,
    ) -> anyhow::Result<Option<PictureProblem>> {
        if time < self.next {
            return Ok(self.current);
        }
        self.next = time + PERIOD;
        if self.reader.as_ref().is_none_or(|(known, _)| known != info) {
            self.reader = Some((info.clone(), LumaReader::new(info)?));
        }
        let Some((_, reader)) = &self.reader else {
            return Ok(None);
        };
        let mapped = VideoFrameRef::from_buffer_ref_readable(&frame.buffer, info)
            .map_err(|error| anyhow::anyhow!("cannot read a frame: {error}"))?;
        let sample = PictureSample::of(&reader.view(&mapped)?);
        self.current = self.check.observe(sample, time);
        Ok(self.current)
    }
}

/// Decides what is wrong with the pictures of one source.
#[derive(Debug)]
struct PictureCheck {
    settings: PictureCheckSettings,
    last: Option<PictureSample>,
    /// Since when each problem lasts, by the times of the pictures.
    since: [Option<Duration>; 3],
}

impl PictureCheck {
    fn new(settings: PictureCheckSettings) -> Self {
        Self {
            settings,
            last: None,
            since: [None; 3],
        }
    }

    /// What is wrong after one more picture at `time`, if it has been for long enough.
    fn observe(&mut self, sample: PictureSample, time: Duration) -> Option<PictureProblem> {
        let is_black = sample.is_black();
        let is_covered = !is_black && sample.detail() < LEAST_DETAIL;
        let is_frozen = self.last.as_ref() == Some(&sample);
        self.last = Some(sample);
        let mut found = None;
        let limits = [
            (PictureProblem::Black, is_black, self.settings.black),
            (PictureProblem::Covered, is_covered, self.settings.covered),
            (PictureProblem::Frozen, is_frozen, self.settings.frozen),
        ];
        for ((problem, is_so, limit), since) in limits.into_iter().zip(&mut self.since) {
            if !is_so || limit.is_zero() {
                *since = None;
                continue;
            }
            let since = *since.get_or_insert(time);
            if time.saturating_sub(since) >= limit {
                found = found.or(Some(problem));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(value: impl Fn(usize, usize) -> u8) -> PictureSample {
        let values = (0..ROWS).flat_map(|y| (0..COLUMNS).map(move |x| (x, y)));
        PictureSample {
            columns: COLUMNS,
            values: values.map(|(x, y)| value(x, y)).collect(),
        }
    }

    /// What is noticed in pictures of a second each.
    fn noticed(pictures: &[PictureSample]) -> Vec<Option<PictureProblem>> {
        let seconds = Duration::from_secs;
        let mut check = PictureCheck::new(PictureCheckSettings {
            frozen: seconds(3),
            black: seconds(2),
            covered: seconds(2),
        });
        let times = (0..).map(seconds);
        pictures
            .iter()
            .cloned()
            .zip(times)
            .map(|(picture, time)| check.observe(picture, time))
            .collect()
    }

    /// A picture with detail, each number another.
    fn scene(number: usize) -> PictureSample {
        sample(|x, y| (x * 37 + y * 91 + number * 13) as u8)
    }

    #[test]
    fn a_black_and_a_covered_picture_are_noticed_after_their_time_and_forgotten_at_once() {
        let black =
            |number: usize| sample(move |x, y| if (x, y) == (0, number) { 255 } else { 17 });
        // The inside of a hand: dim, and brighter towards an edge.
        let covered = |number: usize| sample(move |x, _| (60 + x / 2 + number) as u8);
        let (b, c) = (Some(PictureProblem::Black), Some(PictureProblem::Covered));
        let pictures = [
            scene(0),
            black(0),
            black(1),
            black(2),
            scene(1),
            covered(0),
            covered(1),
            covered(2),
            scene(2),
        ];
        assert_eq!(
            noticed(&pictures),
            [None, None, None, b, None, None, None, c, None]
        );
    }

    #[test]
    fn a_picture_that_stays_exactly_the_same_is_frozen_and_one_with_noise_is_not() {
        let frozen = Some(PictureProblem::Frozen);
        assert_eq!(
            noticed(&vec![scene(0); 5]),
            [None, None, None, None, frozen]
        );
        let noise = |number: usize| {
            sample(move |x, y| (x * 37 + y * 91 + usize::from((x, y) == (number, 3))) as u8)
        };
        let noisy: Vec<_> = (0..9).map(noise).collect();
        assert_eq!(noticed(&noisy), [None; 9]);
    }
}
