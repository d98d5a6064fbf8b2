//! The state of a stream, and how the overlay of a frame gets onto its buffer.

use std::time::Duration;

use emotion_detect::track::StreamClock;
use gst_video::prelude::*;
use gst_video::{VideoFrameRef, VideoInfo, VideoOverlayComposition, VideoOverlayCompositionMeta};

use super::anonymize::anonymize;
use super::blend::Blender;
use super::draw;
use super::geometry::Size;
use super::privacy::HiddenFaces;
use super::renderer::OverlayRenderer;
use super::settings::{Privacy, Settings};
use crate::analyzer;
use crate::face::Face;

/// The state of a stream.
#[derive(Default)]
pub(super) struct State {
    /// For the pictures of the current caps.
    blender: Option<Blender>,
    /// Whether downstream draws the overlay.
    attach: bool,
    clock: StreamClock,
    renderer: OverlayRenderer,
    hidden_faces: HiddenFaces,
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
}

impl State {
    /// Sets the format and size of the pictures to come.
    pub(super) fn set_format(&mut self, info: &VideoInfo) {
        self.blender = Some(Blender::new(info));
    }

    /// Sets whether the overlay is attached for downstream to draw, or blended into the picture.
    pub(super) fn set_attach(&mut self, attach: bool) {
        self.attach = attach;
    }

    /// Whether text was left out because the machine has no font for it.
    pub(super) fn lacks_font(&self) -> bool {
        self.renderer.lacks_font()
    }

    /// Forgets the faces, as after a jump in the stream, but keeps the drawn sprites.
    pub(super) fn forget_faces(&mut self) {
        self.clock = StreamClock::default();
        self.renderer.forget_faces();
        self.hidden_faces = HiddenFaces::default();
    }

    /// Hides `faces` in the picture in `buffer` if the settings say so, and adds the overlay. The picture stays as it is if
    /// there is nothing to hide or show.
    ///
    /// An error leaves the picture in an unknown state: it must not be shown if faces were to be hidden.
    pub(super) fn draw(
        &mut self,
        buffer: &mut gst::Buffer,
        faces: &[Face],
        settings: &Settings,
    ) -> Result<(), Error> {
        let blender = self.blender.as_ref().ok_or(analyzer::Error::NoCaps)?;
        let info = blender.info();
        let size = Size {
            width: info.width().cast_signed(),
            height: info.height().cast_signed(),
        };
        let (pts, duration) = (buffer.pts(), buffer.duration());
        let now = self
            .clock
            .tick(pts.map(Duration::from), duration.map(Duration::from));
        let hidden = match settings.privacy {
            Privacy::None => Vec::new(),
            _ => {
                let hold = settings.privacy_hold.into();
                self.hidden_faces.update(faces, size, now, hold)
            }
        };
        self.renderer.update(faces, size, now, settings)?;

        // Faces are hidden in the picture itself: metadata may get lost on its way to the screen.
        let blend = !self.attach && !self.renderer.is_empty();
        if blend || !hidden.is_empty() {
            let mut frame = writable(buffer, info)?;
            for area in hidden {
                anonymize(blender, &mut frame, area, settings.privacy).map_err(Error::Anonymize)?;
            }
            if blend {
                self.renderer.blend(blender, &mut frame)?;
            }
        }
        if self.attach && !self.renderer.is_empty() {
            attach(buffer.make_mut(), self.renderer.composition()?);
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
    // A video meta may have another size than the caps.
    if (frame.width(), frame.height()) == (info.width(), info.height()) {
        Ok(frame)
    } else {
        Err(error())
    }
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
