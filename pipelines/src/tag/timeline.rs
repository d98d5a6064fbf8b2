//! The timeline of a file: which faces it shows when, and with which emotions.
//!
//! It is built record by record and has a span for each stretch of one emotion, not a value for each frame, so hours of
//! video fit into memory.

use std::collections::BTreeMap;

use gstemotion::face::UNCERTAIN;
use gstemotion::record::{FaceRecord, Record};

/// A gap in the detection of a face that does not end its span, in seconds.
const LONGEST_GAP_S: f64 = 0.5;
/// The shortest span that counts as a peak, in seconds.
const SHORTEST_PEAK_S: f64 = 0.3;
/// The label of a face that is not classified.
pub const UNCLASSIFIED: &str = "unclassified";
const NEUTRAL: &str = "neutral";

/// Identifies a person within a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PersonKey {
    /// The track with this id.
    Track(i32),
    /// The position of the face from the left, from 0, if faces are not tracked.
    Position(usize),
}

impl PersonKey {
    /// The track, or the position from the left, from 1: `id` and `place` in results.
    pub fn id_and_place(self) -> (Option<i32>, Option<usize>) {
        match self {
            Self::Track(id) => (Some(id), None),
            Self::Position(index) => (None, Some(index + 1)),
        }
    }
}

impl std::fmt::Display for PersonKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Track(id) => write!(f, "face {id}"),
            Self::Position(index) => write!(f, "face {} from the left", index + 1),
        }
    }
}

/// A stretch of time in which a face shows one emotion.
#[derive(Debug, Clone, PartialEq)]
pub struct EmotionSpan {
    /// Its start in seconds.
    pub start: f64,
    /// Its end in seconds: the time of the next frame.
    pub end: f64,
    /// The name of the emotion, `uncertain`, or [`UNCLASSIFIED`].
    pub label: String,
    /// The time of the highest confidence, in seconds.
    pub peak: f64,
    /// The highest confidence, 0 to 1.
    pub confidence: f64,
}

/// The timeline of one person, which is one track: somebody who returns after a while may get a new one.
#[derive(Debug, Clone, Default)]
pub struct PersonTimeline {
    /// Number of frames with the face.
    pub frames: u64,
    /// Its spans in order of time.
    pub spans: Vec<EmotionSpan>,
    /// The number of frames by label.
    pub labels: BTreeMap<String, u64>,
    /// Sums of the probabilities over `classified` frames, in the order of the classifier.
    probabilities: Vec<(String, f64)>,
    classified: u64,
    /// Sum of the valence over `with_valence` frames.
    valence: f64,
    with_valence: u64,
    /// Sum of the quality over `with_quality` frames.
    quality: f64,
    with_quality: u64,
    /// The number of the last frame with this face, from 1.
    last_frame: u64,
    last_time: f64,
}

impl PersonTimeline {
    /// The times at which the face first and last appears, in seconds.
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

    /// The mean valence, -1 to 1, if the classifier reports it.
    pub fn mean_valence(&self) -> Option<f64> {
        (self.with_valence > 0).then(|| self.valence / self.with_valence as f64)
    }

    /// The mean quality, 0 to 1, of the frames on which the face is classified.
    pub fn mean_quality(&self) -> Option<f64> {
        (self.with_quality > 0).then(|| self.quality / self.with_quality as f64)
    }

    /// The `most` spans with the highest confidence that are neither neutral nor uncertain, in order of time.
    pub fn peaks(&self, most: usize) -> Vec<&EmotionSpan> {
        let is_peak = |span: &&EmotionSpan| {
            ![NEUTRAL, UNCERTAIN, UNCLASSIFIED].contains(&span.label.as_str())
                && span.end - span.start >= SHORTEST_PEAK_S
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
        if let Some(quality) = face.quality {
            self.quality += quality;
            self.with_quality += 1;
        }

        let stayed = self.last_frame + 1 == frame || time - self.last_time <= LONGEST_GAP_S;
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

    /// Extends the last span to `time`.
    fn extend(&mut self, time: f64) {
        if let Some(span) = self.spans.last_mut() {
            span.end = span.end.max(time);
        }
    }
}

/// The timeline of a file.
#[derive(Debug, Clone, Default)]
pub struct EmotionTimeline {
    /// Everybody who appears in the file.
    pub persons: BTreeMap<PersonKey, PersonTimeline>,
    /// Number of analysed frames.
    pub frames: u64,
    /// Number of frames with a face.
    pub frames_with_faces: u64,
    /// Number of faces in all frames.
    pub faces: u64,
    /// The highest number of faces in one frame.
    pub most_faces: usize,
    /// Width and height of the first frame, in pixels.
    pub size: Option<(u32, u32)>,
    /// Time and duration of the last frame, in seconds.
    last: Option<(f64, f64)>,
}

impl EmotionTimeline {
    /// Adds a frame; `duration` is its duration in seconds, if it is known.
    pub fn add(&mut self, record: &Record, duration: Option<f64>) {
        let (before, last_duration) = self.last.unwrap_or((0.0, 0.0));
        let time = record.stream_time.unwrap_or(before);
        // The last frame lasts until this one.
        for person in self.persons.values_mut() {
            if person.last_frame == self.frames && self.frames > 0 {
                person.extend(time);
            }
        }
        let usual = match time > before {
            true => time - before,
            false => last_duration,
        };
        self.last = Some((time, duration.unwrap_or(usual)));
        self.size = self.size.or(Some((record.width, record.height)));
        self.frames += 1;
        self.frames_with_faces += u64::from(!record.faces.is_empty());
        self.faces += record.faces.len() as u64;
        self.most_faces = self.most_faces.max(record.faces.len());
        for (key, face) in keyed(record) {
            self.persons
                .entry(key)
                .or_default()
                .add(self.frames, time, face);
        }
    }

    /// Ends the file: the spans of the last frame last until it ends.
    pub fn finish(&mut self) {
        let end = self.end();
        for person in self.persons.values_mut() {
            if person.last_frame == self.frames {
                person.extend(end);
            }
        }
    }

    /// The end of the last frame, in seconds.
    pub fn end(&self) -> f64 {
        self.last.map_or(0.0, |(time, duration)| time + duration)
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

/// The faces of a record with the person of each.
pub fn keyed(record: &Record) -> impl Iterator<Item = (PersonKey, &FaceRecord)> {
    let mut untracked: Vec<_> = record.faces.iter().filter(|f| f.id.is_none()).collect();
    untracked.sort_by_key(|face| face.pixels.x);
    let tracked = record
        .faces
        .iter()
        .filter_map(|face| Some((PersonKey::Track(face.id?), face)));
    let untracked = untracked.into_iter().enumerate();
    tracked.chain(untracked.map(|(index, face)| (PersonKey::Position(index), face)))
}

#[cfg(test)]
pub(super) mod tests;
