//! What is to be seen of one face.

use std::cmp::Reverse;

use super::Style;
use super::dimensions::{self, PanelScale, Scale};
use super::draw::{Bar, Label, Sprite};
use super::geometry::{self, Rect, Size};
use super::label_names::Names;
use super::layout::Rank;
use super::memory::{Place, Track};
use super::palette::{self, Colour};
use super::settings::Settings;
use crate::face::{EmotionResult, Face};

/// A face of a frame.
pub(super) struct Figure<'a> {
    pub(super) area: Rect,
    pub(super) scale: Scale,
    pub(super) colour: Colour,
    pub(super) object_id: Option<i32>,
    pub(super) emotion: Option<&'a EmotionResult>,
}

impl<'a> Figure<'a> {
    /// None for a face that lies outside the frame.
    pub(super) fn of(face: &'a Face, frame: Size, style: Style) -> Option<Self> {
        let area = geometry::visible(face.x, face.y, face.width, face.height, frame)?;
        let emotion = face.emotion.as_ref();
        Some(Self {
            area,
            scale: Scale::new(frame, area.size(), style),
            colour: emotion.map_or(palette::UNCLASSIFIED, colour),
            object_id: face.object_id,
            emotion,
        })
    }

    /// What tells it from other faces.
    pub(super) fn place(&self) -> Place {
        (self.object_id, self.area.region())
    }

    pub(super) fn rank(&self, track: &Track) -> Rank {
        Rank {
            is_new: track.is_new,
            area: Reverse(self.area.area()),
        }
    }

    pub(super) fn box_parts(&self, style: Style) -> impl Iterator<Item = (Sprite, Rect)> {
        let Self { area, scale, .. } = *self;
        let colour = style.theme().box_colour.unwrap_or(self.colour);
        let line = scale.line;
        let parts = dimensions::box_parts(area.size(), &line).into_iter();
        parts.map(move |(part, place)| {
            let sprite = Sprite::BoxPart {
                part,
                size: place.size(),
                line,
                colour,
            };
            (sprite, place.moved(area.x, area.y))
        })
    }

    pub(super) fn label(&self, settings: &Settings, names: &Names) -> Option<Sprite> {
        let id = self.object_id.filter(|_| settings.ids);
        let emotion = self.emotion.filter(|_| settings.labels);
        if id.is_none() && emotion.is_none() {
            return None;
        }
        let digits = |emotion: &EmotionResult| if percent(emotion) < 100 { 2 } else { 3 };
        Some(Sprite::Label(Label {
            id,
            name: emotion.map(|emotion| names.of(&emotion.label).to_owned()),
            digits: emotion.filter(|_| settings.confidence).map(digits),
            em: self.scale.label_em,
            colour: self.colour,
        }))
    }

    /// The percentage for the room on the label.
    pub(super) fn percent(&self, size: Size) -> Option<Sprite> {
        Some(Sprite::Percent {
            percent: percent(self.emotion?),
            size,
            em: self.scale.label_em,
        })
    }

    /// The bars of all probabilities, if they are known.
    pub(super) fn bars(&self, scale: PanelScale, mirrored: bool) -> Option<Sprite> {
        let emotion = self.emotion?;
        let length = f64::from(scale.length());
        let rows = emotion.labels.iter().zip(&emotion.probabilities);
        let bars = rows.enumerate().map(|(id, (label, probability))| Bar {
            // NaN becomes an empty bar.
            filled: (probability.clamp(0.0, 1.0) * length).round() as i32,
            colour: palette::colour(label, id),
        });
        Some(Sprite::Bars {
            bars: bars.collect(),
            scale,
            mirrored,
        })
    }
}

/// The colour of an emotion; one that is not sure has none.
pub(super) fn colour(emotion: &EmotionResult) -> Colour {
    if emotion.is_uncertain() {
        palette::UNCLASSIFIED
    } else {
        palette::colour(&emotion.label, emotion.label_id)
    }
}

fn percent(emotion: &EmotionResult) -> u8 {
    // The cast saturates and turns NaN into 0.
    (emotion.confidence.min(1.0) * 100.0).round() as u8
}
