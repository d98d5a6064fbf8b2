//! Writes records to a file: JSON Lines, CSV or Parquet.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;
use gstemotion::record::{Record, table};

use super::settings::RecordFileFormat;
use crate::parquet_table::ParquetTable;

/// A growing file of records.
pub(super) struct RecordFile {
    writer: Writer,
    /// The final path, for messages.
    shown: String,
}

enum Writer {
    JsonLines(BufWriter<File>),
    Csv(BufWriter<File>, Vec<u8>),
    Parquet(Box<ParquetTable<File>>),
}

impl RecordFile {
    /// Creates the file at `path`; error messages name it `shown`.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(super) fn create(
        format: RecordFileFormat,
        path: &Path,
        shown: &Path,
    ) -> anyhow::Result<Self> {
        let shown = shown.display().to_string();
        let create = || -> anyhow::Result<Writer> {
            let file = File::create(path)?;
            Ok(match format {
                RecordFileFormat::Jsonl => Writer::JsonLines(BufWriter::new(file)),
                RecordFileFormat::Csv => {
                    let mut file = BufWriter::new(file);
                    file.write_all(table::csv_header().as_bytes())?;
                    Writer::Csv(file, Vec::new())
                }
                RecordFileFormat::Parquet => {
                    let columns = table::columns();
                    let columns = columns.iter().map(|column| (column.name, column.kind));
                    Writer::Parquet(Box::new(ParquetTable::new(file, "faces", columns)?))
                }
            })
        };
        let writer = create().with_context(|| format!("{shown}: cannot be written"))?;
        Ok(Self { writer, shown })
    }

    /// Appends a record.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(super) fn write(&mut self, record: &Record) -> anyhow::Result<()> {
        let written = match &mut self.writer {
            Writer::JsonLines(file) => serde_json::to_writer(&mut *file, record)
                // The error of the disk itself, which tells whether another attempt may succeed.
                .map_err(io::Error::from)
                .and_then(|()| file.write_all(b"\n"))
                .map_err(anyhow::Error::from),
            Writer::Csv(file, text) => {
                text.clear();
                table::append_csv(record, text);
                file.write_all(text).map_err(anyhow::Error::from)
            }
            Writer::Parquet(file) => table::rows(record).try_for_each(|row| file.push(row)),
        };
        written.with_context(|| format!("{}: cannot be written", self.shown))
    }

    /// Completes the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let finished = match self.writer {
            Writer::JsonLines(mut file) | Writer::Csv(mut file, _) => Ok(file.flush()?),
            Writer::Parquet(file) => file.finish().map(drop),
        };
        finished.with_context(|| format!("{}: cannot be written", self.shown))
    }
}

#[cfg(test)]
mod tests {
    use super::super::timeline::tests::{face, record};
    use super::*;
    use std::fs;

    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    #[test]
    fn lines_are_equal_to_those_of_the_element() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let records = [
            record(0.0, vec![face(1, 3, "happy", 0.5)]),
            record(None, vec![]),
        ];
        let written = |format| {
            let mut file = RecordFile::create(format, &path, &path).unwrap();
            records
                .iter()
                .for_each(|record| file.write(record).unwrap());
            file.finish().unwrap();
            fs::read_to_string(&path).unwrap()
        };
        let back: Vec<Record> = written(RecordFileFormat::Jsonl)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(back, records);
        let csv = written(RecordFileFormat::Csv);
        assert_eq!(csv.lines().count(), 3);
        assert!(csv.starts_with(&table::csv_header()));
    }

    #[test]
    fn a_parquet_file_has_the_columns_of_the_table_with_their_types() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut file = RecordFile::create(RecordFileFormat::Parquet, &path, &path).unwrap();
        file.write(&record(2.5, vec![face(7, 3, "happy", 0.5)]))
            .unwrap();
        file.write(&record(None, vec![])).unwrap();
        file.finish().unwrap();
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        let rows = reader.get_row_iter(None).unwrap();
        let rows: Vec<_> = rows.map(|row| row.unwrap().into_columns()).collect();
        assert_eq!(rows.len(), 2);
        let value = |row: usize, name: &str| {
            let field = rows[row].iter().find(|(column, _)| column == name);
            field.unwrap().1.clone()
        };
        assert_eq!(value(0, "stream_time"), Field::Double(2.5));
        assert_eq!(value(0, "id"), Field::Long(7));
        assert_eq!(value(0, "emotion"), Field::Str("happy".into()));
        assert_eq!(value(0, "uncertain"), Field::Bool(false));
        assert_eq!(value(0, "happy"), Field::Double(0.5));
        assert_eq!(value(0, "sad"), Field::Null);
        assert_eq!(value(1, "stream_time"), Field::Null);
        assert_eq!(value(1, "faces"), Field::Long(0));
        assert_eq!(value(1, "emotion"), Field::Null);
    }

    #[test]
    fn an_error_names_the_final_path() {
        let shown = Path::new("out/talk.csv");
        let error = RecordFile::create(RecordFileFormat::Csv, Path::new("/nowhere/x"), shown).err();
        let error = format!("{:#}", error.expect("there is no such folder"));
        assert!(
            error.starts_with("out/talk.csv: cannot be written: No such"),
            "{error}"
        );

        for format in [
            RecordFileFormat::Jsonl,
            RecordFileFormat::Csv,
            RecordFileFormat::Parquet,
        ] {
            let mut file = RecordFile::create(format, Path::new("/dev/full"), shown).unwrap();
            let written = (0..10_000).try_for_each(|_| file.write(&record(0.0, vec![])));
            let error = written.and_then(|()| file.finish()).unwrap_err();
            let error = format!("{error:#}");
            assert!(
                error.contains("talk.csv") && error.contains("No space left"),
                "{error}"
            );
        }
    }
}
