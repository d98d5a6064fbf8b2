//! Corrects the head of MP4 and MOV files (ISO/IEC 14496-12) on its way to the demuxer.
//!
//! The demuxer of GStreamer 1.22 compares positions in the media of a track with the duration of the movie. A clip that was
//! cut without being encoded again keeps the media from the last key frame on and leaves it out by an edit list, so its
//! positions lie behind the end of the movie and the demuxer ends the track early, or at once. It also takes tracks that
//! are shorter than a fifth of the movie for previews and leaves them out.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use gst::prelude::*;

/// More boxes in one box than a movie without fragments has.
const MOST_BOXES: usize = 10_000;

/// Bytes that take the place of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Correction {
    /// The position in the file.
    offset: u64,
    bytes: Vec<u8>,
}

impl Correction {
    /// Whether `length` bytes from `offset` on contain a part of it.
    pub(super) fn concerns(&self, offset: u64, length: usize) -> bool {
        self.offset < offset.saturating_add(length as u64)
            && offset < self.offset + self.bytes.len() as u64
    }

    /// Changes `data`, which begins at `offset` in the file.
    pub(super) fn apply(&self, offset: u64, data: &mut [u8]) {
        for (position, byte) in (self.offset..).zip(&self.bytes) {
            let index = position.checked_sub(offset);
            let index = index.and_then(|index| usize::try_from(index).ok());
            if let Some(found) = index.and_then(|index| data.get_mut(index)) {
                *found = *byte;
            }
        }
    }
}

/// Has `corrections` made in what `file`, an element, reads.
pub(super) fn correct(file: &gst::Element, corrections: Arc<[Correction]>) -> anyhow::Result<()> {
    let exit = file
        .static_pad("src")
        .context("filesrc has no source pad")?;
    if corrections.is_empty() {
        return Ok(());
    }
    exit.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(buffer) = info.buffer_mut() {
            let offset = buffer.offset();
            let concerned = corrections
                .iter()
                .filter(|correction| correction.concerns(offset, buffer.size()));
            let concerned: Vec<_> = concerned.collect();
            if !concerned.is_empty()
                && let Ok(mut data) = buffer.make_mut().map_writable()
            {
                concerned
                    .iter()
                    .for_each(|correction| correction.apply(offset, &mut data));
            }
        }
        gst::PadProbeReturn::Ok
    });
    Ok(())
}

/// The corrections that the movie at `path` needs; none if it is no MP4 or MOV file.
///
/// # Errors
///
/// If the file cannot be read.
pub(super) fn corrections(path: &Path) -> io::Result<Vec<Correction>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let top = boxes(&mut file, 0..length, b"moov")?;
    let Some(moov) = top.iter().find(|found| &found.kind == b"moov") else {
        return Ok(Vec::new());
    };
    let in_moov = boxes(&mut file, moov.body.clone(), b"")?;
    let header = in_moov.iter().find(|found| &found.kind == b"mvhd");
    let Some(movie) = header
        .map(|header| duration(&mut file, header))
        .transpose()?
    else {
        return Ok(Vec::new());
    };
    let mut tracks = Vec::new();
    for track in in_moov.iter().filter(|found| &found.kind == b"trak") {
        tracks.extend(media_duration(&mut file, track)?);
    }
    Ok(needed(movie, tracks))
}

/// The corrections that hide the tracks of sound of the movie at `path`.
///
/// Where a file is cut, the demuxer ends all tracks as soon as one has no more data.
///
/// # Errors
///
/// If the file cannot be read.
pub(super) fn hidden_sound(path: &Path) -> io::Result<Vec<Correction>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let top = boxes(&mut file, 0..length, b"moov")?;
    let Some(moov) = top.iter().find(|found| &found.kind == b"moov") else {
        return Ok(Vec::new());
    };
    let mut hidden = Vec::new();
    let tracks = boxes(&mut file, moov.body.clone(), b"")?;
    for track in tracks.iter().filter(|found| &found.kind == b"trak") {
        let media = media_boxes(&mut file, track)?;
        if handler(&mut file, &media)? == Some(*b"soun") {
            hidden.push(Correction {
                offset: track.start + 4,
                bytes: b"free".to_vec(),
            });
        }
    }
    Ok(hidden)
}

fn needed(movie: Option<Duration>, tracks: Vec<Duration>) -> Vec<Correction> {
    let mut corrections = Vec::new();
    let Some(movie) = movie else {
        return corrections;
    };
    let longest = tracks.iter().map(Duration::seconds).fold(0.0, f64::max);
    let mut whole = movie.seconds();
    if longest > whole {
        whole = longest;
        corrections.extend(movie.changed(longest));
    }
    for track in tracks.iter().filter(|track| track.units > 0) {
        if track.seconds() < whole / 5.0 {
            corrections.extend(track.changed(whole / 4.0));
        }
    }
    corrections
}

/// A box that is no further than the end of the box around it.
#[derive(Debug)]
struct Found {
    kind: [u8; 4],
    /// Where it begins in the file.
    start: u64,
    body: std::ops::Range<u64>,
}

/// The boxes in `range`, up to the first of the kind `last`.
fn boxes(file: &mut File, range: std::ops::Range<u64>, last: &[u8]) -> io::Result<Vec<Found>> {
    let mut found: Vec<Found> = Vec::new();
    let mut start = range.start;
    while start + 8 <= range.end && found.len() < MOST_BOXES {
        let mut head = [0; 16];
        file.seek(SeekFrom::Start(start))?;
        let read = file.take(16).read(&mut head)?;
        let [a, b, c, d, e, f, g, h, large @ ..] = head;
        let (size, head_size) = match u32::from_be_bytes([a, b, c, d]) {
            0 => (range.end - start, 8),
            1 if read == 16 => (u64::from_be_bytes(large), 16),
            size => (size.into(), 8),
        };
        let kind = [e, f, g, h];
        if size < head_size
            || !kind
                .iter()
                .all(|byte| (0x20..0x7f).contains(byte) || *byte == 0xa9)
        {
            break;
        }
        let end = start.saturating_add(size);
        let body = start + head_size..end.min(range.end);
        found.push(Found { kind, start, body });
        if kind == last {
            break;
        }
        start = end;
    }
    Ok(found)
}

/// A duration as a box of the type `mvhd` or `mdhd` has it.
#[derive(Debug, Clone, Copy)]
struct Duration {
    timescale: u32,
    units: u64,
    /// The position of the units in the file.
    offset: u64,
    is_64_bit: bool,
}

impl Duration {
    fn seconds(&self) -> f64 {
        self.units as f64 / f64::from(self.timescale.max(1))
    }

    /// The correction that makes it this long; `None` if the field is too small for it.
    fn changed(&self, seconds: f64) -> Option<Correction> {
        let units = (seconds * f64::from(self.timescale)).ceil() as u64;
        let bytes = match self.is_64_bit {
            true => units.to_be_bytes().to_vec(),
            false => u32::try_from(units).ok()?.to_be_bytes().to_vec(),
        };
        let offset = self.offset;
        Some(Correction { offset, bytes })
    }
}

/// The duration in a full box that has creation and modification time before it; `None` if it is not known.
fn duration(file: &mut File, header: &Found) -> io::Result<Option<Duration>> {
    let mut body = [0; 32];
    file.seek(SeekFrom::Start(header.body.start))?;
    if file.read_exact(&mut body).is_err() {
        return Ok(None);
    }
    let word = |at: usize| u32::from_be_bytes([body[at], body[at + 1], body[at + 2], body[at + 3]]);
    let is_64_bit = body[0] == 1;
    let (timescale, units, at) = match is_64_bit {
        true => (
            word(20),
            u64::from(word(24)) << 32 | u64::from(word(28)),
            24,
        ),
        false => (word(12), u64::from(word(16)), 16),
    };
    let is_known = units != u64::MAX && (is_64_bit || units != u64::from(u32::MAX));
    Ok((is_known && timescale > 0).then_some(Duration {
        timescale,
        units,
        offset: header.body.start + at,
        is_64_bit,
    }))
}

/// The duration of the media of a track with pictures or sound.
fn media_duration(file: &mut File, track: &Found) -> io::Result<Option<Duration>> {
    let in_media = media_boxes(file, track)?;
    if !matches!(handler(file, &in_media)?, Some(kind) if [*b"vide", *b"soun"].contains(&kind)) {
        return Ok(None);
    }
    match in_media.iter().find(|found| &found.kind == b"mdhd") {
        Some(header) => duration(file, header),
        None => Ok(None),
    }
}

/// The boxes about the media of a track.
fn media_boxes(file: &mut File, track: &Found) -> io::Result<Vec<Found>> {
    let in_track = boxes(file, track.body.clone(), b"mdia")?;
    match in_track.iter().find(|found| &found.kind == b"mdia") {
        Some(media) => boxes(file, media.body.clone(), b""),
        None => Ok(Vec::new()),
    }
}

/// What handles the media with these boxes: `vide`, `soun` or others.
fn handler(file: &mut File, in_media: &[Found]) -> io::Result<Option<[u8; 4]>> {
    let Some(handler) = in_media.iter().find(|found| &found.kind == b"hdlr") else {
        return Ok(None);
    };
    let mut body = [0; 12];
    file.seek(SeekFrom::Start(handler.body.start))?;
    let is_read = file.read_exact(&mut body).is_ok();
    Ok(is_read.then_some([body[8], body[9], body[10], body[11]]))
}

#[cfg(test)]
mod tests;
