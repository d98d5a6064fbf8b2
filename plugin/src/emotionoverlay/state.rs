//! Puts the scene of a frame onto its buffer: attached as metadata or blended into the picture.

use gst_video::prelude::*;
use gst_video::{VideoFrameRef, VideoInfo, VideoOverlayComposition, VideoOverlayCompositionMeta};

use super::anonymize::conceal;
use super::blend::Blender;
use super::clock::Clock;
use super::geometry::Size;
use super::privacy::Hiding;
use super::renderer::{self, Scene};
use super::settings::{Privacy, Settings};
use crate::analyzer;
use crate::face::Face;

/// What is drawn on the pictures of a stream.
#[derive(Default)]
pub(super) struct Overlay {
    format: Option<Format>,
    /// Whether downstream draws the overlay.
    attach: bool,
    clock: Clock,
    scene: Scene,
    hiding: Hiding,
}

struct Format {
    info: VideoInfo,
    blender: Blender,
}

/// Why a frame could not be drawn on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Frame(#[from] analyzer::Error),
    #[error(transparent)]
    Scene(#[from] renderer::Error),
    #[error("a face could not be made unrecognisable: {0}")]
    Conceal(gst::glib::BoolError),
}

impl Overlay {
    /// The pictures to come are as `info` describes them.
    pub(super) fn set_format(&mut self, info: VideoInfo) {
        let blender = Blender::new(&info);
        self.format = Some(Format { info, blender });
    }

    /// Whether the overlay is to be attached for downstream to draw, or blended into the picture.
    pub(super) fn set_attach(&mut self, attach: bool) {
        self.attach = attach;
    }

    /// Whether text had to be left out because the machine has no font for it.
    pub(super) fn lacks_font(&self) -> bool {
        self.scene.lacks_font()
    }

    /// Forgets the faces, as after a jump in the stream; what was drawn stays at hand.
    pub(super) fn forget_faces(&mut self) {
        self.clock = Clock::default();
        self.scene.forget_faces();
        self.hiding = Hiding::default();
    }

    /// Hides `faces` in the picture in `buffer` if they are to be, and draws what is to be seen of them. The picture stays as
    /// it is if nothing is hidden or seen.
    ///
    /// An error leaves the picture in an unknown state: it must not be shown if faces were to be hidden.
    pub(super) fn draw(
        &mut self,
        buffer: &mut gst::Buffer,
        faces: &[Face],
        settings: &Settings,
    ) -> Result<(), Error> {
        let Format { info, blender } = self.format.as_ref().ok_or(analyzer::Error::NoCaps)?;
        let size = Size {
            width: info.width().cast_signed(),
            height: info.height().cast_signed(),
        };
        let now = self.clock.tick(buffer.pts());
        let hidden = match settings.privacy {
            Privacy::None => Vec::new(),
            _ => self.hiding.update(faces, size, now, settings.privacy_hold),
        };
        self.scene.update(faces, size, now, settings)?;

        // What is hidden is hidden in the picture itself: metadata may get lost on its way to the screen.
        let blends = !self.attach && !self.scene.is_empty();
        if blends || !hidden.is_empty() {
            let mut frame = writable(buffer, info)?;
            for place in hidden {
                conceal(blender, &mut frame, place, settings.privacy).map_err(Error::Conceal)?;
            }
            if blends {
                self.scene.blend(blender, &mut frame)?;
            }
        }
        if self.attach && !self.scene.is_empty() {
            attach(buffer.make_mut(), self.scene.composition()?);
        }
        Ok(())
    }
}

fn writable<'a>(
    buffer: &'a mut gst::Buffer,
    info: &VideoInfo,
) -> Result<VideoFrameRef<&'a mut gst::BufferRef>, analyzer::Error> {
    let size = buffer.size();
    let error = || analyzer::Error::Map {
        width: info.width(),
        height: info.height(),
        format: info.format(),
        size,
    };
    let frame =
        VideoFrameRef::from_buffer_ref_writable(buffer.make_mut(), info).map_err(|_| error())?;
    // A video meta may speak of another size than the caps.
    if (frame.width(), frame.height()) == (info.width(), info.height()) {
        Ok(frame)
    } else {
        Err(error())
    }
}

/// Adds the composition to the one that an element upstream may have attached: sinks look at the first only.
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
