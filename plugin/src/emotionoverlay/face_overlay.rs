//! What to draw for one face.

use emotion_models::preprocess::{Landmarks, Region};

use super::dimensions::{self, FaceDimensions, PanelDimensions};
use super::draw::{Bar, LabelSpec, PanelSpec, SpriteSpec, is_right_to_left};
use super::geometry::{self, Rect, Size};
use super::label_names::LabelNames;
use super::palette::{self, Colour};
use super::settings::{Settings, Style};
use crate::face::{EmotionResult, Face};

/// A face of a frame.
pub(super) struct FaceOverlay<'a> {
    /// The visible part of the face.
    pub(super) area: Rect,
    pub(super) dimensions: FaceDimensions,
    /// The colour of the emotion.
    pub(super) colour: Colour,
    pub(super) object_id: Option<i32>,
    pub(super) emotion: Option<&'a EmotionResult>,
    /// Its landmarks in pixels of the frame.
    landmarks: Option<Landmarks>,
    frame: Size,
}

impl<'a> FaceOverlay<'a> {
    /// `None` for a face outside the frame.
    pub(super) fn new(face: &'a Face, frame: Size, style: Style) -> Option<Self> {
        let area = geometry::visible(face.x, face.y, face.width, face.height, frame)?;
        let emotion = face.emotion.as_ref();
        Some(Self {
            area,
            dimensions: FaceDimensions::new(frame, area.size(), style),
            colour: emotion.map_or(palette::UNCLASSIFIED, |emotion| {
                palette::colour(&emotion.label, emotion.label_id)
            }),
            object_id: face.object_id,
            emotion,
            landmarks: face.landmarks.map(|landmarks| {
                let (width, height) = (frame.width as f32, frame.height as f32);
                landmarks.to_pixels(&Region::new(0.0, 0.0, width, height))
            }),
            frame,
        })
    }

    fn is_uncertain(&self) -> bool {
        self.emotion.is_some_and(EmotionResult::is_uncertain)
    }

    /// The pieces of the box and their places.
    pub(super) fn box_parts(&self, style: Style) -> impl Iterator<Item = (SpriteSpec, Rect)> {
        let Self { area, .. } = *self;
        // An uncertain face is grey in every style.
        let of_style = style.theme().box_colour.filter(|_| !self.is_uncertain());
        let colour = of_style.unwrap_or(self.colour);
        let line = self.dimensions.line;
        let parts = dimensions::box_parts(area.size(), &line).into_iter();
        parts.map(move |(part, place)| {
            let spec = SpriteSpec::BoxPart {
                part,
                size: place.size(),
                line,
                colour,
            };
            (spec, place.moved(area.x, area.y))
        })
    }

    /// A dot on each landmark.
    pub(super) fn landmark_dots(&self) -> impl Iterator<Item = (SpriteSpec, Rect)> {
        let side = self.dimensions.dot;
        let size = Size {
            width: side,
            height: side,
        };
        let place = move |middle: f32, frame: i32| {
            let start = (middle - side as f32 / 2.0).round() as i32;
            start.clamp(0, (frame - side).max(0))
        };
        let points = self.landmarks.map(|landmarks| landmarks.0);
        points.into_iter().flatten().map(move |[x, y]| {
            let (x, y) = (place(x, self.frame.width), place(y, self.frame.height));
            let colour = self.colour;
            (SpriteSpec::Dot { side, colour }, Rect::at(x, y, size))
        })
    }

    /// The label, if the settings leave anything on it.
    pub(super) fn label(&self, settings: &Settings, names: &LabelNames) -> Option<SpriteSpec> {
        let id = self.object_id.filter(|_| settings.ids);
        let emotion = self.emotion.filter(|_| settings.labels);
        if id.is_none() && emotion.is_none() {
            return None;
        }
        let digits = |emotion: &EmotionResult| if percent(emotion) < 100 { 2 } else { 3 };
        Some(SpriteSpec::Label(LabelSpec {
            id,
            name: emotion.map(|emotion| names.name(&emotion.label).to_owned()),
            // The probability of a guess that is not shown would read as how uncertain it is.
            digits: emotion
                .filter(|_| settings.confidence && !self.is_uncertain())
                .map(digits),
            em: self.dimensions.label_em,
            colour: self.colour,
        }))
    }

    /// The percentage for the room on the label.
    pub(super) fn percent(&self, size: Size) -> Option<SpriteSpec> {
        Some(SpriteSpec::Percent {
            percent: percent(self.emotion?),
            size,
            em: self.dimensions.label_em,
        })
    }

    /// Whether the probabilities of all emotions are known.
    pub(super) fn has_probabilities(&self) -> bool {
        self.emotion
            .is_some_and(|emotion| !emotion.probabilities.is_empty() && !emotion.labels.is_empty())
    }

    /// The panel below the bars, for the names of all labels, which are at most `widest` pixels wide.
    pub(super) fn panel(&self, names: &[String], widest: i32) -> Option<PanelSpec> {
        let emotion = self.emotion?;
        let em = self.dimensions.bars_em;
        let rows = names.len().min(emotion.probabilities.len());
        Some(PanelSpec {
            mirrored: names.iter().any(|name| is_right_to_left(name)),
            best: Some(emotion.label_id).filter(|_| !emotion.is_uncertain()),
            // A custom name may be a whole sentence.
            dimensions: PanelDimensions::new(em, widest.min(em * 9), rows),
            names: names[..rows].into(),
        })
    }

    /// The bars on a panel.
    pub(super) fn bars(&self, panel: &PanelSpec) -> Option<SpriteSpec> {
        let emotion = self.emotion?;
        let length = f64::from(panel.dimensions.bar_length());
        let rows = emotion.labels.iter().zip(&emotion.probabilities);
        let bars = rows.enumerate().map(|(id, (label, probability))| Bar {
            // NaN becomes an empty bar.
            filled: (probability.clamp(0.0, 1.0) * length).round() as i32,
            colour: palette::colour(label, id),
        });
        Some(SpriteSpec::Bars {
            bars: bars.collect(),
            dimensions: panel.dimensions,
            mirrored: panel.mirrored,
        })
    }
}

fn percent(emotion: &EmotionResult) -> u8 {
    // The cast saturates and turns NaN into 0.
    (emotion.confidence.min(1.0) * 100.0).round() as u8
}
