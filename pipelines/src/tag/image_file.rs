//! Pictures and animations that the `image` crate decodes: JPEG, PNG, WebP, GIF, BMP, TIFF, PNM.
//!
//! GStreamer 1.22 decodes neither CMYK in JPEG nor animations, and does not turn pictures upright.

mod exif_tags;

use std::fs::File;
use std::io::{BufReader, Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use emotion_models::image_file::has_end;
use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoFrameRef, VideoInfo};
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{
    AnimationDecoder, DynamicImage, Frame, ImageDecoder, ImageFormat, ImageReader, ImageResult,
};

use super::recording::Recording;

/// The formats that are decoded here.
const FORMATS: [ImageFormat; 7] = [
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::WebP,
    ImageFormat::Gif,
    ImageFormat::Bmp,
    ImageFormat::Tiff,
    ImageFormat::Pnm,
];
/// Frames that are shorter than this are shown for [`USUAL_DELAY`], as in browsers.
const SHORTEST_DELAY: Duration = Duration::from_millis(11);
const USUAL_DELAY: Duration = Duration::from_millis(100);

/// A picture or an animation.
#[derive(Debug)]
pub(super) struct ImageFile {
    path: PathBuf,
    format: ImageFormat,
    /// Whether it has several frames.
    pub(super) is_animated: bool,
    pub(super) recording: Recording,
}

/// An opened file. Its decoder stays in its thread.
struct Decoding {
    is_animated: bool,
    recording: Recording,
    frames: Box<dyn Iterator<Item = ImageResult<ImageFrame>>>,
}

/// The file format of an annotated picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PictureFormat {
    Jpeg,
    Png,
}

/// A frame of an [`ImageFile`].
pub(super) struct ImageFrame {
    image: DynamicImage,
    /// When it is shown, from the start.
    pub(super) time: Duration,
    /// For how long; `None` for a picture.
    pub(super) duration: Option<Duration>,
}

impl PictureFormat {
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }

    /// The element that encodes it.
    pub(super) fn encoder(self) -> &'static str {
        match self {
            Self::Jpeg => "jpegenc quality=95",
            Self::Png => "pngenc snapshot=false",
        }
    }
}

impl ImageFile {
    /// Opens the file; `None` if it is no picture of these formats.
    ///
    /// # Errors
    ///
    /// If it is one and its beginning is damaged, or if it is cut short.
    pub(super) fn open(path: &Path) -> anyhow::Result<Option<Self>> {
        let reader = ImageReader::new(BufReader::new(File::open(path)?)).with_guessed_format()?;
        let Some(format) = reader.format().filter(|format| FORMATS.contains(format)) else {
            return Ok(None);
        };
        let decoding = decode(path, format)?;
        Ok(Some(Self {
            path: path.to_owned(),
            format,
            is_animated: decoding.is_animated,
            recording: decoding.recording,
        }))
    }

    /// The upright frames.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub(super) fn frames(&self) -> anyhow::Result<impl Iterator<Item = ImageResult<ImageFrame>>> {
        Ok(decode(&self.path, self.format)?.frames)
    }

    /// The format for an annotated copy.
    pub(super) fn picture_format(&self) -> PictureFormat {
        match self.format {
            ImageFormat::Jpeg => PictureFormat::Jpeg,
            _ => PictureFormat::Png,
        }
    }
}

fn decode(path: &Path, format: ImageFormat) -> anyhow::Result<Decoding> {
    let file = BufReader::new(File::open(path)?);
    let begin = || match format {
        ImageFormat::Gif => animation(
            GifDecoder::new(file)?.into_frames(),
            Orientation::NoTransforms,
        ),
        ImageFormat::WebP => webp(file),
        ImageFormat::Png => png(file),
        ImageFormat::Jpeg => jpeg(file),
        _ => picture(ImageReader::with_format(file, format).into_decoder()?),
    };
    begin().context("the picture is damaged")
}

fn jpeg(mut file: BufReader<File>) -> anyhow::Result<Decoding> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    // The decoder makes the missing part grey.
    if !has_end(&bytes) {
        bail!("it is cut short");
    }
    picture(ImageReader::with_format(Cursor::new(bytes), ImageFormat::Jpeg).into_decoder()?)
}

fn png(file: BufReader<File>) -> anyhow::Result<Decoding> {
    let mut decoder = PngDecoder::new(file)?;
    if !decoder.is_apng()? {
        return picture(decoder);
    }
    let orientation = decoder.orientation()?;
    animation(decoder.apng()?.into_frames(), orientation)
}

fn webp(file: BufReader<File>) -> anyhow::Result<Decoding> {
    let mut decoder = WebPDecoder::new(file)?;
    if !decoder.has_animation() {
        return picture(decoder);
    }
    let orientation = decoder.orientation()?;
    animation(decoder.into_frames(), orientation)
}

fn picture(mut decoder: impl ImageDecoder + 'static) -> anyhow::Result<Decoding> {
    let orientation = decoder.orientation()?;
    let recording = match decoder.exif_metadata()? {
        Some(exif) => exif_tags::recording(exif),
        None => Recording::default(),
    };
    let frame = move || {
        let mut image = DynamicImage::from_decoder(decoder)?;
        image.apply_orientation(orientation);
        Ok(ImageFrame {
            image,
            time: Duration::ZERO,
            duration: None,
        })
    };
    Ok(Decoding {
        is_animated: false,
        recording,
        frames: Box::new(std::iter::once_with(frame)),
    })
}

fn animation(
    frames: impl Iterator<Item = ImageResult<Frame>> + 'static,
    orientation: Orientation,
) -> anyhow::Result<Decoding> {
    let mut frames = frames.peekable();
    let first = frames.next().context("it has no frame")??;
    // Most GIF files are pictures.
    let is_animated = frames.peek().is_some();
    let mut time = Duration::ZERO;
    let timed = std::iter::once(Ok(first)).chain(frames).map(move |frame| {
        let frame = frame?;
        let delay = match Duration::from(frame.delay()) {
            delay if delay < SHORTEST_DELAY => USUAL_DELAY,
            delay => delay,
        };
        let mut image = DynamicImage::ImageRgba8(frame.into_buffer());
        image.apply_orientation(orientation);
        let timed = ImageFrame {
            image,
            time,
            duration: is_animated.then_some(delay),
        };
        time += delay;
        Ok(timed)
    });
    Ok(Decoding {
        is_animated,
        recording: Recording::default(),
        frames: Box::new(timed),
    })
}

impl ImageFrame {
    /// The frame as raw video, grey or RGB; transparency is left out.
    pub(super) fn into_raw_video(self) -> anyhow::Result<(gst::Buffer, VideoInfo)> {
        let (width, height) = (self.image.width(), self.image.height());
        let (format, pixels, row) = match self.image.color().has_color() {
            true => (VideoFormat::Rgb, self.image.into_rgb8().into_raw(), 3),
            false => (VideoFormat::Gray8, self.image.into_luma8().into_raw(), 1),
        };
        let row = row * width as usize;
        let info = VideoInfo::builder(format, width, height).build()?;
        let mut buffer = gst::Buffer::with_size(info.size())?;
        let writable = buffer.make_mut();
        writable.set_pts(gst::ClockTime::try_from(self.time)?);
        let duration = self.duration.map(gst::ClockTime::try_from).transpose()?;
        writable.set_duration(duration);
        let mut frame = VideoFrameRef::from_buffer_ref_writable(writable, &info)
            .map_err(|_| anyhow::anyhow!("the picture does not fit its caps"))?;
        let stride = frame.plane_stride()[0] as usize;
        let rows = frame.plane_data_mut(0)?.chunks_mut(stride);
        for (to, from) in rows.zip(pixels.chunks(row.max(1))) {
            to[..row].copy_from_slice(from);
        }
        drop(frame);
        Ok((buffer, info))
    }
}

#[cfg(test)]
mod tests;
