use super::super::super::timeline::tests::{face, record};
use super::*;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

/// The rows of a file with these records.
fn written(records: &[Record]) -> Vec<Vec<(String, Field)>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.parquet");
    let mut file = ParquetFile::new(File::create(&path).unwrap()).unwrap();
    records
        .iter()
        .for_each(|record| file.write(record).unwrap());
    file.finish().unwrap();
    let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().into_columns()).collect()
}

#[test]
fn a_row_is_read_back_with_the_types_of_the_columns() {
    let rows = written(&[
        record(2.5, vec![face(7, 3, "happy", 0.5)]),
        record(None, vec![]),
    ]);
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
fn rows_of_several_groups_are_in_order() {
    let count = GROUP + 10;
    let records: Vec<_> = (0..count).map(|n| record(n as f64, vec![])).collect();
    let rows = written(&records);
    assert_eq!(rows.len(), count);
    assert_eq!(rows[count - 1][0].1, Field::Double((count - 1) as f64));
}

#[test]
fn a_file_without_frames_has_columns_and_no_rows() {
    assert!(written(&[]).is_empty());
}
