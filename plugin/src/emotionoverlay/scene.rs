//! From the faces of a frame to an overlay composition, drawing only what was not drawn before.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use gst_video::{
    VideoFrameRef, VideoOverlayComposition, VideoOverlayFormatFlags, VideoOverlayRectangle,
};

use super::blend::{Blender, Drawn};
use super::draw::{Bar, Drawing, Painter, Panel, Sprite};
use super::layout::{self, Rect, Scale, Size, Subject};
use super::palette::{self, Colour};
use super::{Bars, Settings};
use crate::face::{EmotionResult, Face};

/// Pictures that no longer appear are kept up to this many bytes: labels come back, at another place or on another face.
const CACHE_BYTES: usize = 16 << 20;

/// cairo's ARGB32 is one native-endian word.
#[cfg(target_endian = "little")]
const FORMAT: gst_video::VideoFormat = gst_video::VideoFormat::Bgra;
#[cfg(target_endian = "big")]
const FORMAT: gst_video::VideoFormat = gst_video::VideoFormat::Argb;

/// What was drawn so far and what stands in the picture now.
#[derive(Default)]
pub(super) struct Scene {
    font: String,
    cache: HashMap<Sprite, Picture>,
    cached_bytes: usize,
    shown: Vec<(Sprite, Rect)>,
    /// The shown sprites as an overlay, once it was asked for.
    composition: Option<VideoOverlayComposition>,
    lacks_font: bool,
}

/// A drawn sprite.
struct Picture {
    size: Size,
    stride: i32,
    pixels: gst::Buffer,
}

/// Why a scene could not be drawn.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("cairo: {0}")]
    Cairo(#[from] cairo::Error),
    #[error("{0}")]
    Glib(#[from] gst::glib::BoolError),
}

/// What is to be seen of one face.
struct Figure<'a> {
    area: Rect,
    scale: Scale,
    colour: Colour,
    emotion: Option<&'a EmotionResult>,
}

impl Scene {
    /// Draws what of `faces` was not drawn before.
    pub(super) fn update(
        &mut self,
        faces: &[Face],
        frame: Size,
        settings: &Settings,
    ) -> Result<(), Error> {
        if self.font != settings.font {
            *self = Self {
                font: settings.font.clone(),
                ..Self::default()
            };
        }
        let figures: Vec<Figure<'_>> = faces
            .iter()
            .filter_map(|face| Figure::of(face, frame))
            .collect();
        let shown = self.arrange(&figures, frame, settings)?;
        if shown != self.shown {
            for (sprite, _) in &shown {
                self.picture(sprite)?;
            }
            self.shown = shown;
            self.composition = None;
        }
        self.forget_unused();
        Ok(())
    }

    /// Whether nothing is to be seen.
    pub(super) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Whether text had to be left out because the machine has no font for it.
    pub(super) fn lacks_font(&self) -> bool {
        self.lacks_font
    }

    /// The scene as an overlay; the same one as long as nothing changes, so that a sink need not upload it again.
    pub(super) fn composition(&mut self) -> Result<&VideoOverlayComposition, Error> {
        let composition = match self.composition.take() {
            Some(composition) => composition,
            None => {
                let rectangles = self
                    .pictures()
                    .map(|(picture, place)| picture.rectangle(place));
                VideoOverlayComposition::new(&rectangles.collect::<Vec<_>>())?
            }
        };
        Ok(self.composition.insert(composition))
    }

    /// Blends the scene into a frame.
    pub(super) fn blend(
        &self,
        blender: &Blender,
        frame: &mut VideoFrameRef<&mut gst::BufferRef>,
    ) -> Result<(), Error> {
        for (picture, place) in self.pictures() {
            let pixels = picture.pixels.map_readable()?;
            let stride = picture.stride.unsigned_abs() as usize;
            blender.blend(
                frame,
                Drawn {
                    pixels: &pixels,
                    stride,
                    place,
                },
            )?;
        }
        Ok(())
    }

    fn pictures(&self) -> impl Iterator<Item = (&Picture, Rect)> {
        self.shown
            .iter()
            .map(|(sprite, place)| (&self.cache[sprite], *place))
    }

    /// What is shown where, in the order of drawing: boxes lie under bars, and these under labels.
    fn arrange(
        &mut self,
        figures: &[Figure<'_>],
        frame: Size,
        settings: &Settings,
    ) -> Result<Vec<(Sprite, Rect)>, Error> {
        let labels: Vec<Option<Sprite>> = figures
            .iter()
            .map(|figure| figure.label(settings))
            .collect();
        let bars = bars_of(figures, settings.bars);

        let mut subjects = Vec::with_capacity(figures.len());
        for ((figure, label), bars) in figures.iter().zip(&labels).zip(&bars) {
            subjects.push(Subject {
                face: figure.area,
                gap: figure.scale.gap,
                label: label
                    .as_ref()
                    .map(|label| self.picture(label))
                    .transpose()?
                    .map(|p| p.size),
                bars: bars.as_ref().map(Panel::size),
            });
        }
        let placements = layout::arrange(frame, &subjects);

        let mut shown = Vec::new();
        if settings.boxes {
            shown.extend(figures.iter().flat_map(Figure::box_parts));
        }
        let bars = bars.into_iter().map(|panel| panel.map(Sprite::Panel));
        let bars = bars.zip(placements.iter().map(|p| p.bars));
        let labels = labels.into_iter().zip(placements.iter().map(|p| p.label));
        shown.extend(
            bars.chain(labels)
                .filter_map(|(sprite, place)| sprite.zip(place)),
        );
        Ok(shown)
    }

    fn picture(&mut self, sprite: &Sprite) -> Result<&Picture, Error> {
        if !self.cache.contains_key(sprite) {
            let painter = Painter::new(&self.font);
            let picture = Picture::new(painter.paint(sprite)?)?;
            self.lacks_font |= painter.lacks_font();
            self.cached_bytes += picture.pixels.size();
            self.cache.insert(sprite.clone(), picture);
        }
        Ok(&self.cache[sprite])
    }

    fn forget_unused(&mut self) {
        if self.cached_bytes > CACHE_BYTES {
            let used: HashSet<&Sprite> = self.shown.iter().map(|(sprite, _)| sprite).collect();
            self.cache.retain(|sprite, _| used.contains(sprite));
            self.cached_bytes = self.cache.values().map(|p| p.pixels.size()).sum();
        }
    }
}

impl Picture {
    fn new(drawing: Drawing) -> Result<Self, Error> {
        let Drawing {
            size,
            stride,
            pixels,
        } = drawing;
        let mut pixels = gst::Buffer::from_slice(pixels);
        gst_video::VideoMeta::add_full(
            pixels.make_mut(),
            gst_video::VideoFrameFlags::empty(),
            FORMAT,
            size.width.unsigned_abs(),
            size.height.unsigned_abs(),
            &[0],
            &[stride],
        )?;
        Ok(Self {
            size,
            stride,
            pixels,
        })
    }

    fn rectangle(&self, place: Rect) -> VideoOverlayRectangle {
        VideoOverlayRectangle::new_raw(
            &self.pixels,
            place.x,
            place.y,
            self.size.width.unsigned_abs(),
            self.size.height.unsigned_abs(),
            VideoOverlayFormatFlags::PREMULTIPLIED_ALPHA,
        )
    }
}

impl<'a> Figure<'a> {
    fn of(face: &'a Face, frame: Size) -> Option<Self> {
        let area = layout::visible(face.x, face.y, face.width, face.height, frame)?;
        let emotion = face.emotion.as_ref();
        Some(Self {
            area,
            scale: Scale::new(frame, area),
            colour: emotion.map_or(palette::UNCLASSIFIED, |e| {
                palette::colour(&e.label, e.label_id)
            }),
            emotion,
        })
    }

    fn box_parts(&self) -> impl Iterator<Item = (Sprite, Rect)> {
        let Self {
            area,
            scale,
            colour,
            ..
        } = *self;
        layout::box_parts(area.size(), &scale)
            .into_iter()
            .map(move |part| {
                let sprite = Sprite::BoxPart {
                    size: area.size(),
                    part,
                    scale,
                    colour,
                };
                (
                    sprite,
                    Rect {
                        x: area.x + part.x,
                        y: area.y + part.y,
                        ..part
                    },
                )
            })
    }

    fn label(&self, settings: &Settings) -> Option<Sprite> {
        let emotion = self.emotion.filter(|_| settings.labels)?;
        Some(Sprite::Label {
            text: emotion.label.clone(),
            percent: settings.confidence.then(|| percent(emotion.confidence)),
            em: self.scale.label_em,
            colour: self.colour,
        })
    }

    fn bars(&self) -> Option<Panel> {
        let emotion = self.emotion?;
        let em = self.scale.bars_em;
        let length = f64::from(layout::bars_length(em));
        let rows: Vec<Bar> = emotion
            .labels
            .iter()
            .zip(&emotion.probabilities)
            .enumerate()
            .map(|(id, (name, probability))| Bar {
                name: name.clone(),
                filled: (probability.clamp(0.0, 1.0) * length).round() as i32,
                colour: palette::colour(name, id),
            })
            .collect();
        (!rows.is_empty()).then_some(Panel {
            rows,
            best: emotion.label_id,
            em,
        })
    }
}

/// The bars of the figures that are to have some.
fn bars_of(figures: &[Figure<'_>], which: Bars) -> Vec<Option<Panel>> {
    let mut bars: Vec<Option<Panel>> = match which {
        Bars::None => vec![None; figures.len()],
        Bars::Largest | Bars::All => figures.iter().map(Figure::bars).collect(),
    };
    if which == Bars::Largest {
        let largest = (0..figures.len())
            .filter(|&i| bars[i].is_some())
            .min_by_key(|&i| Reverse(figures[i].area.area()));
        for (i, bars) in bars.iter_mut().enumerate() {
            bars.take_if(|_| Some(i) != largest);
        }
    }
    bars
}

fn percent(confidence: f64) -> u8 {
    // The cast saturates and turns NaN into 0.
    (confidence.min(1.0) * 100.0).round() as u8
}
