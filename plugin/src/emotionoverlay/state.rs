//! The state of a stream, and how the overlay of a frame gets onto its buffer.

use std::time::Duration;

use emotion_detect::track::StreamClock;
use emotion_models::preprocess::Region;
use gst_video::{VideoInfo, VideoOverlayComposition, VideoOverlayCompositionMeta};

use super::anonymize::anonymize;
use super::blend::Blender;
use super::geometry::{PixelScale, Rect, Size};
use super::privacy::HiddenFaces;
use super::renderer::{FrameToDraw, OverlayRenderer};
use super::settings::{Privacy, PrivacyMissing, Settings};
use super::stored_frame::{stored_info, write_to};
use super::zone_overlay::ShownZones;
use super::{draw, foreign_formats};
use crate::analyzer;
use crate::face::{self, Face, Passage};
use crate::pixels::PixelGrid;

/// The state of a stream.
#[derive(Default)]
pub(super) struct State {
    format: Option<Format>,
    /// Whether downstream draws the overlay.
    attach: bool,
    clock: StreamClock,
    renderer: OverlayRenderer,
    hidden_faces: HiddenFaces,
}

/// The pictures of the current caps.
struct Format {
    grid: PixelGrid,
    /// For the pictures as they are stored.
    blender: Blender,
}

/// Why the overlay of a frame cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Frame(#[from] analyzer::Error),
    #[error(transparent)]
    Draw(#[from] draw::Error),
    #[error("a face could not be made unrecognisable: {0}")]
    Anonymize(gst::glib::BoolError),
    #[error(
        "privacy: no facedetect of this plugin has seen the frame, or an element behind it has dropped its metadata; put \
         facedetect in front of emotionoverlay and nothing that changes the picture between, let the first frame be searched \
         (asynchronous=false), or set privacy-missing to hide-all, or to show for the faces of another detector alone"
    )]
    Unmarked,
    #[error("privacy: {0}, or set privacy-missing=hide-all")]
    LostRegions(String),
    #[error(
        "privacy: the picture has other proportions than facedetect has seen: an element behind it adds borders or stretches; \
         put facedetect behind it, or set privacy-missing=hide-all"
    )]
    OtherAspect,
}

impl Error {
    /// Why privacy cannot be kept on a frame with this passage; none if it can.
    fn of_passage(passage: Passage) -> Option<Self> {
        match passage {
            Passage::Intact => None,
            Passage::Unmarked => Some(Self::Unmarked),
            Passage::OtherAspect => Some(Self::OtherAspect),
            Passage::LostRegions(count) => {
                let lost = face::lost_regions_text(count, "cannot be hidden");
                Some(Self::LostRegions(lost))
            }
        }
    }
}

impl State {
    /// Sets the format and size of the pictures to come.
    pub(super) fn set_format(&mut self, info: &VideoInfo) {
        self.format = Some(Format {
            grid: PixelGrid::new(info),
            blender: Blender::new(&stored_info(info)),
        });
    }

    /// Sets whether the overlay is attached for downstream to draw, or blended into the picture.
    pub(super) fn set_attach(&mut self, attach: bool) {
        self.attach = attach;
    }

    /// Whether text was left out because the machine has no font for it.
    pub(super) fn lacks_font(&self) -> bool {
        self.renderer.lacks_font()
    }

    /// Whether letters of a text became boxes because the machine has no font for them.
    pub(super) fn lacks_letters(&self) -> bool {
        self.renderer.lacks_letters()
    }

    /// Forgets the faces, as after a jump in the stream, but keeps the drawn sprites.
    pub(super) fn forget_faces(&mut self) {
        self.clock = StreamClock::default();
        self.renderer.forget_faces();
        self.hidden_faces = HiddenFaces::default();
    }

    /// Hides the faces in the picture in `buffer` if the settings say so, and adds the overlay of `faces`. The picture stays as
    /// it is if there is nothing to hide or show. Returns the number of faces whose regions were lost; nothing is drawn then.
    ///
    /// An error leaves the picture in an unknown state: it must not be shown if faces were to be hidden.
    pub(super) fn draw(
        &mut self,
        buffer: &mut gst::Buffer,
        faces: &[Face],
        settings: &Settings,
    ) -> Result<usize, Error> {
        let Format { grid, blender } = self.format.as_ref().ok_or(analyzer::Error::NoCaps)?;
        let (width, height) = grid.square();
        let square = Size::new(width, height);
        let stored = Size::of(blender.info());
        let (pts, duration) = (buffer.pts(), buffer.duration());
        let now = self
            .clock
            .tick(pts.map(Duration::from), duration.map(Duration::from));
        let passage = Passage::of(buffer, grid.aspect());
        let lost = match passage {
            Passage::LostRegions(count) => count,
            _ => 0,
        };
        let hidden = match settings.privacy {
            Privacy::None => Vec::new(),
            _ => areas_to_hide(&mut self.hidden_faces, buffer, passage, grid, now, settings)?,
        };
        let scale = PixelScale {
            x: stored.width as f32 / square.width as f32,
            y: stored.height as f32 / square.height as f32,
        };
        let faces: Vec<Face> = faces
            .iter()
            .filter(|_| lost == 0)
            .map(|face| in_square_pixels(face, grid))
            .collect();
        let zones = match settings.zones {
            true => ShownZones::of(buffer, grid),
            false => None,
        };
        let zones = zones.as_ref();
        let frame = FrameToDraw {
            faces: &faces,
            zones,
            size: square,
            scale,
            time: now,
        };
        self.renderer.update(&frame, settings)?;

        // Faces are hidden in the picture itself: metadata may get lost on its way to the screen.
        let blend = !self.attach && !self.renderer.is_empty();
        if blend || !hidden.is_empty() {
            let renderer = &mut self.renderer;
            write_to(buffer, blender.info(), |frame| {
                if blender.is_native() {
                    for &area in &hidden {
                        anonymize(blender, frame, area, settings.privacy)
                            .map_err(Error::Anonymize)?;
                    }
                } else if !hidden.is_empty() {
                    foreign_formats::covers(frame, &hidden, settings.privacy)
                        .and_then(|covers| covers.blend(frame))
                        .map_err(Error::Anonymize)?;
                }
                if blend {
                    renderer.blend(blender, frame)?;
                }
                Ok::<(), Error>(())
            })?;
        }
        if self.attach && !self.renderer.is_empty() {
            attach(buffer.make_mut(), self.renderer.composition(stored)?);
        }
        Ok(lost)
    }
}

/// The areas to hide in the picture in `buffer`, in stored pixels.
fn areas_to_hide(
    hidden_faces: &mut HiddenFaces,
    buffer: &gst::BufferRef,
    passage: Passage,
    grid: &PixelGrid,
    now: Duration,
    settings: &Settings,
) -> Result<Vec<Rect>, Error> {
    let (width, height) = grid.frame();
    let frame = Size::new(width, height);
    let (width, height) = grid.stored();
    let stored = Size::new(width, height);
    let mut faces = face::faces_or_objects(buffer, &settings.face_types);
    faces.extend(face::candidates(buffer));
    let hold = settings.privacy_hold.into();
    let hidden = hidden_faces.update(&faces, frame, stored, now, hold);
    match (settings.privacy_missing, Error::of_passage(passage)) {
        (PrivacyMissing::Error, Some(error)) => Err(error),
        (PrivacyMissing::HideAll, Some(_)) => Ok(vec![Rect::at(0, 0, stored)]),
        _ => Ok(hidden),
    }
}

/// The face with its box in square pixels.
fn in_square_pixels(face: &Face, grid: &PixelGrid) -> Face {
    let mut face = face.clone();
    if grid.square_per_frame() != (1.0, 1.0) {
        let (x, y) = (face.x as f32, face.y as f32);
        let Region {
            x,
            y,
            width,
            height,
        } = grid.to_square(Region::new(x, y, face.width as f32, face.height as f32));
        (face.x, face.y) = (x.round() as i32, y.round() as i32);
        (face.width, face.height) = (width.round() as u32, height.round() as u32);
    }
    face
}

/// Adds the composition to one that an element upstream has attached, if any: sinks read only the first.
fn attach(buffer: &mut gst::BufferRef, composition: &VideoOverlayComposition) {
    if let Some(mut meta) = buffer.meta_mut::<VideoOverlayCompositionMeta>() {
        let mut merged = meta.overlay_owned();
        for rectangle in composition.iter() {
            merged.make_mut().add_rectangle(&rectangle);
        }
        meta.set_overlay(&merged);
    } else {
        VideoOverlayCompositionMeta::add(buffer, composition);
    }
}
