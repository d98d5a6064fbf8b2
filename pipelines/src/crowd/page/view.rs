//! What the page and its API show of the streams.

use std::collections::BTreeMap;
use std::time::Instant;

use gstemotion::face::EmotionResult;
use gstemotion::record::{LineRecord, ZoneRecord};
use serde::Serialize;

use crate::crowd::config::PictureMode;
use crate::crowd::history::HistoryPoint;
use crate::crowd::picture_check::PictureProblem;
use crate::crowd::stream::Stream;

/// What the page shows of a stream. Times are ages, because the clock of a viewer may be wrong.
#[derive(Serialize)]
pub(super) struct StreamView<'a> {
    name: &'a str,
    status: &'static str,
    reason: Option<String>,
    /// `frozen`, `black` or `covered`, if its pictures show nothing.
    picture: Option<&'static str>,
    /// How long no frame has arrived; none while frames arrive.
    down_seconds: Option<f64>,
    /// The time to the next attempt to open it; none while it is open, being opened, or given up.
    retry_seconds: Option<f64>,
    /// The age of the last results.
    analysed_seconds: Option<f64>,
    has_pictures: bool,
    width: u32,
    height: u32,
    frames_per_second: f64,
    latency_seconds: f64,
    skipped: u64,
    reconnects: u64,
    faces: Vec<FaceView>,
    shares: BTreeMap<String, f64>,
    /// The number of the current second in `history`.
    second: u64,
    history: Vec<HistoryPoint>,
    zones: Vec<ZoneRecord>,
    lines: Vec<LineRecord>,
}

#[derive(Serialize)]
struct FaceView {
    id: Option<i32>,
    emotion: Option<String>,
    /// Whether no emotion is certain enough to be named; the confidence is then that of the best guess.
    uncertain: bool,
    confidence: Option<f64>,
}

impl<'a> StreamView<'a> {
    /// The state of `stream` now, with its history from the second `first` on.
    pub(super) fn new(stream: &'a Stream, pictures: PictureMode, first: u64) -> Self {
        let (shares, frames_per_second, second) = (stream.shares(), stream.rate(), stream.second());
        let (zones, lines) = stream.zones.records();
        let now = stream.status();
        let outage = now.outage.as_ref();
        let faces = now.faces.iter().map(|face| FaceView {
            id: face.object_id,
            emotion: face.emotion.as_ref().map(|emotion| emotion.label.clone()),
            uncertain: face
                .emotion
                .as_ref()
                .is_some_and(EmotionResult::is_uncertain),
            confidence: face.emotion.as_ref().map(|emotion| emotion.confidence),
        });
        let age = |time: Instant| time.elapsed().as_secs_f64();
        let until = |time: Instant| time.saturating_duration_since(Instant::now());
        Self {
            name: stream.name(),
            status: now.connection.name(),
            reason: outage.and_then(|outage| outage.reason.clone()),
            picture: now.picture.map(PictureProblem::name),
            down_seconds: outage.map(|outage| age(outage.since)),
            retry_seconds: outage
                .and_then(|outage| outage.next_attempt)
                .map(|time| until(time).as_secs_f64()),
            analysed_seconds: now.analysed.map(age),
            has_pictures: has_pictures(stream, pictures),
            width: now.size.0,
            height: now.size.1,
            frames_per_second,
            latency_seconds: now.latency.as_secs_f64(),
            skipped: stream.metrics.skipped.get(),
            reconnects: stream.metrics.reconnects.get(),
            faces: faces.collect(),
            shares,
            second,
            history: now.history.points(first, second),
            zones,
            lines,
        }
    }

    /// The first second that its history lacks.
    pub(super) fn next_second(&self) -> u64 {
        self.second
    }
}

/// Whether pictures of `stream` are shown, if the setting of the page is `of_page`.
pub(super) fn has_pictures(stream: &Stream, of_page: PictureMode) -> bool {
    stream.source().pictures.unwrap_or(of_page) != PictureMode::Off
}
