//! From the faces of a frame to an overlay composition, drawing only what was not drawn before.

use std::collections::{HashMap, HashSet};

use gst::ClockTime;
use gst_video::{
    VideoFrameRef, VideoOverlayComposition, VideoOverlayFormatFlags, VideoOverlayRectangle,
};

use super::blend::{Blender, Drawn};
use super::dimensions::{self, PanelScale};
use super::draw::{self, Drawing, Painter, Panel, Share, Sprite, Summary};
use super::face_overlay::{self, Figure};
use super::geometry::{Rect, Size};
use super::label_names::{Language, Names};
use super::layout::{self, Placement, Subject};
use super::memory::Memory;
use super::settings::{Bars, Settings, Style};
use crate::face::Face;

/// Pictures that no longer appear are kept up to this many bytes: labels come back, at another place or on another face.
const CACHE_BYTES: usize = 16 << 20;

/// cairo's ARGB32 is one native-endian word.
#[cfg(target_endian = "little")]
const FORMAT: gst_video::VideoFormat = gst_video::VideoFormat::Bgra;
#[cfg(target_endian = "big")]
const FORMAT: gst_video::VideoFormat = gst_video::VideoFormat::Argb;

/// What was drawn so far and what stands in the picture now.
pub(super) struct Scene {
    look: Look,
    names: Names,
    cache: HashMap<Sprite, Picture>,
    cached_bytes: usize,
    /// Widths of names by their letters' height.
    widths: HashMap<(String, i32), i32>,
    memory: Memory,
    summary_is_above: bool,
    shown: Vec<(Sprite, Rect)>,
    /// The shown sprites as an overlay, once it was asked for.
    composition: Option<VideoOverlayComposition>,
    lacks_font: bool,
}

/// The settings with which everything has to be drawn anew.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look {
    style: Style,
    font: String,
    language: Language,
    label_names: String,
}

/// A drawn sprite.
struct Picture {
    size: Size,
    stride: i32,
    pixels: gst::Buffer,
    slot: Option<Rect>,
}

/// Why a scene could not be drawn.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("cairo: {0}")]
    Cairo(#[from] cairo::Error),
    #[error("{0}")]
    Glib(#[from] gst::glib::BoolError),
}

/// What stands beside a face, before it has a place.
#[derive(Default)]
struct Things {
    label: Option<Sprite>,
    history: Option<Sprite>,
    panel: Option<Panel>,
}

impl Default for Scene {
    fn default() -> Self {
        Self::new(Look::of(&Settings::default()), Memory::default())
    }
}

impl Look {
    fn of(settings: &Settings) -> Self {
        Self {
            style: settings.style,
            font: settings.font.clone(),
            language: settings.language,
            label_names: settings.label_names.clone(),
        }
    }
}

impl Scene {
    fn new(look: Look, memory: Memory) -> Self {
        Self {
            names: Names::new(look.language, &look.label_names),
            look,
            cache: HashMap::new(),
            cached_bytes: 0,
            widths: HashMap::new(),
            memory,
            summary_is_above: false,
            shown: Vec::new(),
            composition: None,
            lacks_font: false,
        }
    }

    /// Draws what of the `faces` at `now` was not drawn before.
    pub(super) fn update(
        &mut self,
        faces: &[Face],
        frame: Size,
        now: ClockTime,
        settings: &Settings,
    ) -> Result<(), Error> {
        let look = Look::of(settings);
        if self.look != look {
            *self = Self::new(look, std::mem::take(&mut self.memory));
        }
        let figures: Vec<Figure<'_>> = faces
            .iter()
            .filter_map(|face| Figure::of(face, frame, settings.style))
            .collect();
        let shown = self.arrange(&figures, frame, now, settings)?;
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

    /// Forgets the faces and their histories, as after a jump in the stream.
    pub(super) fn forget_faces(&mut self) {
        self.memory = Memory::default();
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

    /// What is shown where, in the order of drawing: boxes lie under everything else.
    fn arrange(
        &mut self,
        figures: &[Figure<'_>],
        frame: Size,
        now: ClockTime,
        settings: &Settings,
    ) -> Result<Vec<(Sprite, Rect)>, Error> {
        let places: Vec<_> = figures.iter().map(Figure::place).collect();
        let tracks = self.memory.recall(now, &places);
        for (figure, &track) in figures.iter().zip(&tracks) {
            if let Some(emotion) = figure.emotion {
                self.memory
                    .track_mut(track)
                    .add(now, face_overlay::colour(emotion));
            }
        }
        let barred = self.faces_with_bars(figures, &tracks, settings.bars);

        let summary = self.summary(figures, frame, settings)?;
        let mut all_things = Vec::with_capacity(figures.len());
        let mut subjects = Vec::with_capacity(figures.len());
        for (i, figure) in figures.iter().enumerate() {
            let track = self.memory.track(tracks[i]);
            let (rank, last) = (figure.rank(track), track.spots);
            let history =
                (settings.timeline && figure.emotion.is_some()).then(|| Sprite::History {
                    cells: track.history(),
                    em: figure.scale.bars_em,
                });
            let things = Things {
                label: figure.label(settings, &self.names),
                history,
                panel: if barred[i] { self.panel(figure) } else { None },
            };
            let label = match &things.label {
                Some(label) => Some(self.picture(label)?.size),
                None => None,
            };
            subjects.push(Subject {
                face: figure.area,
                gap: figure.scale.gap,
                label,
                history: things
                    .history
                    .is_some()
                    .then(|| draw::history_size(figure.scale.bars_em)),
                bars: things.panel.as_ref().map(|panel| panel.scale.size()),
                rank,
                last,
            });
            all_things.push(things);
        }
        let preferences = settings.style.theme().preferences;
        let reserved = summary.as_ref().map(|(_, place)| *place);
        let placements = layout::arrange(frame, reserved, preferences, &subjects);

        let mut shown = Vec::new();
        if settings.boxes {
            shown.extend(
                figures
                    .iter()
                    .flat_map(|figure| figure.box_parts(settings.style)),
            );
        }
        for (i, things) in all_things.into_iter().enumerate() {
            self.memory.track_mut(tracks[i]).spots = placements[i].spots;
            self.show(&mut shown, &figures[i], things, &placements[i]);
        }
        shown.extend(summary);
        Ok(shown)
    }

    /// Adds what has found a place.
    fn show(
        &self,
        shown: &mut Vec<(Sprite, Rect)>,
        figure: &Figure<'_>,
        things: Things,
        placement: &Placement,
    ) {
        if let Some((panel, place)) = things.panel.zip(placement.bars) {
            let Panel {
                scale, mirrored, ..
            } = panel;
            shown.push((Sprite::Panel(panel), place));
            let bars = figure.bars(scale, mirrored);
            shown.extend(bars.map(|bars| (bars, scale.bars(place, mirrored))));
        }
        shown.extend(things.history.zip(placement.history));
        if let Some((label, place)) = things.label.zip(placement.label) {
            let slot = self.cache.get(&label).and_then(|picture| picture.slot);
            shown.push((label, place));
            if let Some(slot) = slot {
                let percent = figure.percent(slot.size());
                shown.extend(percent.map(|percent| (percent, slot.moved(place.x, place.y))));
            }
        }
    }

    /// Which faces are to have bars. The largest of several that are about as large stays the one that it was.
    fn faces_with_bars(
        &mut self,
        figures: &[Figure<'_>],
        tracks: &[usize],
        which: Bars,
    ) -> Vec<bool> {
        let can = |figure: &Figure<'_>| {
            figure.emotion.is_some_and(|emotion| {
                !emotion.probabilities.is_empty() && !emotion.labels.is_empty()
            })
        };
        match which {
            Bars::None => vec![false; figures.len()],
            Bars::All => figures.iter().map(can).collect(),
            Bars::Largest => {
                let size = |i: usize| {
                    let area = figures[i].area.area();
                    let bonus = if self.memory.track(tracks[i]).is_first {
                        area / 4
                    } else {
                        0
                    };
                    area + bonus
                };
                let largest = (0..figures.len())
                    .filter(|&i| can(&figures[i]))
                    .max_by_key(|&i| (size(i), std::cmp::Reverse(i)));
                for (i, &track) in tracks.iter().enumerate() {
                    self.memory.track_mut(track).is_first = Some(i) == largest;
                }
                (0..figures.len()).map(|i| Some(i) == largest).collect()
            }
        }
    }

    fn panel(&mut self, figure: &Figure<'_>) -> Option<Panel> {
        let emotion = figure.emotion?;
        let names = self.names.of_all(&emotion.labels);
        let em = figure.scale.bars_em;
        let widest = names.iter().map(|name| self.width_of(name, em)).max()?;
        let rows = names.len().min(emotion.probabilities.len());
        Some(Panel {
            mirrored: names.iter().any(|name| draw::runs_leftwards(name)),
            best: Some(emotion.label_id).filter(|_| !emotion.is_uncertain()),
            // A name of the user's own may be a whole sentence.
            scale: PanelScale::new(em, widest.min(em * 9), rows),
            names: names[..rows].into(),
        })
    }

    /// The summary and its place at the lower border, or at the upper one if it hides less there.
    fn summary(
        &mut self,
        figures: &[Figure<'_>],
        frame: Size,
        settings: &Settings,
    ) -> Result<Option<(Sprite, Rect)>, Error> {
        if !settings.summary || figures.is_empty() {
            return Ok(None);
        }
        let mut shares: Vec<(usize, Share)> = Vec::new();
        for emotion in figures.iter().filter_map(|figure| figure.emotion) {
            let name = self.names.of(&emotion.label);
            match shares.iter_mut().find(|(_, share)| share.name == name) {
                Some((_, share)) => share.faces += 1,
                None => {
                    let share = Share {
                        name: name.to_owned(),
                        colour: face_overlay::colour(emotion),
                        faces: 1,
                    };
                    let order = if emotion.is_uncertain() {
                        usize::MAX
                    } else {
                        emotion.label_id
                    };
                    shares.push((order, share));
                }
            }
        }
        shares.sort_by_key(|(order, _)| *order);
        let theme = settings.style.theme();
        let em = (dimensions::frame_em(frame) * theme.letters * 0.9).round() as i32;
        let margin = if theme.wide_summary { 0 } else { em / 2 };
        let sprite = Sprite::Summary(Summary {
            faces: figures.len(),
            shares: shares.into_iter().map(|(_, share)| share).collect(),
            em,
            room: frame.width - 2 * margin,
        });
        let size = self.picture(&sprite)?.size;
        let x = (frame.width - size.width) / 2;
        let above = Rect::at(x, margin, size);
        let below = Rect::at(x, frame.height - margin - size.height, size);
        if !below.lies_in(frame) {
            return Ok(None);
        }
        let hidden = |place: &Rect| -> i64 {
            let faces = figures.iter();
            faces.map(|figure| place.overlap(&figure.area)).sum()
        };
        let (here, there) = if self.summary_is_above {
            (above, below)
        } else {
            (below, above)
        };
        if hidden(&here) > hidden(&there) + here.area() / 20 {
            self.summary_is_above = !self.summary_is_above;
            return Ok(Some((sprite, there)));
        }
        Ok(Some((sprite, here)))
    }

    fn width_of(&mut self, name: &str, em: i32) -> i32 {
        let key = (name.to_owned(), em);
        if let Some(width) = self.widths.get(&key) {
            return *width;
        }
        let painter = Painter::new(self.look.style, &self.look.font);
        let width = painter.width_of(name, em);
        self.lacks_font |= painter.lacks_font();
        self.widths.insert(key, width);
        width
    }

    fn picture(&mut self, sprite: &Sprite) -> Result<&Picture, Error> {
        if !self.cache.contains_key(sprite) {
            let painter = Painter::new(self.look.style, &self.look.font);
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
            self.widths.clear();
        }
    }
}

impl Picture {
    fn new(drawing: Drawing) -> Result<Self, Error> {
        let Drawing {
            size,
            stride,
            pixels,
            slot,
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
            slot,
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
