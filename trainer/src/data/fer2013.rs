//! Reads `fer2013.csv` as it was published: columns `emotion`, `pixels`, `Usage`.
//!
//! The first bytes decide whether a file is plain, gzip or zstd. Nothing is skipped: a row that is not a face with a
//! known label and split is an error with its line.

use std::io::Read;
use std::path::{Path, PathBuf};

use emotion_models::Emotion;

use super::dataset::Dataset;
use super::faces::{FACE_SIZE, Split};
use super::table::{self, Table, excerpt, parse};

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is no table with the right columns.
    #[error(transparent)]
    Table(#[from] table::Error),
    /// A row is not a labelled face.
    #[error("{}, line {line}: {problem}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line on which the row begins, counted from 1.
        line: u64,
        /// The problem.
        problem: RowProblem,
    },
}

/// The problem of a row.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// A label outside 0 to 6.
    #[error("emotion is `{0}`, expected 0 (angry) to 6 (neutral)")]
    Label(String),
    /// There is not exactly one value per pixel.
    #[error("expected 2304 pixels (48×48), found {0}")]
    PixelCount(usize),
    /// A value outside 0 to 255.
    #[error("pixel {index} is `{value}`, expected 0 to 255")]
    Pixel {
        /// Position in the row's pixels, counted from 0.
        index: usize,
        /// The value found.
        value: String,
    },
    /// A split that FER-2013 does not have.
    #[error("Usage is `{0}`, expected Training, PublicTest or PrivateTest")]
    Usage(String),
}

/// Reads the file at `path`.
///
/// # Errors
///
/// See [`Error`]; a single broken row fails the whole file.
pub fn load(path: &Path) -> Result<Dataset, Error> {
    read(table::open(path)?, path)
}

/// Reads uncompressed CSV; `path` is used in errors only.
///
/// # Errors
///
/// As [`load`].
pub fn read(reader: impl Read, path: &Path) -> Result<Dataset, Error> {
    let mut table = Table::new(reader, path, ["emotion", "pixels", "Usage"])?;
    let mut dataset = Dataset::default();
    let mut pixels = Vec::with_capacity(FACE_SIZE * FACE_SIZE);
    while let Some((line, fields)) = table.next()? {
        let row = |problem| Error::Row {
            path: path.to_owned(),
            line,
            problem,
        };
        let (split, label) = read_row(fields, &mut pixels).map_err(row)?;
        dataset.push_row(split, &pixels, label);
    }
    if dataset.rows().is_empty() {
        let path = path.to_owned();
        return Err(table::Error::Empty { path }.into());
    }
    Ok(dataset)
}

/// Parses a row; its pixels are written to `pixels`.
fn read_row(
    [label, values, usage]: [&[u8]; 3],
    pixels: &mut Vec<u8>,
) -> Result<(Split, Emotion), RowProblem> {
    let label = parse(label)
        .and_then(|id| Emotion::from_label_id(id.into()))
        .ok_or_else(|| RowProblem::Label(excerpt(label)))?;
    let split = Split::from_usage(usage).ok_or_else(|| RowProblem::Usage(excerpt(usage)))?;
    read_pixels(values, pixels)?;
    Ok((split, label))
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
