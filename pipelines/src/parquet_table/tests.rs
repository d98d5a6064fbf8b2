use std::fs::File;

use super::*;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

/// Two columns with these rows, read back.
fn written(rows: impl Iterator<Item = [Cell<'static>; 2]>) -> Vec<Vec<(String, Field)>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.parquet");
    let columns = [("number", ColumnType::Integer), ("name", ColumnType::Text)];
    let file = File::create(&path).unwrap();
    let mut table = ParquetTable::new(file, "table", columns.into_iter()).unwrap();
    rows.for_each(|row| table.push(row).unwrap());
    table.finish().unwrap();
    let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().into_columns()).collect()
}

fn row(number: usize) -> [Cell<'static>; 2] {
    [Cell::Integer(Some(number as i64)), Cell::Text(None)]
}

#[test]
fn an_unknown_value_is_null() {
    let rows = written([[Cell::Integer(None), Cell::Text(Some("a".into()))]].into_iter());
    assert_eq!(rows[0][0], ("number".to_owned(), Field::Null));
    assert_eq!(rows[0][1], ("name".to_owned(), Field::Str("a".into())));
}

#[test]
fn rows_of_several_groups_are_in_order() {
    let count = GROUP + 10;
    let rows = written((0..count).map(row));
    assert_eq!(rows.len(), count);
    assert_eq!(rows[count - 1][0].1, Field::Long(count as i64 - 1));
}

#[test]
fn a_table_without_rows_has_columns() {
    assert!(written(std::iter::empty()).is_empty());
}
