//! Frames to write to, as they are stored in buffers.

use gst_video::prelude::*;
use gst_video::{VideoFrameRef, VideoInfo, VideoInterlaceMode, VideoMeta};

use crate::analyzer;

/// The description of the picture in a buffer: where each field has a buffer of its own, that of a field.
pub(super) fn stored_info(info: &VideoInfo) -> VideoInfo {
    if info.interlace_mode() != VideoInterlaceMode::Alternate {
        return info.clone();
    }
    let field = VideoInfo::builder(info.format(), info.width(), info.field_height())
        .colorimetry(&info.colorimetry())
        .build();
    field.unwrap_or_else(|_| info.clone())
}

/// Gives `write` the picture in `buffer`, which `info` describes as it is stored. Memory that somebody else uses is copied.
pub(super) fn write_to<T, E: From<analyzer::Error>>(
    buffer: &mut gst::Buffer,
    info: &VideoInfo,
    write: impl FnOnce(&mut VideoFrameRef<&mut gst::BufferRef>) -> Result<T, E>,
) -> Result<T, E> {
    let size = buffer.size();
    let error = || analyzer::Error::Map {
        width: info.width(),
        height: info.height(),
        format: info.format(),
        size,
    };
    let field = FieldMeta::take(buffer, info);
    let described = field
        .as_ref()
        .map_or_else(|| Some(info.clone()), |field| field.info(info));
    let described = described.ok_or_else(error)?;
    let mut frame = VideoFrameRef::from_buffer_ref_writable(buffer.make_mut(), &described)
        .map_err(|_| error())?;
    // A video meta may have another size than the caps.
    if (frame.width(), frame.height()) != (info.width(), info.height()) {
        return Err(error().into());
    }
    let written = write(&mut frame)?;
    drop(frame);
    if let Some(field) = field {
        field.put_back(buffer).map_err(|_| error())?;
    }
    Ok(written)
}

/// The video meta of a field, which gives the height of the frame: with it, twice as many rows would be mapped as there are.
struct FieldMeta {
    flags: gst_video::VideoFrameFlags,
    format: gst_video::VideoFormat,
    size: (u32, u32),
    offsets: Vec<usize>,
    strides: Vec<i32>,
}

impl FieldMeta {
    fn take(buffer: &mut gst::Buffer, info: &VideoInfo) -> Option<Self> {
        let meta = buffer.meta::<VideoMeta>()?;
        if meta.height() != 2 * info.height() && meta.height() + 1 != 2 * info.height() {
            return None;
        }
        let planes = meta.n_planes() as usize;
        let taken = Self {
            flags: meta.video_frame_flags(),
            format: meta.format(),
            size: (meta.width(), meta.height()),
            offsets: meta.offset()[..planes].to_vec(),
            strides: meta.stride()[..planes].to_vec(),
        };
        let meta = buffer.make_mut().meta_mut::<VideoMeta>()?;
        meta.remove().ok()?;
        Some(taken)
    }

    fn info(&self, field: &VideoInfo) -> Option<VideoInfo> {
        VideoInfo::builder(field.format(), field.width(), field.height())
            .colorimetry(&field.colorimetry())
            .offset(&self.offsets)
            .stride(&self.strides)
            .build()
            .ok()
    }

    fn put_back(self, buffer: &mut gst::Buffer) -> Result<(), gst::glib::BoolError> {
        let (width, height) = self.size;
        VideoMeta::add_full(
            buffer.make_mut(),
            self.flags,
            self.format,
            width,
            height,
            &self.offsets,
            &self.strides,
        )?;
        Ok(())
    }
}
