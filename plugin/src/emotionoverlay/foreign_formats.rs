//! Hides areas of pictures whose format the blender does not know: as sprites, which GStreamer blends.

use gst::glib;
use gst_video::prelude::*;
use gst_video::{
    VideoConverter, VideoFormat, VideoFrameRef, VideoInfo, VideoMeta, VideoOverlayComposition,
    VideoOverlayFormatFlags, VideoOverlayRectangle,
};

use super::anonymize::anonymize;
use super::blend::Blender;
use super::geometry::{Rect, Size};
use super::settings::Privacy;

/// What covers `areas` of the picture in `frame`, which must not be empty.
pub(super) fn covers(
    frame: &VideoFrameRef<&mut gst::BufferRef>,
    areas: &[Rect],
    privacy: Privacy,
) -> Result<VideoOverlayComposition, glib::BoolError> {
    let size = Size::of(frame.info());
    // A converter changes neither rate nor interlacing.
    let info = VideoInfo::builder(VideoFormat::Bgra, frame.width(), frame.height())
        .fps(frame.info().fps())
        .interlace_mode(frame.info().interlace_mode())
        .build()?;
    let mut picture = gst::Buffer::with_size(info.size())?;
    let mut colours = VideoFrameRef::from_buffer_ref_writable(picture.make_mut(), &info)?;
    // A plain cover needs no colours of the picture.
    if privacy != Privacy::Fill {
        let converter = VideoConverter::new(frame.info(), &info, None)?;
        converter.frame_ref(frame, &mut colours);
    }
    let blender = Blender::new(&info);
    let mut rectangles = Vec::with_capacity(areas.len());
    for &area in areas.iter().filter(|area| area.lies_in(size)) {
        anonymize(&blender, &mut colours, area, privacy)?;
        rectangles.push(cut_out(&colours, area)?);
    }
    VideoOverlayComposition::new(&rectangles)
}

/// The pixels of an area of a picture in BGRA, opaque.
fn cut_out(
    frame: &VideoFrameRef<&mut gst::BufferRef>,
    area: Rect,
) -> Result<VideoOverlayRectangle, glib::BoolError> {
    let stride = frame.plane_stride()[0].unsigned_abs() as usize;
    let [x, y, width, height] =
        [area.x, area.y, area.width, area.height].map(|pixels| pixels.unsigned_abs() as usize);
    let rows = frame.plane_data(0)?.chunks(stride).skip(y).take(height);
    let mut pixels: Vec<u8> = Vec::with_capacity(4 * width * height);
    for row in rows {
        pixels.extend_from_slice(&row[4 * x..4 * (x + width)]);
    }
    pixels
        .iter_mut()
        .skip(3)
        .step_by(4)
        .for_each(|opacity| *opacity = 255);
    let mut buffer = gst::Buffer::from_slice(pixels);
    VideoMeta::add_full(
        buffer.make_mut(),
        gst_video::VideoFrameFlags::empty(),
        VideoFormat::Bgra,
        width as u32,
        height as u32,
        &[0],
        &[4 * area.width],
    )?;
    Ok(VideoOverlayRectangle::new_raw(
        &buffer,
        area.x,
        area.y,
        width as u32,
        height as u32,
        VideoOverlayFormatFlags::empty(),
    ))
}
