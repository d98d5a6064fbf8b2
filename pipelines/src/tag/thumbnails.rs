//! Thumbnails of the faces, for the report.
//!
//! Each person has a strip over time, at first one thumbnail a second. When the strip is full, every other thumbnail is
//! removed and the interval doubles. In addition there is the most confident thumbnail of each emotion.

use std::collections::BTreeMap;
use std::io::Cursor;

use anyhow::Context as _;
use gst_video::prelude::*;
use gst_video::{VideoConverter, VideoConverterConfig, VideoFormat, VideoFrameRef, VideoInfo};
use gstemotion::record::{PixelBox, Record};
use image::codecs::jpeg::JpegEncoder;

use super::timeline::{PersonKey, keyed};

/// Width and height of a thumbnail in pixels.
const SIDE: u32 = 72;
const JPEG_QUALITY: u8 = 80;
/// The longest strip.
const MOST: usize = 16;
/// The first interval of a strip in seconds.
const FIRST_INTERVAL_S: f64 = 1.0;
/// A thumbnail replaces the best one of its emotion if its confidence is higher by this.
const CONFIDENCE_STEP: f64 = 0.02;
/// Margin around the box, as a fraction of its longer side.
const MARGIN: f64 = 0.15;

/// The thumbnails of all persons.
#[derive(Debug, Default)]
pub(super) struct FaceThumbnails {
    persons: BTreeMap<PersonKey, PersonThumbnails>,
}

/// The thumbnails of one person.
#[derive(Debug)]
struct PersonThumbnails {
    strip: Vec<FaceThumbnail>,
    interval: f64,
    /// The time of the next thumbnail of the strip, in seconds.
    next: f64,
    /// The best thumbnail of each emotion with its confidence.
    best: BTreeMap<String, (f64, FaceThumbnail)>,
}

/// A thumbnail of a face.
#[derive(Debug, Clone)]
pub(super) struct FaceThumbnail {
    /// The stream time of its frame in seconds.
    pub(super) time: f64,
    /// JPEG.
    pub(super) jpeg: Vec<u8>,
}

impl Default for PersonThumbnails {
    fn default() -> Self {
        Self {
            strip: Vec::new(),
            interval: FIRST_INTERVAL_S,
            next: f64::NEG_INFINITY,
            best: BTreeMap::new(),
        }
    }
}

impl FaceThumbnails {
    /// Adds the thumbnails that are due for the faces in `buffer`.
    ///
    /// # Errors
    ///
    /// If the frame cannot be converted.
    pub(super) fn add(
        &mut self,
        record: &Record,
        buffer: &gst::BufferRef,
        info: &VideoInfo,
    ) -> anyhow::Result<()> {
        let time = record.stream_time.unwrap_or(0.0);
        for (key, face) in keyed(record) {
            let person = self.persons.entry(key).or_default();
            let emotion = face.emotion.as_deref().zip(face.confidence);
            let is_best = emotion.is_some_and(|(label, confidence)| {
                let best = person.best.get(label);
                best.is_none_or(|(best, _)| confidence >= best + CONFIDENCE_STEP)
            });
            if time < person.next && !is_best {
                continue;
            }
            let Some(jpeg) = thumbnail(buffer, info, face.pixels)? else {
                continue;
            };
            let thumbnail = FaceThumbnail { time, jpeg };
            if let Some((label, confidence)) = emotion.filter(|_| is_best) {
                let entry = (confidence, thumbnail.clone());
                person.best.insert(label.to_owned(), entry);
            }
            if time >= person.next {
                person.extend_strip(thumbnail);
            }
        }
        Ok(())
    }

    /// The pictures of all persons as JSON: for each its `id`, or its `place` from the left, from 1, if faces are not tracked,
    /// and its `strip`, time in seconds and JPEG in base 64 of each picture.
    ///
    /// # Errors
    ///
    /// If a value cannot be represented in JSON, which does not happen.
    pub(super) fn json(&self) -> serde_json::Result<String> {
        let persons = self.persons.iter().map(|(key, person)| {
            let (id, place) = key.id_and_place();
            let strip = person.strip.iter().map(|picture| {
                let jpeg = gst::glib::base64_encode(&picture.jpeg);
                serde_json::json!({ "time": picture.time, "jpeg": jpeg.as_str() })
            });
            let strip: Vec<_> = strip.collect();
            serde_json::json!({ "id": id, "place": place, "strip": strip })
        });
        let persons: Vec<_> = persons.collect();
        Ok(serde_json::to_string(&serde_json::json!({ "persons": persons }))? + "\n")
    }

    /// The strip of a person, in order of time.
    pub(super) fn strip(&self, key: PersonKey) -> &[FaceThumbnail] {
        self.persons.get(&key).map_or(&[], |person| &person.strip)
    }

    /// The thumbnail of a person that is closest to `time`, of the strip and the best one of the emotion `label`.
    pub(super) fn closest(&self, key: PersonKey, label: &str, time: f64) -> Option<&FaceThumbnail> {
        let person = self.persons.get(&key)?;
        let best = person.best.get(label).map(|(_, thumbnail)| thumbnail);
        let all = person.strip.iter().chain(best);
        all.min_by(|a, b| (a.time - time).abs().total_cmp(&(b.time - time).abs()))
    }
}

impl PersonThumbnails {
    fn extend_strip(&mut self, thumbnail: FaceThumbnail) {
        self.next = thumbnail.time + self.interval;
        self.strip.push(thumbnail);
        if self.strip.len() > MOST {
            let mut index = 0;
            self.strip.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.interval *= 2.0;
        }
    }
}

/// The face in `pixels` with a margin, as JPEG; `None` if the frame is too small.
fn thumbnail(
    buffer: &gst::BufferRef,
    info: &VideoInfo,
    pixels: PixelBox,
) -> anyhow::Result<Option<Vec<u8>>> {
    let frame = VideoFrameRef::from_buffer_ref_readable(buffer, info)
        .context("the frame does not match its caps")?;
    let Some((x, y, side)) = square(pixels, info.width(), info.height()) else {
        return Ok(None);
    };
    let small_info = VideoInfo::builder(VideoFormat::Rgb, SIDE, SIDE)
        .fps(info.fps())
        .interlace_mode(info.interlace_mode())
        .build()?;
    let mut config = VideoConverterConfig::new();
    config.set_src_x(x);
    config.set_src_y(y);
    config.set_src_width(Some(side));
    config.set_src_height(Some(side));
    let converter = VideoConverter::new(info, &small_info, Some(config))?;
    let mut small_buffer = gst::Buffer::with_size(small_info.size())?;
    let small_buffer = small_buffer
        .get_mut()
        .context("a new buffer is not writable")?;
    let mut out = VideoFrameRef::from_buffer_ref_writable(small_buffer, &small_info)?;
    converter.frame_ref(&frame, &mut out);

    let stride = out.plane_stride()[0] as usize;
    let rows = out.plane_data(0)?.chunks(stride);
    let row = SIDE as usize * 3;
    let rgb: Vec<u8> = rows.flat_map(|line| &line[..row]).copied().collect();
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY).encode(
        &rgb,
        SIDE,
        SIDE,
        image::ExtendedColorType::Rgb8,
    )?;
    Ok(Some(jpeg.into_inner()))
}

/// `(x, y, side)` of a square around the box, moved into the frame. All are even, for chroma planes of half the size.
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
