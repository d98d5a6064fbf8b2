//! Small pictures of the faces, for the report.
//!
//! Of each person a strip over time, at first one picture a second; when the strip is full, every other one goes and the
//! rest of the file gets half as many. And for each emotion the picture in which it was clearest.

use std::collections::BTreeMap;
use std::io::Cursor;

use anyhow::Context as _;
use gst_video::prelude::*;
use gst_video::{VideoConverter, VideoConverterConfig, VideoFormat, VideoFrameRef, VideoInfo};
use gstemotion::record::{PixelBox, Record};
use image::codecs::jpeg::JpegEncoder;

use super::timeline::{PersonKey, named};

const SIDE: u32 = 72;
const QUALITY: u8 = 80;
const MOST: usize = 16;
const FIRST_STEP_S: f64 = 1.0;
/// A clearer picture is worth its making if the classifier is surer by this.
const CLEARER: f64 = 0.02;
/// How much around the box is shown, as a share of its longer side.
const MARGIN: f64 = 0.15;

/// The pictures of everybody.
#[derive(Debug, Default)]
pub(super) struct FaceThumbnails {
    persons: BTreeMap<PersonKey, PersonThumbnails>,
}

/// The pictures of a person.
#[derive(Debug)]
struct PersonThumbnails {
    strip: Vec<Thumbnail>,
    step: f64,
    next: f64,
    /// By emotion, with the confidence.
    clearest: BTreeMap<String, (f64, Thumbnail)>,
}

/// A picture of a face.
#[derive(Debug, Clone)]
pub(super) struct Thumbnail {
    /// When it was taken, in seconds.
    pub(super) time: f64,
    /// JPEG.
    pub(super) jpeg: Vec<u8>,
}

impl Default for PersonThumbnails {
    fn default() -> Self {
        Self {
            strip: Vec::new(),
            step: FIRST_STEP_S,
            next: f64::NEG_INFINITY,
            clearest: BTreeMap::new(),
        }
    }
}

impl FaceThumbnails {
    /// Takes the pictures that are due of the faces on `buffer`.
    ///
    /// # Errors
    ///
    /// When the picture cannot be converted.
    pub(super) fn add(
        &mut self,
        record: &Record,
        buffer: &gst::BufferRef,
        info: &VideoInfo,
    ) -> anyhow::Result<()> {
        let time = record.stream_time.unwrap_or(0.0);
        for (who, face) in named(record) {
            let pictures = self.persons.entry(who).or_default();
            let emotion = face.emotion.as_deref().zip(face.confidence);
            let is_clearest = emotion.is_some_and(|(label, confidence)| {
                let best = pictures.clearest.get(label);
                best.is_none_or(|(best, _)| confidence >= best + CLEARER)
            });
            if time < pictures.next && !is_clearest {
                continue;
            }
            let Some(jpeg) = portrait(buffer, info, face.pixels)? else {
                continue;
            };
            let picture = Thumbnail { time, jpeg };
            if let Some((label, confidence)) = emotion.filter(|_| is_clearest) {
                let entry = (confidence, picture.clone());
                pictures.clearest.insert(label.to_owned(), entry);
            }
            if time >= pictures.next {
                pictures.take(picture);
            }
        }
        Ok(())
    }

    /// The pictures of a person over time.
    pub(super) fn strip(&self, who: PersonKey) -> &[Thumbnail] {
        self.persons
            .get(&who)
            .map_or(&[], |pictures| &pictures.strip)
    }

    /// The picture of a person with the emotion `label` at `time`, else the one closest in time.
    pub(super) fn at(&self, who: PersonKey, label: &str, time: f64) -> Option<&Thumbnail> {
        let pictures = self.persons.get(&who)?;
        let clearest = pictures.clearest.get(label).map(|(_, picture)| picture);
        let all = pictures.strip.iter().chain(clearest);
        all.min_by(|a, b| (a.time - time).abs().total_cmp(&(b.time - time).abs()))
    }
}

impl PersonThumbnails {
    fn take(&mut self, picture: Thumbnail) {
        self.next = picture.time + self.step;
        self.strip.push(picture);
        if self.strip.len() > MOST {
            let mut index = 0;
            self.strip.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.step *= 2.0;
        }
    }
}

/// The face in `pixels` with a margin, as JPEG; None where it lies outside the picture.
fn portrait(
    buffer: &gst::BufferRef,
    info: &VideoInfo,
    pixels: PixelBox,
) -> anyhow::Result<Option<Vec<u8>>> {
    let frame = VideoFrameRef::from_buffer_ref_readable(buffer, info)
        .context("the picture is not as its caps say")?;
    let Some((x, y, side)) = square(pixels, info.width(), info.height()) else {
        return Ok(None);
    };
    let small = VideoInfo::builder(VideoFormat::Rgb, SIDE, SIDE)
        .fps(info.fps())
        .interlace_mode(info.interlace_mode())
        .build()?;
    let mut config = VideoConverterConfig::new();
    config.set_src_x(x);
    config.set_src_y(y);
    config.set_src_width(Some(side));
    config.set_src_height(Some(side));
    let converter = VideoConverter::new(info, &small, Some(config))?;
    let mut made = gst::Buffer::with_size(small.size())?;
    let made = made.get_mut().context("a new buffer is ours alone")?;
    let mut out = VideoFrameRef::from_buffer_ref_writable(made, &small)?;
    converter.frame_ref(&frame, &mut out);

    let stride = out.plane_stride()[0] as usize;
    let rows = out.plane_data(0)?.chunks(stride);
    let row = SIDE as usize * 3;
    let rgb: Vec<u8> = rows.flat_map(|line| &line[..row]).copied().collect();
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode(
        &rgb,
        SIDE,
        SIDE,
        image::ExtendedColorType::Rgb8,
    )?;
    Ok(Some(jpeg.into_inner()))
}

/// A square about the box, moved into the picture, at even places as halved colour planes like it.
fn square(pixels: PixelBox, width: u32, height: u32) -> Option<(i32, i32, i32)> {
    let (width, height) = (i32::try_from(width).ok()?, i32::try_from(height).ok()?);
    let longer = f64::from(pixels.width.max(pixels.height));
    let side = (longer * (1.0 + 2.0 * MARGIN)) as i32;
    let side = side.min(width).min(height) & !1;
    if side < 2 {
        return None;
    }
    let start = |start: i32, length: u32, limit: i32| {
        let centre = start.saturating_add(i32::try_from(length / 2).unwrap_or(i32::MAX));
        (centre - side / 2).clamp(0, limit - side) & !1
    };
    Some((
        start(pixels.x, pixels.width, width),
        start(pixels.y, pixels.height, height),
        side,
    ))
}

#[cfg(test)]
mod tests;
