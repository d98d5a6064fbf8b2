//! Turns the faces of a frame into sprites at places, and those into an overlay composition or pixels of the frame.

use std::cmp::Reverse;
use std::time::Duration;

use emotion_analysis::{FaceMatcher, FacePosition};
use gst_video::{VideoFrameRef, VideoOverlayComposition};

use super::blend::{Blender, PlacedImage};
use super::draw::{self, Error, PanelSpec, Sprite, SpriteSpec};
use super::face_overlay::FaceOverlay;
use super::geometry::{PixelScale, Rect, Size};
use super::label_names::LabelNames;
use super::layout::{self, LayoutItem, Placement, PlateItem, Priority, Slots};
use super::settings::{Bars, RenderSettings, Settings, Style};
use super::sprite_cache::SpriteCache;
use super::summary;
use super::timeline::Timeline;
use super::zone_overlay::{ShownZones, ZoneOverlay};
use crate::face::Face;

/// Draws the overlay of a stream, frame by frame. Only what changes is drawn again.
pub(super) struct OverlayRenderer {
    sprites: SpriteCache,
    names: LabelNames,
    faces: FaceMatcher<FaceHistory>,
    zones: ZoneOverlay,
    summary_is_above: bool,
    /// The sprites of the last frame, from bottom to top.
    shown: Vec<(SpriteSpec, Rect)>,
    /// The shown sprites as a composition, once it was asked for.
    composition: Option<VideoOverlayComposition>,
}

/// What there is to draw on a frame.
pub(super) struct FrameToDraw<'a> {
    /// In square pixels.
    pub(super) faces: &'a [Face],
    pub(super) zones: Option<&'a ShownZones>,
    /// In square pixels.
    pub(super) size: Size,
    /// How many pixels the picture has for each square one.
    pub(super) scale: PixelScale,
    /// When it is shown.
    pub(super) time: Duration,
}

/// What is kept of a face from frame to frame.
#[derive(Debug, Default)]
struct FaceHistory {
    slots: Slots,
    /// Whether it had the bars that only one face has.
    had_bars: bool,
    timeline: Timeline,
}

/// The sprites around a face, before they have a place.
#[derive(Default)]
struct FaceSprites {
    label: Option<SpriteSpec>,
    timeline: Option<SpriteSpec>,
    panel: Option<PanelSpec>,
}

impl Default for OverlayRenderer {
    fn default() -> Self {
        Self::new(
            RenderSettings::default(),
            PixelScale::default(),
            FaceMatcher::default(),
        )
    }
}

impl OverlayRenderer {
    fn new(settings: RenderSettings, scale: PixelScale, faces: FaceMatcher<FaceHistory>) -> Self {
        Self {
            names: LabelNames::new(settings.language, &settings.label_names),
            sprites: SpriteCache::new(settings, scale),
            faces,
            zones: ZoneOverlay::default(),
            summary_is_above: false,
            shown: Vec::new(),
            composition: None,
        }
    }

    /// Prepares the overlay of a frame.
    pub(super) fn update(
        &mut self,
        frame: &FrameToDraw<'_>,
        settings: &Settings,
    ) -> Result<(), Error> {
        if !self.sprites.is_for(&settings.render, frame.scale) {
            let faces = std::mem::take(&mut self.faces);
            *self = Self::new(settings.render.clone(), frame.scale, faces);
        }
        let style = settings.render.style;
        let faces: Vec<FaceOverlay<'_>> = (frame.faces.iter())
            .filter_map(|face| FaceOverlay::new(face, frame.size, style))
            .collect();
        let shown = self.arrange(&faces, frame, settings)?;
        if shown != self.shown {
            for (spec, _) in &shown {
                self.sprites.draw(spec)?;
            }
            self.shown = shown;
            self.composition = None;
        }
        self.sprites.trim(self.shown.iter().map(|(spec, _)| spec));
        Ok(())
    }

    /// Forgets the faces and their timelines, as after a jump in the stream.
    pub(super) fn forget_faces(&mut self) {
        self.faces.clear();
    }

    /// Whether there is nothing to show.
    pub(super) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Whether text was left out because the machine has no font for it.
    pub(super) fn lacks_font(&self) -> bool {
        self.sprites.lacks_font()
    }

    /// Whether letters of a text became boxes because the machine has no font for them.
    pub(super) fn lacks_letters(&self) -> bool {
        self.sprites.lacks_letters()
    }

    /// The overlay as a composition for a picture of the size `stored`: the same one as long as nothing changes, so that a sink need not upload it again.
    pub(super) fn composition(&mut self, stored: Size) -> Result<&VideoOverlayComposition, Error> {
        let composition = match self.composition.take() {
            Some(composition) => composition,
            None => {
                let sprites = self.shown_sprites(stored);
                let rectangles = sprites.map(|(sprite, place)| sprite.rectangle(place));
                VideoOverlayComposition::new(&rectangles.collect::<Vec<_>>())?
            }
        };
        Ok(self.composition.insert(composition))
    }

    /// Blends the overlay into a frame.
    pub(super) fn blend(
        &mut self,
        blender: &Blender,
        frame: &mut VideoFrameRef<&mut gst::BufferRef>,
    ) -> Result<(), Error> {
        let stored = Size::of(blender.info());
        if !blender.is_native() {
            self.composition(stored)?.blend(frame)?;
            return Ok(());
        }
        for (sprite, place) in self.shown_sprites(stored) {
            let pixels = sprite.pixels.map_readable()?;
            let image = PlacedImage {
                pixels: &pixels,
                stride: sprite.stride,
                place,
            };
            blender.blend(frame, image)?;
        }
        Ok(())
    }

    /// The sprites and their places in a picture of the size `stored`.
    fn shown_sprites(&self, stored: Size) -> impl Iterator<Item = (&Sprite, Rect)> {
        let scale = self.sprites.scale();
        self.shown.iter().filter_map(move |(spec, place)| {
            let sprite = self.sprites.get(spec)?;
            Some((sprite, scale.place(place.x, place.y, sprite.stored, stored)))
        })
    }

    /// All sprites of a frame and their places, from bottom to top: boxes lie below everything else.
    fn arrange(
        &mut self,
        faces: &[FaceOverlay<'_>],
        frame: &FrameToDraw<'_>,
        settings: &Settings,
    ) -> Result<Vec<(SpriteSpec, Rect)>, Error> {
        let (now, zones, frame) = (frame.time, frame.zones, frame.size);
        let positions: Vec<_> = faces
            .iter()
            .map(|face| FacePosition {
                object_id: face.object_id,
                region: face.area.region(),
                landmarks: None,
            })
            .collect();
        let matched = self.faces.match_faces(now, &positions);
        for (face, &index) in faces.iter().zip(&matched) {
            if face.emotion.is_some() {
                let history = &mut self.faces[index].history;
                history.timeline.add(now, face.colour);
            }
        }
        let with_bars = self.choose_bars(faces, &matched, settings.bars);

        let summary = self.summary(faces, frame, settings)?;
        let mut sprites = Vec::with_capacity(faces.len());
        let mut items = Vec::with_capacity(faces.len());
        for (i, face) in faces.iter().enumerate() {
            let em = face.dimensions.bars_em;
            let matched = &self.faces[matched[i]];
            let has_timeline = settings.timeline && face.emotion.is_some();
            let priority = Priority {
                is_new: matched.is_new(),
                area: Reverse(face.area.area()),
            };
            let last = matched.history.slots;
            let face_sprites = FaceSprites {
                label: face.label(settings, &self.names),
                timeline: has_timeline.then(|| SpriteSpec::Timeline {
                    cells: matched.history.timeline.cells(),
                    em,
                }),
                panel: if with_bars[i] { self.panel(face) } else { None },
            };
            let label = match &face_sprites.label {
                Some(label) => Some(self.sprites.draw(label)?.size),
                None => None,
            };
            items.push(LayoutItem {
                face: face.area,
                gap: face.dimensions.gap,
                label,
                timeline: has_timeline.then(|| draw::timeline_size(em)),
                bars: face_sprites.panel.as_ref().map(|p| p.dimensions.size()),
                priority,
                last,
            });
            sprites.push(face_sprites);
        }
        let style = settings.render.style;
        let mut shown = Vec::new();
        let mut plates = Vec::new();
        let mut reserved: Vec<Rect> = summary.iter().map(|(_, place)| *place).collect();
        if let Some(zones) = zones {
            shown.extend_from_slice(self.zones.outlines(zones, frame, style));
            plates = self.zone_plates(zones, faces, frame, reserved.first().copied(), style)?;
            reserved.extend(plates.iter().map(|(_, place)| *place));
        }
        let placements = layout::arrange(frame, &reserved, style.theme().preferences, &items);

        if settings.boxes {
            shown.extend(faces.iter().flat_map(|face| face.box_parts(style)));
        }
        if settings.landmarks {
            shown.extend(faces.iter().flat_map(FaceOverlay::landmark_dots));
        }
        for (i, sprites) in sprites.into_iter().enumerate() {
            self.faces[matched[i]].history.slots = placements[i].slots;
            self.show(&mut shown, &faces[i], sprites, &placements[i]);
        }
        shown.extend(plates);
        shown.extend(summary);
        Ok(shown)
    }

    /// The plates of zones and lines for which there is room, and their places.
    fn zone_plates(
        &mut self,
        zones: &ShownZones,
        faces: &[FaceOverlay<'_>],
        frame: Size,
        reserved: Option<Rect>,
        style: Style,
    ) -> Result<Vec<(SpriteSpec, Rect)>, Error> {
        let plates = zones.plates(frame, style);
        let mut items = Vec::with_capacity(plates.len());
        for plate in &plates {
            let size = self.sprites.draw(&plate.spec)?.size;
            items.push(PlateItem {
                slots: plate.slots(size, frame),
                last: self.zones.last_slot(&plate.key),
            });
        }
        let faces: Vec<Rect> = faces.iter().map(|face| face.area).collect();
        let places = layout::place_plates(frame, reserved, &faces, &items);
        let placed = plates.into_iter().zip(places);
        let placed = placed.filter_map(|(plate, place)| Some((plate, place?)));
        let placed: Vec<_> = placed.collect();
        let slots = placed.iter();
        let slots = slots.map(|(plate, (slot, _))| (plate.key.clone(), *slot));
        self.zones.set_slots(slots);
        let placed = placed.into_iter();
        Ok(placed
            .map(|(plate, (_, place))| (plate.spec, place))
            .collect())
    }

    /// Adds the sprites of a face that have found a place.
    fn show(
        &self,
        shown: &mut Vec<(SpriteSpec, Rect)>,
        face: &FaceOverlay<'_>,
        sprites: FaceSprites,
        placement: &Placement,
    ) {
        if let Some((panel, place)) = sprites.panel.zip(placement.bars) {
            let bars_area = panel.dimensions.bars_area(place, panel.mirrored);
            let bars = face.bars(&panel);
            shown.push((SpriteSpec::Panel(panel), place));
            shown.extend(bars.map(|bars| (bars, bars_area)));
        }
        shown.extend(sprites.timeline.zip(placement.timeline));
        if let Some((label, place)) = sprites.label.zip(placement.label) {
            let area = self
                .sprites
                .get(&label)
                .and_then(|label| label.percent_area);
            shown.push((label, place));
            shown.extend(area.and_then(|area| {
                let percent = face.percent(area.size())?;
                Some((percent, area.moved(place.x, place.y)))
            }));
        }
    }

    /// Which faces are to have bars. The largest of several faces of about the same size stays the same one.
    fn choose_bars(
        &mut self,
        faces: &[FaceOverlay<'_>],
        matched: &[usize],
        which: Bars,
    ) -> Vec<bool> {
        match which {
            Bars::None => vec![false; faces.len()],
            Bars::All => faces.iter().map(FaceOverlay::has_probabilities).collect(),
            Bars::Largest => {
                let size = |i: usize| {
                    let area = faces[i].area.area();
                    let had_bars = self.faces[matched[i]].history.had_bars;
                    area + if had_bars { area / 4 } else { 0 }
                };
                let largest = (0..faces.len())
                    .filter(|&i| faces[i].has_probabilities())
                    .max_by_key(|&i| (size(i), Reverse(i)));
                for (i, &index) in matched.iter().enumerate() {
                    self.faces[index].history.had_bars = Some(i) == largest;
                }
                (0..faces.len()).map(|i| Some(i) == largest).collect()
            }
        }
    }

    fn panel(&mut self, face: &FaceOverlay<'_>) -> Option<PanelSpec> {
        let names = self.names.names(&face.emotion?.labels);
        let em = face.dimensions.bars_em;
        let widths = names.iter().map(|name| self.sprites.text_width(name, em));
        let widest = widths.max()?;
        face.panel(&names, widest)
    }

    fn summary(
        &mut self,
        faces: &[FaceOverlay<'_>],
        frame: Size,
        settings: &Settings,
    ) -> Result<Option<(SpriteSpec, Rect)>, Error> {
        if !settings.summary || faces.is_empty() {
            return Ok(None);
        }
        let summary = summary::spec(faces, &self.names, settings.render.style, frame);
        // A frame may be narrower than the margins.
        if summary.max_width < 1 {
            return Ok(None);
        }
        let margin = (frame.width - summary.max_width) / 2;
        let spec = SpriteSpec::Summary(summary);
        let size = self.sprites.draw(&spec)?.size;
        let place = summary::place(size, margin, faces, frame, &mut self.summary_is_above);
        Ok(place.map(|place| (spec, place)))
    }
}
