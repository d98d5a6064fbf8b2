//! Date and camera of a photograph, from EXIF (CIPA DC-008).

use exif::{DateTime, Exif, In, Reader, Tag, Value};

use super::Recording;
use crate::tag::recording;

/// What the TIFF structure `bytes` tells; nothing if it is damaged, because the picture is there all the same.
pub(super) fn recording(bytes: Vec<u8>) -> Recording {
    let Ok(exif) = Reader::new().read_raw(bytes) else {
        return Recording::default();
    };
    let recorded = date(&exif, Tag::DateTimeOriginal, Tag::OffsetTimeOriginal)
        .or_else(|| date(&exif, Tag::DateTime, Tag::OffsetTime));
    Recording {
        recorded,
        camera: recording::camera(
            text(&exif, Tag::Make).as_deref(),
            text(&exif, Tag::Model).as_deref(),
        ),
        timecode: None,
        hdr: None,
    }
}

/// A date as ISO 8601, with the time zone if it is told.
fn date(exif: &Exif, tag: Tag, offset: Tag) -> Option<String> {
    let date = DateTime::from_ascii(text(exif, tag)?.as_bytes()).ok()?;
    let DateTime {
        year,
        month,
        day,
        hour,
        minute,
        second,
        ..
    } = date;
    let zone = text(exif, offset).unwrap_or_default();
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}"
    ))
}

fn text(exif: &Exif, tag: Tag) -> Option<String> {
    match &exif.get_field(tag, In::PRIMARY)?.value {
        Value::Ascii(texts) => {
            let text = String::from_utf8_lossy(texts.first()?);
            Some(text.trim().to_owned()).filter(|text| !text.is_empty())
        }
        _ => None,
    }
}
