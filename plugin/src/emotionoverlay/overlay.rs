//! Puts the scene of a frame onto its buffer: attached as metadata or blended into the picture.

use gst_video::{VideoFrameRef, VideoInfo, VideoOverlayComposition, VideoOverlayCompositionMeta};

use super::Settings;
use super::blend::Blender;
use super::layout::Size;
use super::scene::{self, Scene};
use crate::analyser;
use crate::face::Face;

/// What is drawn on the pictures of a stream.
#[derive(Default)]
pub(super) struct Overlay {
    format: Option<Format>,
    /// Whether downstream draws the overlay.
    attach: bool,
    scene: Scene,
}

struct Format {
    info: VideoInfo,
    blender: Blender,
}

/// Why a frame could not be drawn on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Frame(#[from] analyser::Error),
    #[error(transparent)]
    Scene(#[from] scene::Error),
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

    /// Draws `faces` on the picture in `buffer`, which stays as it is if nothing of them is to be seen.
    pub(super) fn draw(
        &mut self,
        buffer: &mut gst::Buffer,
        faces: &[Face],
        settings: &Settings,
    ) -> Result<(), Error> {
        let Format { info, blender } = self.format.as_ref().ok_or(analyser::Error::NoCaps)?;
        let frame = Size {
            width: info.width().cast_signed(),
            height: info.height().cast_signed(),
        };
        self.scene.update(faces, frame, settings)?;
        if self.scene.is_empty() {
            return Ok(());
        }
        if self.attach {
            attach(buffer.make_mut(), self.scene.composition()?);
            return Ok(());
        }
        let size = buffer.size();
        let mut frame =
            VideoFrameRef::from_buffer_ref_writable(buffer.make_mut(), info).map_err(|_| {
                analyser::Error::Map {
                    width: info.width(),
                    height: info.height(),
                    format: info.format(),
                    size,
                }
            })?;
        self.scene.blend(blender, &mut frame)?;
        Ok(())
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
