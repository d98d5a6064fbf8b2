use super::*;

#[test]
fn the_new_contents_replace_the_old_and_nothing_else_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    write(&path, b"old").unwrap();
    write(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
}

#[test]
fn a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    write(&path, b"old").unwrap();
    let error = write_with(&path, |file| {
        file.write_all(b"ne")?;
        Err(io::ErrorKind::StorageFull.into())
    });
    assert_eq!(error.unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
}

#[test]
fn a_finished_file_replaces_the_one_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let [from, to] = ["part", "whole"].map(|name| folder.path().join(name));
    fs::write(&from, b"new").unwrap();
    fs::write(&to, b"old").unwrap();
    rename(&from, &to).unwrap();
    assert_eq!(fs::read(&to).unwrap(), b"new");
    assert!(!from.exists());
}

#[test]
fn a_linked_name_keeps_its_contents_when_the_other_name_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let [named, best] = ["named", "best"].map(|name| folder.path().join(name));
    write(&best, b"before").unwrap();
    write(&named, b"first").unwrap();
    link(&best, &named).unwrap();
    link(&best, &named).unwrap();
    assert_eq!(fs::read(&best).unwrap(), b"first");
    write(&best, b"second").unwrap();
    assert_eq!(fs::read(&named).unwrap(), b"first");
    assert_eq!(folder.path().read_dir().unwrap().count(), 2);
}

#[test]
fn unfinished_files_of_killed_programs_go_and_all_else_stays() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        ".writing-a1b2c3",
        ".weights-a1b2c3",
        "best.safetensors",
        ".keep",
    ] {
        fs::write(folder.path().join(name), b"").unwrap();
    }
    remove_unfinished(folder.path()).unwrap();
    let entries = folder.path().read_dir().unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".keep", "best.safetensors"]);
}

#[test]
fn a_missing_folder_is_an_error() {
    let error = write(Path::new("nowhere/file"), b"").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}
