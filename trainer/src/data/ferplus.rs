//! Reads `fer2013new.csv`, the votes of FER+: ten people's opinions on each row of `fer2013.csv`
//! (Barsoum, Zhang, Canton Ferrer and Zhang 2016).
//!
//! The file also names each row's image, and a few names occur twice. Where the pixels of the two rows differ, it is
//! unknown which face people voted on, so neither gets votes.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::dataset::Dataset;
use super::faces::Split;
use super::table::{self, Table, excerpt, parse};
use super::votes::{CHOICES, Votes};

/// The choices are in the order of [`Votes`].
const COLUMNS: [&str; 2 + CHOICES] = [
    "Usage",
    "Image name",
    "anger",
    "disgust",
    "fear",
    "happiness",
    "sadness",
    "surprise",
    "neutral",
    "contempt",
    "unknown",
    "NF",
];

/// Why votes could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is no table with the right columns.
    #[error(transparent)]
    Table(#[from] table::Error),
    /// A number of votes is no number.
    #[error("{}, line {line}: {column} is `{found}`, expected a number of votes", path.display())]
    Count {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The emotion.
        column: &'static str,
        /// The value found.
        found: String,
    },
    /// A row belongs to another split than the face in the same row.
    #[error(
        "{}, line {line}: the votes of row {row} are for {found}, but row {row} of the faces is \
         {expected} (rows counted from 0): pass the fer2013new.csv that belongs to this fer2013.csv, \
         both with all their rows in the published order",
        path.display()
    )]
    Usage {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The row, counted from 0 without the header.
        row: usize,
        /// The split of the face.
        expected: Split,
        /// The split in the votes.
        found: String,
    },
    /// There are fewer or more rows than faces.
    #[error(
        "{} has votes for {found}, the faces are {expected} rows: pass the fer2013new.csv that \
         belongs to this fer2013.csv, both with all their rows in the published order",
        path.display()
    )]
    Rows {
        /// The file.
        path: PathBuf,
        /// Number of faces.
        expected: usize,
        /// Number of rows with votes that were read.
        found: String,
    },
    /// The faces do not come from `fer2013.csv`.
    #[error(
        "{} holds votes for the rows of fer2013.csv, but the faces are a folder of pictures: pass \
         --data fer2013.csv, or leave --votes out",
        path.display()
    )]
    NoRows {
        /// The file.
        path: PathBuf,
    },
}

/// The votes on the faces of each split, in the order of [`Split::ALL`]; none where it is unknown which face they are for.
pub type SplitVotes = [Vec<Option<Votes>>; Split::ALL.len()];

/// Reads the votes for each face of `dataset` from the file at `path`.
///
/// # Errors
///
/// See [`Error`].
pub fn load(path: &Path, dataset: &Dataset) -> Result<SplitVotes, Error> {
    read(table::open(path)?, path, dataset)
}

/// Reads uncompressed CSV; `path` is used in errors only.
///
/// # Errors
///
/// As [`load`].
pub fn read(reader: impl Read, path: &Path, dataset: &Dataset) -> Result<SplitVotes, Error> {
    let path_buf = || path.to_owned();
    if dataset.rows().is_empty() {
        return Err(Error::NoRows { path: path_buf() });
    }
    let wrong_number = |found| Error::Rows {
        path: path_buf(),
        expected: dataset.rows().len(),
        found,
    };
    let mut table = Table::new(reader, path, COLUMNS)?;
    let mut rows = dataset.row_faces();
    let mut names = Names::default();
    let mut votes: [Vec<(Vec<u8>, Votes)>; Split::ALL.len()] = Default::default();
    let mut count = 0;
    while let Some((line, [usage, name, counts @ ..])) = table.next()? {
        let Some((split, pixels)) = rows.next() else {
            return Err(wrong_number(format!("more than {count} rows")));
        };
        if Split::from_usage(usage) != Some(split) {
            return Err(Error::Usage {
                path: path_buf(),
                line,
                row: count,
                expected: split,
                found: excerpt(usage),
            });
        }
        let of_row = counts_of(counts).map_err(|(column, found)| Error::Count {
            path: path_buf(),
            line,
            column,
            found,
        })?;
        names.insert(name, pixels);
        votes[split as usize].push((name.to_owned(), of_row));
        count += 1;
    }
    if rows.next().is_some() {
        return Err(wrong_number(format!("{count} rows")));
    }
    let of_known_face =
        |(name, votes): (Vec<u8>, Votes)| (!names.ambiguous.contains(&name)).then_some(votes);
    Ok(votes.map(|split| split.into_iter().map(of_known_face).collect()))
}

/// The pixels of each named image.
#[derive(Default)]
struct Names<'a> {
    pixels: HashMap<Vec<u8>, &'a [u8]>,
    ambiguous: HashSet<Vec<u8>>,
}

impl<'a> Names<'a> {
    fn insert(&mut self, name: &[u8], pixels: &'a [u8]) {
        // Rows without a face have no name.
        if name.is_empty() {
            return;
        }
        let first = self.pixels.entry(name.to_owned()).or_insert(pixels);
        if *first != pixels {
            self.ambiguous.insert(name.to_owned());
        }
    }
}

/// The number of votes for each choice, or the column that is no number.
fn counts_of(fields: [&[u8]; CHOICES]) -> Result<Votes, (&'static str, String)> {
    let mut counts = [0; CHOICES];
    for ((count, field), column) in counts.iter_mut().zip(fields).zip(&COLUMNS[2..]) {
        *count = parse(field).ok_or_else(|| (*column, excerpt(field)))?;
    }
    Ok(Votes::new(counts))
}
