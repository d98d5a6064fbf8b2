//! Reading `fer2013.csv`: what is accepted, and what is said about files that are not.

use std::io::Write;
use std::path::Path;

use emotion_models::Emotion;
use emotion_trainer::data::fer2013::{self, Error};
use emotion_trainer::data::{Dataset, FACE_SIZE};

fn face(value: u8) -> String {
    vec![value.to_string(); FACE_SIZE * FACE_SIZE].join(" ")
}

fn file(rows: &[String]) -> String {
    format!("emotion,pixels,Usage\n{}\n", rows.join("\n"))
}

fn three_rows() -> String {
    file(&[
        format!("3,{},Training", face(1)),
        format!("6,{},PublicTest", face(2)),
        format!("0,{},PrivateTest", face(255)),
    ])
}

fn read(text: &str) -> Result<Dataset, Error> {
    fer2013::read(text.as_bytes(), Path::new("fer2013.csv"))
}

fn message_of(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

fn load(bytes: &[u8]) -> Result<Dataset, Error> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    fer2013::load(file.path())
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn rows_go_to_the_split_that_usage_names() {
    let faces = read(&three_rows()).unwrap();
    assert_eq!(faces.training.labels(), [Emotion::Happy]);
    assert_eq!(faces.public.labels(), [Emotion::Neutral]);
    assert_eq!(faces.private.labels(), [Emotion::Angry]);
    assert!(faces.private.pixels(0).iter().all(|&pixel| pixel == 255));
}

#[test]
fn columns_are_found_by_name_in_any_order() {
    let text = format!(" Usage, pixels,emotion\nTraining,{},5\n", face(9));
    assert_eq!(read(&text).unwrap().training.labels(), [Emotion::Surprise]);
}

#[test]
fn gzip_and_zstd_files_read_like_the_plain_one() {
    let text = three_rows();
    let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
    for bytes in [text.clone().into_bytes(), gzip(&text), zstd] {
        let faces = load(&bytes).unwrap();
        assert_eq!(
            faces.public.pixels(0),
            read(&text).unwrap().public.pixels(0)
        );
    }
}

#[test]
fn a_label_outside_0_to_6_is_an_error_with_its_line() {
    let text = file(&[
        format!("3,{},Training", face(1)),
        format!("7,{},Training", face(1)),
    ]);
    assert_eq!(
        message_of(&text),
        "fer2013.csv, line 3: emotion is `7`, expected 0 (angry) to 6 (neutral)"
    );
}

#[test]
fn too_few_pixels_are_an_error_with_both_counts() {
    let text = file(&["3,1 2 3,Training".to_owned()]);
    assert_eq!(
        message_of(&text),
        "fer2013.csv, line 2: expected 2304 pixels (48×48), found 3"
    );
}

#[test]
fn a_pixel_above_255_is_an_error_with_its_index() {
    let text = file(&["3,1 2 256,Training".to_owned()]);
    assert_eq!(
        message_of(&text),
        "fer2013.csv, line 2: pixel 2 is `256`, expected 0 to 255"
    );
}

#[test]
fn an_unknown_usage_is_an_error() {
    let text = file(&[format!("3,{},Test", face(1))]);
    assert_eq!(
        message_of(&text),
        "fer2013.csv, line 2: Usage is `Test`, expected Training, PublicTest or PrivateTest"
    );
}

#[test]
fn a_missing_column_is_an_error_that_shows_the_header() {
    assert_eq!(
        message_of("emotion,pixels\n0,1\n"),
        "fer2013.csv, line 1: column `Usage` is missing: expected emotion,pixels,Usage, \
         found emotion,pixels"
    );
}

#[test]
fn a_file_that_ends_inside_a_row_is_an_error_with_its_line() {
    let text = three_rows();
    let cut = &text[..text.len() - 100];
    assert_eq!(
        message_of(cut),
        "fer2013.csv, line 4: expected 3 fields, found 2"
    );
}

#[test]
fn a_truncated_gzip_file_is_an_error_that_says_so() {
    let bytes = gzip(&three_rows());
    let message = load(&bytes[..bytes.len() - 12]).unwrap_err().to_string();
    assert!(message.contains("truncated"), "{message}");
}

#[test]
fn a_file_without_rows_is_an_error() {
    assert_eq!(
        message_of("emotion,pixels,Usage\n"),
        "fer2013.csv: no rows after the header"
    );
}

#[test]
fn a_file_that_is_not_there_is_an_error_with_its_path() {
    let message = fer2013::load(Path::new("nowhere.csv"))
        .unwrap_err()
        .to_string();
    assert_eq!(message, "cannot open nowhere.csv");
}
