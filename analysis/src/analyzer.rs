//! From the faces of a frame to what is said of them. Of GStreamer's world it knows only the settings.

use std::time::Duration;

use emotion_analysis::labels::{Labels, Renaming};
use emotion_analysis::smoothing::{How, Method, Steady};
use emotion_analysis::tracks::{Look, Place, Track, Tracks};
use emotion_models::Emotion;
use emotion_models::inference::Error;
use emotion_models::preprocess::{GreyRows, Region};
use emotion_models::weights::Metadata;

use super::batch::{BatchClassifier, Crop};
use super::notify::Change;
use super::settings::Settings;
use crate::face::{self, EmotionResult, Face, RawEmotion};

/// How far above the threshold a smoothed label that was uncertain is named again, so that it does not come and go.
const NAMED_AGAIN: f64 = 0.05;

/// The network with the histories of the faces that it has seen.
pub(super) struct Judge {
    classifier: BatchClassifier,
    renaming: Renaming,
    labels: Labels,
    tracks: Tracks,
}

/// What is said of the faces of a frame.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// By the ids of their regions.
    pub(super) emotions: Vec<(i32, EmotionResult)>,
    /// For each of them, the id of the face in the stream.
    pub(super) ids: Vec<i32>,
    pub(super) changes: Vec<Change>,
    /// Faces that the network was asked about.
    pub(super) classified: usize,
}

impl Judge {
    pub(super) fn new(classifier: BatchClassifier) -> Self {
        let renaming = Renaming::default();
        Self {
            labels: Labels::new(&classifier.metadata().labels, &renaming),
            classifier,
            renaming,
            tracks: Tracks::default(),
        }
    }

    /// What the weights say of themselves.
    pub(super) fn metadata(&self) -> &Metadata {
        self.classifier.metadata()
    }

    /// The instructions and the precision that the network runs with.
    pub(super) fn arithmetic(&self) -> String {
        self.classifier.arithmetic()
    }

    /// Puts another network in the place of this one.
    pub(super) fn change_model(&mut self, classifier: BatchClassifier) {
        let same_labels = classifier.metadata().labels == self.metadata().labels;
        self.tracks.change_model(same_labels);
        self.classifier = classifier;
        self.labels = Labels::new(&self.metadata().labels, &self.renaming);
    }

    /// Shows the labels under other names from now on. Returns those that the network does not have.
    pub(super) fn rename(&mut self, renaming: &Renaming) -> Vec<String> {
        if self.renaming == *renaming {
            return Vec::new();
        }
        self.renaming = renaming.clone();
        self.labels = Labels::new(&self.metadata().labels, renaming);
        self.tracks.change_labels();
        let unknown = renaming.unknown(&self.metadata().labels);
        unknown.map(str::to_owned).collect()
    }

    /// Forgets all faces.
    pub(super) fn forget(&mut self) {
        self.tracks = Tracks::default();
    }

    /// Takes the crops of `faces` out of `image`.
    pub(super) fn crop(
        &mut self,
        image: &impl GreyRows,
        faces: &[Face],
        settings: &Settings,
    ) -> Vec<Crop> {
        let Settings { margin, light, .. } = *settings;
        self.classifier.crop(image, faces, margin, light.into())
    }

    /// Says what the faces with `crops` show. Without a `time`, the frame stands for itself.
    pub(super) fn judge(
        &mut self,
        faces: &[Face],
        crops: &[Crop],
        time: Option<Duration>,
        settings: &Settings,
    ) -> Result<Judgement, Error> {
        let mut strangers = Tracks::default();
        let tracks = match time {
            Some(_) => &mut self.tracks,
            None => &mut strangers,
        };
        let now = time.unwrap_or_default();
        let places: Vec<Place> = crops.iter().map(|crop| place(&faces[crop.face])).collect();
        let assigned = tracks.assign(now, &places);
        let due: Vec<usize> = (0..crops.len())
            .filter(|&i| {
                let track = tracks.track(assigned[i]);
                track.is_due(settings.interval, now, self.classifier.values(i))
            })
            .collect();
        let answers = self.classifier.classify(&due, settings.mirror)?;
        let mut answers = due.iter().copied().zip(answers).peekable();

        let voice = Voice {
            metadata: self.classifier.metadata(),
            labels: &self.labels,
            settings,
        };
        let mut judgement = Judgement {
            classified: due.len(),
            ..Judgement::default()
        };
        for (i, crop) in crops.iter().enumerate() {
            let track = tracks.track(assigned[i]);
            let old = track.shown().map(str::to_owned);
            let quality = f64::from(crop.quality.overall());
            if let Some((_, probabilities)) = answers.next_if(|(answered, _)| *answered == i) {
                let emotion = voice.emotion(track, probabilities, quality, time);
                let crop = self.classifier.values(i);
                look(track, now, crop, emotion);
            } else if let Some(look) = &mut track.last {
                look.frames += 1;
                look.emotion.raw = None;
                look.emotion.quality = Some(quality);
            }
            let Some(Look { emotion, .. }) = &track.last else {
                continue;
            };
            let id = track.id();
            if old.as_ref() != Some(&emotion.label) {
                judgement.changes.push(Change {
                    id,
                    old,
                    new: emotion.label.clone(),
                    confidence: emotion.confidence,
                });
            }
            let region = faces[crop.face].roi_id;
            judgement.emotions.push((region, emotion.clone()));
            judgement.ids.push(id);
        }
        Ok(judgement)
    }
}

fn place(face: &Face) -> Place {
    let region = Region {
        x: face.x as f32,
        y: face.y as f32,
        width: face.width as f32,
        height: face.height as f32,
    };
    (face.object_id, region)
}

/// Keeps what was found, in the buffer of the look before.
fn look(track: &mut Track, time: Duration, values: &[f32], emotion: EmotionResult) {
    let mut crop = track.last.take().map(|look| look.crop).unwrap_or_default();
    crop.clear();
    crop.extend_from_slice(values);
    track.last = Some(Look {
        time,
        frames: 0,
        crop,
        emotion,
    });
}

/// How answers of a network are put.
struct Voice<'a> {
    metadata: &'a Metadata,
    labels: &'a Labels,
    settings: &'a Settings,
}

impl Voice<'_> {
    /// What is said of a face whose crop has given `probabilities`.
    fn emotion(
        &self,
        track: &mut Track,
        probabilities: Vec<f64>,
        quality: f64,
        time: Option<Duration>,
    ) -> EmotionResult {
        let Self {
            metadata,
            labels,
            settings,
        } = self;
        let names = labels.names();
        let alone = Steady::of_one(probabilities, labels);
        let raw = RawEmotion {
            label: names[alone.label_id].clone(),
            confidence: labels.group(&alone.probabilities)[alone.label_id],
        };
        let probabilities = match time {
            Some(time) if settings.personalise => {
                let neutral = Emotion::Neutral.name();
                let neutral = metadata.labels.iter().position(|label| label == neutral);
                let baseline = &mut track.baseline;
                baseline.adjust(time, &alone.probabilities, quality, neutral)
            }
            _ => alone.probabilities,
        };
        let was_uncertain = track.shown() == Some(face::UNCERTAIN);
        let mut threshold = settings.threshold;
        let steady = match time {
            Some(time) if Method::from(settings.smoothing) != Method::None => {
                if was_uncertain {
                    threshold += NAMED_AGAIN.min((1.0 - threshold) / 2.0);
                }
                let how = How {
                    method: settings.smoothing.into(),
                    window: settings.window(),
                    labels,
                };
                track.smoother.add(time, &probabilities, quality, how)
            }
            _ => Steady::of_one(probabilities, labels),
        };

        let by_label = metadata.labels.iter().map(String::as_str);
        let valence = Emotion::mean_valence(by_label.zip(steady.probabilities.iter().copied()));
        let probabilities = labels.group(&steady.probabilities);
        let label_id = steady.label_id;
        let confidence = probabilities[label_id];
        let label = if confidence < threshold {
            face::UNCERTAIN.into()
        } else {
            names[label_id].clone()
        };
        EmotionResult {
            label,
            label_id,
            confidence,
            model_name: metadata.name.clone(),
            labels: names.to_vec(),
            probabilities,
            valence,
            quality: Some(quality),
            raw: Some(raw),
        }
    }
}
