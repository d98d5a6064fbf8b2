//! Surfaces to draw on, the sprites that they become, and shapes that several sprites share.

use std::f64::consts::{FRAC_PI_2, PI};

use gst_video::{VideoOverlayFormatFlags, VideoOverlayRectangle};

use crate::emotionoverlay::geometry::{PixelScale, Rect, Size};
use crate::emotionoverlay::palette::Colour;
use crate::emotionoverlay::theme::Rgba;

/// cairo's ARGB32 is one native-endian word.
#[cfg(target_endian = "little")]
const FORMAT: gst_video::VideoFormat = gst_video::VideoFormat::Bgra;
#[cfg(target_endian = "big")]
const FORMAT: gst_video::VideoFormat = gst_video::VideoFormat::Argb;

/// The empty part of bars and timelines.
pub(super) const TRACK: Rgba = (1.0, 1.0, 1.0, 0.16);

/// Why a sprite cannot be drawn or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cairo: {0}")]
    Cairo(#[from] cairo::Error),
    #[error("cairo: {0}")]
    Surface(#[from] cairo::BorrowError),
    #[error("{0}")]
    Glib(#[from] gst::glib::BoolError),
}

/// A drawn sprite.
pub(crate) struct Sprite {
    /// In square pixels.
    pub(crate) size: Size,
    /// In the pixels of the picture, which need not be square.
    pub(crate) stored: Size,
    /// Bytes from one row of pixels to the next.
    pub(crate) stride: usize,
    /// Pixels with a video meta.
    pub(crate) pixels: gst::Buffer,
    /// The room for a percentage, in coordinates of the sprite.
    pub(crate) percent_area: Option<Rect>,
}

impl Sprite {
    /// The sprite in the pixels of a picture that has `scale` times as many in each direction as it has square ones.
    pub(crate) fn scaled(self, scale: PixelScale) -> Result<Self, Error> {
        if scale.is_one() {
            return Ok(self);
        }
        let stored = scale.size(self.size);
        let pixels = self.pixels.map_readable()?.to_vec();
        let stride = i32::try_from(self.stride).unwrap_or(i32::MAX);
        let (width, height) = (self.size.width, self.size.height);
        let square = cairo::ImageSurface::create_for_data(
            pixels,
            cairo::Format::ARgb32,
            width,
            height,
            stride,
        )?;
        let sprite = draw(stored, |cr| {
            cr.scale(
                f64::from(stored.width) / f64::from(width),
                f64::from(stored.height) / f64::from(height),
            );
            cr.set_source_surface(&square, 0.0, 0.0)?;
            // The border stays as opaque as it is.
            cr.source().set_extend(cairo::Extend::Pad);
            cr.paint()
        })?;
        Ok(Self {
            size: self.size,
            percent_area: self.percent_area,
            ..sprite
        })
    }

    /// The sprite at a place in the frame, as part of an overlay composition.
    pub(crate) fn rectangle(&self, place: Rect) -> VideoOverlayRectangle {
        VideoOverlayRectangle::new_raw(
            &self.pixels,
            place.x,
            place.y,
            self.stored.width.unsigned_abs(),
            self.stored.height.unsigned_abs(),
            VideoOverlayFormatFlags::PREMULTIPLIED_ALPHA,
        )
    }
}

/// Draws `content` on a transparent surface.
pub(super) fn draw(
    size: Size,
    content: impl FnOnce(&cairo::Context) -> Result<(), cairo::Error>,
) -> Result<Sprite, Error> {
    let surface = cairo::ImageSurface::create(cairo::Format::ARgb32, size.width, size.height)?;
    let stride = surface.stride();
    {
        let cr = cairo::Context::new(&surface)?;
        content(&cr)?;
        cr.status()?;
    }
    let mut pixels = gst::Buffer::from_slice(surface.take_data()?);
    gst_video::VideoMeta::add_full(
        pixels.make_mut(),
        gst_video::VideoFrameFlags::empty(),
        FORMAT,
        size.width.unsigned_abs(),
        size.height.unsigned_abs(),
        &[0],
        &[stride],
    )?;
    Ok(Sprite {
        size,
        stored: size,
        stride: stride.unsigned_abs() as usize,
        pixels,
        percent_area: None,
    })
}

/// Adds a rectangle with round corners to the path.
pub(super) fn rounded_rectangle(
    cr: &cairo::Context,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    radius: f64,
) {
    if radius <= 0.0 {
        cr.rectangle(x, y, width, height);
        return;
    }
    let (right, bottom) = (x + width, y + height);
    cr.new_sub_path();
    cr.arc(right - radius, y + radius, radius, -FRAC_PI_2, 0.0);
    cr.arc(right - radius, bottom - radius, radius, 0.0, FRAC_PI_2);
    cr.arc(x + radius, bottom - radius, radius, FRAC_PI_2, PI);
    cr.arc(x + radius, y + radius, radius, PI, PI + FRAC_PI_2);
    cr.close_path();
}

pub(super) fn set_colour(cr: &cairo::Context, colour: Colour) {
    let (r, g, b) = colour.rgb();
    cr.set_source_rgb(r, g, b);
}

pub(super) fn set_rgba(cr: &cairo::Context, (r, g, b, a): Rgba) {
    cr.set_source_rgba(r, g, b, a);
}
