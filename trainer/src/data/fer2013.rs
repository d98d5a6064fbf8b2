//! Reads `fer2013.csv` as it was published: columns `emotion`, `pixels`, `Usage`.
//!
//! Plain, gzip and zstd files are told apart by their first bytes. Nothing is skipped: a row that
//! is not a face with a known label and split is an error with its line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::ByteRecord;
use emotion_models::Emotion;
use flate2::bufread::MultiGzDecoder;

use super::{FACE_SIZE, Faces, Split};

const COLUMNS: [&str; 3] = ["emotion", "pixels", "Usage"];

/// FER-2013 in memory.
#[derive(Debug, Clone, Default)]
pub struct Fer2013 {
    /// 28,709 faces in the published file.
    pub training: Faces,
    /// 3,589 faces in the published file.
    pub public: Faces,
    /// 3,589 faces in the published file.
    pub private: Faces,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not there or not readable.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Reading or unpacking stopped in the middle.
    #[error(
        "{}, line {line}: cannot read further, the file may be truncated; fetch it again",
        path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The last line that was reached.
        line: u64,
        /// What the reader says.
        source: csv::Error,
    },
    /// A column is not in the header.
    #[error(
        "{}, line 1: column `{missing}` is missing: expected emotion,pixels,Usage, found {found}",
        path.display()
    )]
    Header {
        /// The file.
        path: PathBuf,
        /// The column that was looked for.
        missing: &'static str,
        /// The header.
        found: String,
    },
    /// A row is not a labelled face.
    #[error("{}, line {line}: {problem}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line on which the row begins, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: RowProblem,
    },
    /// There is a header but no row.
    #[error("{}: no rows after the header", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// What is wrong with a row.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// Fewer or more fields than the header names.
    #[error("expected {expected} fields, found {found}")]
    Fields {
        /// Number of columns in the header.
        expected: usize,
        /// Number of fields in the row.
        found: usize,
    },
    /// A label outside 0 to 6.
    #[error("emotion is `{0}`, expected 0 (angry) to 6 (neutral)")]
    Label(String),
    /// Not exactly one value per pixel.
    #[error("expected 2304 pixels (48×48), found {0}")]
    PixelCount(usize),
    /// A value outside 0 to 255.
    #[error("pixel {index} is `{value}`, expected 0 to 255")]
    Pixel {
        /// Position in the row's pixels, counted from 0.
        index: usize,
        /// What stands there.
        value: String,
    },
    /// A split that FER-2013 does not have.
    #[error("Usage is `{0}`, expected Training, PublicTest or PrivateTest")]
    Usage(String),
}

impl Fer2013 {
    /// Reads the file at `path`.
    ///
    /// # Errors
    ///
    /// See [`Error`]; nothing is returned for a file with a single broken row.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let opened = |source| Error::Open {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(opened)?;
        let reader = unpacked(file).map_err(opened)?;
        Self::read(reader, path)
    }

    /// Reads unpacked CSV; `path` only stands in the errors.
    ///
    /// # Errors
    ///
    /// As [`Fer2013::load`].
    pub fn read(reader: impl Read, path: &Path) -> Result<Self, Error> {
        let mut csv = csv::ReaderBuilder::new()
            .flexible(true)
            .buffer_capacity(1 << 20)
            .from_reader(reader);
        let read_error = |source: csv::Error, line| Error::Read {
            path: path.to_owned(),
            line: source.position().map_or(line, csv::Position::line),
            source,
        };

        let header = csv
            .byte_headers()
            .map_err(|source| read_error(source, 1))?
            .clone();
        let columns = Columns::find(&header, path)?;
        let mut faces = Self::default();
        let mut pixels = Vec::with_capacity(FACE_SIZE * FACE_SIZE);
        let mut record = ByteRecord::new();
        while csv
            .read_byte_record(&mut record)
            .map_err(|source| read_error(source, csv.position().line()))?
        {
            let (split, label) = columns.row(&record, &mut pixels).map_err(|problem| {
                let line = record.position().map_or(0, csv::Position::line);
                Error::Row {
                    path: path.to_owned(),
                    line,
                    problem,
                }
            })?;
            faces.split_mut(split).push(&pixels, label);
        }
        if Split::ALL
            .iter()
            .all(|&split| faces.split(split).is_empty())
        {
            return Err(Error::Empty {
                path: path.to_owned(),
            });
        }
        Ok(faces)
    }

    /// The faces of one split.
    pub fn split(&self, split: Split) -> &Faces {
        match split {
            Split::Training => &self.training,
            Split::Public => &self.public,
            Split::Private => &self.private,
        }
    }

    fn split_mut(&mut self, split: Split) -> &mut Faces {
        match split {
            Split::Training => &mut self.training,
            Split::Public => &mut self.public,
            Split::Private => &mut self.private,
        }
    }
}

fn unpacked(file: File) -> io::Result<Box<dyn Read>> {
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let start = reader.fill_buf()?;
    Ok(if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(MultiGzDecoder::new(reader))
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(zstd::Decoder::with_buffer(reader)?)
    } else {
        Box::new(reader)
    })
}

/// Where the columns stand in this file.
struct Columns {
    count: usize,
    emotion: usize,
    pixels: usize,
    usage: usize,
}

impl Columns {
    fn find(header: &ByteRecord, path: &Path) -> Result<Self, Error> {
        let find = |name: &'static str| {
            header
                .iter()
                .position(|field| field.trim_ascii() == name.as_bytes())
                .ok_or_else(|| Error::Header {
                    path: path.to_owned(),
                    missing: name,
                    found: header.iter().map(excerpt).collect::<Vec<_>>().join(","),
                })
        };
        let [emotion, pixels, usage] = COLUMNS;
        Ok(Self {
            count: header.len(),
            emotion: find(emotion)?,
            pixels: find(pixels)?,
            usage: find(usage)?,
        })
    }

    /// Checks a row; its pixels are left in `pixels`.
    fn row(
        &self,
        record: &ByteRecord,
        pixels: &mut Vec<u8>,
    ) -> Result<(Split, Emotion), RowProblem> {
        if record.len() != self.count {
            return Err(RowProblem::Fields {
                expected: self.count,
                found: record.len(),
            });
        }
        let label = record[self.emotion].trim_ascii();
        let label = parse(label)
            .and_then(|id| Emotion::from_label_id(id.into()))
            .ok_or_else(|| RowProblem::Label(excerpt(label)))?;
        let usage = record[self.usage].trim_ascii();
        let split = Split::ALL
            .into_iter()
            .find(|split| split.usage().as_bytes() == usage)
            .ok_or_else(|| RowProblem::Usage(excerpt(usage)))?;
        read_pixels(&record[self.pixels], pixels)?;
        Ok((split, label))
    }
}

fn read_pixels(field: &[u8], pixels: &mut Vec<u8>) -> Result<(), RowProblem> {
    pixels.clear();
    let values = field
        .split(u8::is_ascii_whitespace)
        .filter(|value| !value.is_empty());
    for (index, value) in values.enumerate() {
        let pixel = parse(value).ok_or_else(|| RowProblem::Pixel {
            index,
            value: excerpt(value),
        })?;
        pixels.push(pixel);
    }
    if pixels.len() != FACE_SIZE * FACE_SIZE {
        return Err(RowProblem::PixelCount(pixels.len()));
    }
    Ok(())
}

/// A number from 0 to 255; 83 million of them stand in the file, so no detour through `str`.
fn parse(digits: &[u8]) -> Option<u8> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u8, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// The start of a field, for messages.
fn excerpt(field: &[u8]) -> String {
    const LENGTH: usize = 24;
    let text = String::from_utf8_lossy(field);
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
