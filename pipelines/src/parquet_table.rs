//! Tables as Parquet files.

use std::io::Write;
use std::sync::Arc;

use gstemotion::record::table::{Cell, ColumnType};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

/// Number of rows that are written together.
const GROUP: usize = 65_536;

/// A growing Parquet file with one table.
pub struct ParquetTable<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Cells>,
    rows: usize,
}

/// The values of a column that are not written yet; `None` for an empty cell.
enum Cells {
    Floats(Vec<Option<f64>>),
    Integers(Vec<Option<i64>>),
    Booleans(Vec<Option<bool>>),
    Texts(Vec<Option<ByteArray>>),
}

impl<W: Write + Send> ParquetTable<W> {
    /// A table with this name and these columns.
    ///
    /// # Errors
    ///
    /// If its beginning cannot be written.
    pub fn new<'a>(
        writer: W,
        name: &str,
        columns: impl Iterator<Item = (&'a str, ColumnType)> + Clone,
    ) -> anyhow::Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("emotion-tag ", env!("CARGO_PKG_VERSION")).into())
            .build();
        let cells = |(_, kind)| match kind {
            ColumnType::Float => Cells::Floats(Vec::new()),
            ColumnType::Integer => Cells::Integers(Vec::new()),
            ColumnType::Boolean => Cells::Booleans(Vec::new()),
            ColumnType::Text => Cells::Texts(Vec::new()),
        };
        let schema = schema(name, columns.clone())?;
        Ok(Self {
            writer: SerializedFileWriter::new(writer, schema, Arc::new(properties))?,
            columns: columns.map(cells).collect(),
            rows: 0,
        })
    }

    /// Appends a row: a cell for each column, of its type.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn push<'a>(&mut self, row: impl IntoIterator<Item = Cell<'a>>) -> anyhow::Result<()> {
        for (cells, value) in self.columns.iter_mut().zip(row) {
            cells.push(value);
        }
        self.rows += 1;
        if self.rows >= GROUP {
            self.write_group()?;
        }
        Ok(())
    }

    /// Completes the file and returns the writer.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn finish(mut self) -> anyhow::Result<W> {
        self.write_group()?;
        Ok(self.writer.into_inner()?)
    }

    fn write_group(&mut self) -> anyhow::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        let mut group = self.writer.next_row_group()?;
        for cells in &mut self.columns {
            if let Some(mut column) = group.next_column()? {
                cells.write(column.untyped())?;
                column.close()?;
            }
        }
        group.close()?;
        Ok(())
    }
}

impl Cells {
    fn push(&mut self, value: Cell<'_>) {
        match (self, value) {
            (Self::Floats(cells), Cell::Float(value)) => cells.push(value),
            (Self::Integers(cells), Cell::Integer(value)) => cells.push(value),
            (Self::Booleans(cells), Cell::Boolean(value)) => cells.push(value),
            (Self::Texts(cells), Cell::Text(value)) => {
                cells.push(value.map(|text| ByteArray::from(text.as_ref())));
            }
            _ => unreachable!("the value has another type than its column"),
        }
    }

    fn write(&mut self, column: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        /// The values that exist, and the definition level of each cell: 1 for a value, 0 for an empty cell.
        fn split<T>(cells: &mut Vec<Option<T>>) -> (Vec<T>, Vec<i16>) {
            let levels = cells.iter().map(|cell| cell.is_some().into()).collect();
            (cells.drain(..).flatten().collect(), levels)
        }
        macro_rules! write {
            ($writer:expr, $cells:expr) => {{
                let (values, levels) = split($cells);
                $writer.write_batch(&values, Some(&levels), None)?;
            }};
        }
        match (self, column) {
            (Self::Floats(cells), ColumnWriter::DoubleColumnWriter(writer)) => {
                write!(writer, cells)
            }
            (Self::Integers(cells), ColumnWriter::Int64ColumnWriter(writer)) => {
                write!(writer, cells)
            }
            (Self::Booleans(cells), ColumnWriter::BoolColumnWriter(writer)) => {
                write!(writer, cells)
            }
            (Self::Texts(cells), ColumnWriter::ByteArrayColumnWriter(writer)) => {
                write!(writer, cells)
            }
            _ => {
                return Err(ParquetError::General(
                    "the column has another type than in the schema".into(),
                ));
            }
        }
        Ok(())
    }
}

fn schema<'a>(
    name: &str,
    columns: impl Iterator<Item = (&'a str, ColumnType)>,
) -> Result<TypePtr, ParquetError> {
    let column = |name: &str, kind| {
        let (physical, logical) = match kind {
            ColumnType::Float => (Physical::DOUBLE, None),
            ColumnType::Integer => (Physical::INT64, None),
            ColumnType::Boolean => (Physical::BOOLEAN, None),
            ColumnType::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        Type::primitive_type_builder(name, physical)
            .with_logical_type(logical)
            .with_repetition(Repetition::OPTIONAL)
            .build()
            .map(Arc::new)
    };
    let fields = columns
        .map(|(name, kind)| column(name, kind))
        .collect::<Result<_, _>>()?;
    let table = Type::group_type_builder(name).with_fields(fields).build()?;
    Ok(Arc::new(table))
}

#[cfg(test)]
mod tests;
