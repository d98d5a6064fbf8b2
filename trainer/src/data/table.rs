//! CSV files, plain or compressed, read by column names; errors give the line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::ByteRecord;
use flate2::bufread::MultiGzDecoder;

/// Why a file could not be read as a table.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is missing or not readable.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Reading or decompression failed.
    #[error(
        "{}, line {line}: cannot read further, the file may be truncated; fetch it again",
        path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The last line that was read.
        line: u64,
        /// The error of the CSV reader.
        source: csv::Error,
    },
    /// A column is missing in the header.
    #[error(
        "{}, line 1: column `{missing}` is missing: expected {expected}, found {found}",
        path.display()
    )]
    Header {
        /// The file.
        path: PathBuf,
        /// The missing column.
        missing: &'static str,
        /// All required columns.
        expected: String,
        /// The header.
        found: String,
    },
    /// A row has fewer or more fields than the header.
    #[error("{}, line {line}: expected {expected} fields, found {found}", path.display())]
    Fields {
        /// The file.
        path: PathBuf,
        /// The line on which the row begins, counted from 1.
        line: u64,
        /// Number of columns in the header.
        expected: usize,
        /// Number of fields in the row.
        found: usize,
    },
    /// There is a header but no row.
    #[error("{}: no rows after the header", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// The line of a row, counted from 1, and its trimmed fields.
pub(super) type TableRow<'a, const N: usize> = (u64, [&'a [u8]; N]);

/// `N` columns of a CSV file, in the requested order.
pub(super) struct Table<'a, R, const N: usize> {
    path: &'a Path,
    csv: csv::Reader<R>,
    columns: [usize; N],
    width: usize,
    record: ByteRecord,
}

impl<'a, R: Read, const N: usize> Table<'a, R, N> {
    /// Reads the header; `path` is used in errors only.
    pub(super) fn new(reader: R, path: &'a Path, names: [&'static str; N]) -> Result<Self, Error> {
        let mut csv = csv::ReaderBuilder::new()
            .flexible(true)
            .buffer_capacity(1 << 20)
            .from_reader(reader);
        let header = csv
            .byte_headers()
            .map_err(|source| read_error(path, 1, source))?
            .clone();
        let mut columns = [0; N];
        for (column, name) in columns.iter_mut().zip(names) {
            let found = header
                .iter()
                .position(|field| field.trim_ascii() == name.as_bytes());
            *column = found.ok_or_else(|| Error::Header {
                path: path.to_owned(),
                missing: name,
                expected: names.join(","),
                found: header.iter().map(excerpt).collect::<Vec<_>>().join(","),
            })?;
        }
        Ok(Self {
            path,
            csv,
            columns,
            width: header.len(),
            record: ByteRecord::new(),
        })
    }

    /// The next row, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<TableRow<'_, N>>, Error> {
        let found = self.csv.read_byte_record(&mut self.record);
        let reached = self.csv.position().line();
        if !found.map_err(|source| read_error(self.path, reached, source))? {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        if self.record.len() != self.width {
            return Err(Error::Fields {
                path: self.path.to_owned(),
                line,
                expected: self.width,
                found: self.record.len(),
            });
        }
        let field = |column: usize| self.record[column].trim_ascii();
        Ok(Some((line, self.columns.map(field))))
    }
}

fn read_error(path: &Path, line: u64, source: csv::Error) -> Error {
    Error::Read {
        path: path.to_owned(),
        line: source.position().map_or(line, csv::Position::line),
        source,
    }
}

/// Opens the file at `path` and decompresses it if it begins like gzip or zstd.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, Error> {
    File::open(path)
        .and_then(decompressed)
        .map_err(|source| Error::Open {
            path: path.to_owned(),
            source,
        })
}

fn decompressed(file: File) -> io::Result<Box<dyn Read>> {
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

/// A number from 0 to 255. `fer2013.csv` holds 83 million of them, so they are not converted to `str` first.
pub(super) fn parse(digits: &[u8]) -> Option<u8> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u8, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// The start of a field, for error messages.
pub(super) fn excerpt(field: &[u8]) -> String {
    const LENGTH: usize = 24;
    let text = String::from_utf8_lossy(field);
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
