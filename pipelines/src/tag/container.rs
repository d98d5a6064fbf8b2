//! Checks that a file is as long as its container states.
//!
//! Demuxers treat the end of a file as the end of the stream, so a download or a copy that was cut short would look like a
//! shorter video. MP4 and MOV (ISO/IEC 14496-12), Matroska and WebM (RFC 8794), and AVI state the length of their parts.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// The number of bytes that the container states, if the file has fewer.
///
/// # Errors
///
/// If the file cannot be read.
pub(super) fn missing_end(path: &Path) -> io::Result<Option<u64>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut head = [0; 12];
    if file.read_exact(&mut head).is_err() {
        return Ok(None);
    }
    let stated = match &head {
        [_, _, _, _, kind @ ..] if is_first_box(kind) => end_of_boxes(&mut file, length)?,
        [0x1a, 0x45, 0xdf, 0xa3, ..] => end_of_segment(&mut file)?,
        [b'R', b'I', b'F', b'F', size @ ..] => end_of_riff(size),
        _ => None,
    };
    Ok(stated.filter(|stated| *stated > length))
}

fn is_first_box(kind: &[u8]) -> bool {
    let kinds: [&[u8]; 6] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"];
    kinds.iter().any(|known| kind.starts_with(known))
}

/// The end of the last box that begins within the file.
fn end_of_boxes(file: &mut File, length: u64) -> io::Result<Option<u64>> {
    let mut start = 0u64;
    while start + 8 <= length {
        file.seek(SeekFrom::Start(start))?;
        let mut head = [0; 16];
        let read = file.take(16).read(&mut head)?;
        let [a, b, c, d, kind @ ..] = head;
        if !kind[..4].iter().all(|byte| (0x20..0x7f).contains(byte)) {
            // Other data follows the last box.
            return Ok(None);
        }
        let size = match u32::from_be_bytes([a, b, c, d]) {
            // The box extends to the end of the file.
            0 => return Ok(None),
            1 if read == 16 => {
                let [_, _, _, _, _, _, _, _, large @ ..] = head;
                u64::from_be_bytes(large)
            }
            size => size.into(),
        };
        if size < 8 {
            return Ok(None);
        }
        start = start.saturating_add(size);
    }
    Ok(Some(start))
}

/// The end of the segment after the EBML header.
fn end_of_segment(file: &mut File) -> io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(4))?;
    let Some(header) = vint(file)? else {
        return Ok(None);
    };
    file.seek(SeekFrom::Current(header.min(1 << 20) as i64))?;
    let mut id = [0; 4];
    if file.read_exact(&mut id).is_err() || id != [0x18, 0x53, 0x80, 0x67] {
        return Ok(None);
    }
    let Some(size) = vint(file)? else {
        return Ok(None);
    };
    Ok(Some(file.stream_position()?.saturating_add(size)))
}

/// A variable-size integer (RFC 8794, section 4); `None` if it means an unknown size.
fn vint(file: &mut File) -> io::Result<Option<u64>> {
    let mut first = [0];
    if file.read_exact(&mut first).is_err() || first[0] == 0 {
        return Ok(None);
    }
    let more = first[0].leading_zeros() as usize;
    let mut rest = [0; 7];
    if file.read_exact(&mut rest[..more]).is_err() {
        return Ok(None);
    }
    let value = rest[..more].iter().fold(
        u64::from(first[0]) & ((1 << (7 - more)) - 1),
        |value, byte| value << 8 | u64::from(*byte),
    );
    let unknown = (1 << (7 * (more + 1))) - 1;
    Ok((value != unknown).then_some(value))
}

fn end_of_riff(size: &[u8]) -> Option<u64> {
    let size = u32::from_le_bytes(size.first_chunk().copied()?);
    // An interrupted recorder leaves one of these values.
    (size != 0 && size != u32::MAX).then_some(u64::from(size) + 8)
}

#[cfg(test)]
mod tests;
