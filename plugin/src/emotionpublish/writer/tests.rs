use super::*;

fn location(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_file_grows_line_by_line_beside_its_name_and_gets_it_when_published() {
    let folder = folder();
    let whole = folder.path().join("faces.jsonl");
    let part = folder.path().join("faces.jsonl.part");
    fs::write(&whole, "old").unwrap();

    let mut writer = LineWriter::open(location(&whole)).unwrap();
    writer.write(b"1\n").unwrap();
    assert_eq!(fs::read_to_string(&part).unwrap(), "1\n");
    writer.write(b"2\n").unwrap();
    assert_eq!(fs::read_to_string(&part).unwrap(), "1\n2\n");
    assert_eq!(fs::read_to_string(&whole).unwrap(), "old");

    writer.publish().unwrap();
    assert_eq!(fs::read_to_string(&whole).unwrap(), "1\n2\n");
    assert!(!part.exists());
}

#[test]
fn lines_after_publishing_are_added_to_the_file() {
    let folder = folder();
    let whole = folder.path().join("faces.jsonl");
    let mut writer = LineWriter::open(location(&whole)).unwrap();
    writer.write(b"1\n").unwrap();
    writer.publish().unwrap();
    writer.write(b"2\n").unwrap();
    writer.publish().unwrap();
    assert_eq!(fs::read_to_string(&whole).unwrap(), "1\n2\n");
}

#[test]
fn a_link_is_followed() {
    let folder = folder();
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    fs::write(&file, "old").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let mut writer = LineWriter::open(location(&link)).unwrap();
    writer.write(b"1\n").unwrap();
    writer.publish().unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "1\n");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn a_device_is_written_directly() {
    let mut writer = LineWriter::open("/dev/null").unwrap();
    writer.write(b"1\n").unwrap();
    writer.publish().unwrap();
    assert!(!Path::new("/dev/null.part").exists());
}

#[test]
fn a_full_device_is_an_error_that_names_it() {
    let error = LineWriter::open("/dev/full")
        .unwrap()
        .write(b"1\n")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("cannot write to /dev/full: No space left"),
        "{error}"
    );
}

#[test]
fn a_folder_and_a_missing_folder_are_errors_that_name_them() {
    let folder = folder();
    let error = LineWriter::open(location(folder.path()))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(location(folder.path())) && error.contains("director"),
        "{error}"
    );
    let missing = folder.path().join("no/such/file");
    let error = LineWriter::open(location(&missing))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no/such/file") && error.contains("No such file"),
        "{error}"
    );
}
