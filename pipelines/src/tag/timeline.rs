//! The course of a file: who was seen when, and with which emotions.
//!
//! It grows record by record and holds a span for each stretch of one emotion, not a value for each frame, so that hours
//! of video fit into memory.

use std::collections::BTreeMap;

use gstemotion::face::UNCERTAIN;
use gstemotion::record::{FaceRecord, Record};

/// A face that is missed for no longer than this has not gone, in seconds.
const BRIDGED_S: f64 = 0.5;
/// A span of an emotion is worth jumping to if it lasts this long, in seconds.
const WORTHWHILE_S: f64 = 0.3;
/// The label of somebody who is there and not classified.
pub const UNCLASSIFIED: &str = "unclassified";
const NEUTRAL: &str = "neutral";

/// Who a face belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PersonKey {
    /// The track with this id.
    Track(i32),
    /// The face with this number from the left in each frame, where faces are not tracked.
    Position(usize),
}

impl std::fmt::Display for PersonKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Track(id) => write!(f, "face {id}"),
            Self::Position(place) => write!(f, "face {} from the left", place + 1),
        }
    }
}

/// A stretch of time in which somebody shows one emotion.
#[derive(Debug, Clone, PartialEq)]
pub struct EmotionSpan {
    /// Its begin in seconds.
    pub start: f64,
    /// Its end in seconds: when the next frame is shown.
    pub end: f64,
    /// The name of the emotion, `uncertain`, or [`UNCLASSIFIED`].
    pub label: String,
    /// When it was clearest, in seconds.
    pub peak: f64,
    /// How sure the classifier was then, 0 to 1.
    pub confidence: f64,
}

/// What is known of a person (a track: somebody who comes back after a while may be a new one).
#[derive(Debug, Clone, Default)]
pub struct PersonTimeline {
    /// Frames in which the face was found.
    pub frames: u64,
    /// Its stretches of one emotion, in order.
    pub spans: Vec<EmotionSpan>,
    /// The number of frames by label.
    pub labels: BTreeMap<String, u64>,
    /// Sums of the probabilities in the classifier's order, over `classified` frames.
    probabilities: Vec<(String, f64)>,
    classified: u64,
    valence: f64,
    with_valence: u64,
    /// Number of the last frame with this face.
    last_frame: u64,
    last_time: f64,
}

impl PersonTimeline {
    /// The first and the last moment, in seconds.
    pub fn time(&self) -> (f64, f64) {
        let first = self.spans.first().map_or(0.0, |span| span.start);
        (first, self.spans.last().map_or(0.0, |span| span.end))
    }

    /// The mean probability of each emotion.
    pub fn mean_probabilities(&self) -> impl Iterator<Item = (&str, f64)> {
        let count = self.classified.max(1) as f64;
        let means = self.probabilities.iter();
        means.map(move |(label, sum)| (label.as_str(), sum / count))
    }

    /// The mean valence, -1 to 1, if the classifier tells it.
    pub fn mean_valence(&self) -> Option<f64> {
        (self.with_valence > 0).then(|| self.valence / self.with_valence as f64)
    }

    /// The spans with an emotion worth jumping to, the clearest `most` of them, in order.
    pub fn peaks(&self, most: usize) -> Vec<&EmotionSpan> {
        let is_peak = |span: &&EmotionSpan| {
            ![NEUTRAL, UNCERTAIN, UNCLASSIFIED].contains(&span.label.as_str())
                && span.end - span.start >= WORTHWHILE_S
        };
        let mut peaks: Vec<_> = self.spans.iter().filter(is_peak).collect();
        peaks.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        peaks.truncate(most);
        peaks.sort_by(|a, b| a.peak.total_cmp(&b.peak));
        peaks
    }

    fn add(&mut self, frame: u64, time: f64, face: &FaceRecord) {
        let label = face.emotion.as_deref().unwrap_or(UNCLASSIFIED);
        let confidence = face.confidence.unwrap_or(0.0);
        self.frames += 1;
        *self.labels.entry(label.to_owned()).or_default() += 1;
        if let Some(probabilities) = &face.probabilities {
            self.classified += 1;
            for (index, (name, probability)) in probabilities.0.iter().enumerate() {
                match self.probabilities.get_mut(index) {
                    Some((_, sum)) => *sum += probability,
                    None => self.probabilities.push((name.clone(), *probability)),
                }
            }
        }
        if let Some(valence) = face.valence {
            self.valence += valence;
            self.with_valence += 1;
        }

        let stayed = self.last_frame + 1 == frame || time - self.last_time <= BRIDGED_S;
        (self.last_frame, self.last_time) = (frame, time);
        match self.spans.last_mut() {
            Some(span) if stayed && time >= span.start => {
                span.end = time;
                if span.label == label {
                    if confidence > span.confidence {
                        (span.peak, span.confidence) = (time, confidence);
                    }
                    return;
                }
            }
            _ => {}
        }
        self.spans.push(EmotionSpan {
            start: time,
            end: time,
            label: label.to_owned(),
            peak: time,
            confidence,
        });
    }
}

/// The course of a file so far.
#[derive(Debug, Clone, Default)]
pub struct EmotionTimeline {
    /// Everybody who was seen.
    pub persons: BTreeMap<PersonKey, PersonTimeline>,
    /// Frames that were looked at.
    pub frames: u64,
    /// Frames with a face.
    pub frames_with_faces: u64,
    /// Faces in all frames.
    pub faces: u64,
    /// The most faces in one frame.
    pub most_faces: usize,
    /// Width and height of the first frame in pixels.
    pub size: Option<(u32, u32)>,
    /// When the last frame was shown and for how long, in seconds.
    last: Option<(f64, f64)>,
}

impl EmotionTimeline {
    /// Adds a frame; `duration` is the time that it is shown, in seconds, where that is known.
    pub fn add(&mut self, record: &Record, duration: Option<f64>) {
        let (before, shown) = self.last.unwrap_or((0.0, 0.0));
        let time = record.stream_time.unwrap_or(before);
        // The last frame was shown until now.
        for person in self.persons.values_mut() {
            if person.last_frame == self.frames && self.frames > 0 {
                person.extend(time);
            }
        }
        self.last = Some((
            time,
            duration.unwrap_or(if time > before { time - before } else { shown }),
        ));
        self.size = self.size.or(Some((record.width, record.height)));
        self.frames += 1;
        self.frames_with_faces += u64::from(!record.faces.is_empty());
        self.faces += record.faces.len() as u64;
        self.most_faces = self.most_faces.max(record.faces.len());
        for (who, face) in named(record) {
            self.persons
                .entry(who)
                .or_default()
                .add(self.frames, time, face);
        }
    }

    /// The end of the file: whoever is on the last frame is seen until it ends.
    pub fn finish(&mut self) {
        let end = self.end();
        for person in self.persons.values_mut() {
            if person.last_frame == self.frames {
                person.extend(end);
            }
        }
    }

    /// When the last frame ends, in seconds.
    pub fn end(&self) -> f64 {
        self.last.map_or(0.0, |(time, shown)| time + shown)
    }

    /// The number of faces by label, over all frames.
    pub fn labels(&self) -> BTreeMap<&str, u64> {
        let mut labels = BTreeMap::new();
        for (label, count) in self.persons.values().flat_map(|person| &person.labels) {
            *labels.entry(label.as_str()).or_default() += count;
        }
        labels
    }
}

impl PersonTimeline {
    fn extend(&mut self, time: f64) {
        if let Some(span) = self.spans.last_mut() {
            span.end = span.end.max(time);
        }
    }
}

/// The faces of a record with those that they belong to.
pub fn named(record: &Record) -> impl Iterator<Item = (PersonKey, &FaceRecord)> {
    let mut untracked: Vec<_> = record.faces.iter().filter(|f| f.id.is_none()).collect();
    untracked.sort_by_key(|face| face.pixels.x);
    let tracked = record
        .faces
        .iter()
        .filter_map(|face| Some((PersonKey::Track(face.id?), face)));
    let places = untracked.into_iter().enumerate();
    tracked.chain(places.map(|(place, face)| (PersonKey::Position(place), face)))
}

#[cfg(test)]
pub(super) mod tests;
