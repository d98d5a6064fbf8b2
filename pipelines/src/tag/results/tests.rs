use super::*;
use crate::tag::inputs::InputOrigin;
use std::os::unix::ffi::OsStrExt as _;

fn input() -> InputFile {
    InputFile {
        path: "a/my.talk.mp4".into(),
        absolute: "/a/my.talk.mp4".into(),
        name: "a/my.talk.mp4".into(),
        captions: "a/my.talk".into(),
        size: 1,
        origin: InputOrigin::Local,
    }
}

fn files(folder: &Path) -> Vec<String> {
    let pattern = folder.join("**/*").display().to_string();
    let found = glob::glob(&pattern).unwrap().map(Result::unwrap);
    let files = found.filter(|path| path.is_file());
    files
        .map(|path| path.strip_prefix(folder).unwrap().display().to_string())
        .collect()
}

fn write(results: &PendingResults, captions: &str) -> Vec<String> {
    let mut writer = ResultWriter::new(results.paths.clone());
    writer.write("jsonl", "1").unwrap();
    writer.write(CAPTIONS, captions).unwrap();
    writer.finish("{}").unwrap()
}

#[test]
fn results_get_their_names_when_all_are_complete_and_nothing_else_remains() {
    let out = tempfile::tempdir().unwrap();
    let folder = ResultFolder::open(out.path(), None).unwrap();
    let results = folder.results(&input(), 0, 0).unwrap();
    let suffixes = write(&results, "WEBVTT");
    assert!(!out.path().join("a").exists());
    assert_eq!(suffixes, ["jsonl", "vtt", "summary.json"]);
    results.publish(&suffixes).unwrap();
    drop(folder);
    assert_eq!(
        files(out.path()),
        [
            "a/my.talk.mp4.jsonl",
            "a/my.talk.mp4.summary.json",
            "a/my.talk.vtt"
        ]
    );
    assert!(!out.path().join(HIDDEN).exists());
}

#[test]
fn captions_of_the_user_and_of_other_files_are_not_replaced_but_our_own_are() {
    let out = tempfile::tempdir().unwrap();
    fs::create_dir(out.path().join("a")).unwrap();
    let captions = out.path().join("a/my.talk.vtt");
    let folder = ResultFolder::open(out.path(), None).unwrap();
    for (number, foreign) in ["WEBVTT\n", "WEBVTT emotions of a/my.talk.mkv\n"]
        .iter()
        .enumerate()
    {
        fs::write(&captions, foreign).unwrap();
        let results = folder.results(&input(), number, 0).unwrap();
        assert_eq!(results.paths.name(CAPTIONS), "my.talk.mp4.vtt");
    }
    fs::write(&captions, "WEBVTT emotions of a/my.talk.mp4\n").unwrap();
    let results = folder.results(&input(), 2, 0).unwrap();
    assert_eq!(results.paths.name(CAPTIONS), "my.talk.vtt");
}

#[test]
fn an_address_has_the_bytes_of_a_name_whatever_they_are() {
    let out = tempfile::tempdir().unwrap();
    let folder = ResultFolder::open(out.path(), None).unwrap();
    let odd = InputFile {
        name: Path::new("a").join(std::ffi::OsStr::from_bytes(b"caf\xe9 1.mp4")),
        ..input()
    };
    let results = folder.results(&odd, 0, 0).unwrap();
    let address = results.paths.address("annotated.mp4");
    assert_eq!(address, "caf%E9%201.mp4.annotated.mp4");
}

#[test]
fn abandoned_results_leave_nothing() {
    let out = tempfile::tempdir().unwrap();
    let folder = ResultFolder::open(out.path(), None).unwrap();
    write(&folder.results(&input(), 0, 0).unwrap(), "WEBVTT");
    let second = folder.results(&input(), 0, 1).unwrap();
    assert!(!second.paths.growing("jsonl").exists());
    drop((second, folder));
    assert!(files(out.path()).is_empty());
}

#[test]
fn what_a_killed_run_left_is_removed() {
    let out = tempfile::tempdir().unwrap();
    let left = out.path().join(HIDDEN).join("3");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("result.jsonl"), "half").unwrap();
    let folder = ResultFolder::open(out.path(), None).unwrap();
    assert!(!left.exists());
    folder.results(&input(), 3, 0).unwrap();
}

#[test]
fn a_second_process_is_rejected() {
    let out = tempfile::tempdir().unwrap();
    let first = ResultFolder::open(out.path(), None).unwrap();
    let error = ResultFolder::open(out.path(), None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("another emotion-tag"), "{error}");
    drop(first);
    ResultFolder::open(out.path(), None).unwrap();
}

#[test]
fn processes_with_work_folders_share_the_folder_and_the_last_one_clears_it() {
    let out = tempfile::tempdir().unwrap();
    let open = |work: &str| ResultFolder::open(out.path(), Some(work));
    let (first, second) = (open("1-of-2").unwrap(), open("2-of-2").unwrap());
    for rejected in [open("1-of-2"), ResultFolder::open(out.path(), None)] {
        let error = rejected.unwrap_err().to_string();
        assert!(error.contains("another emotion-tag"), "{error}");
    }
    let results = second.results(&input(), 0, 0).unwrap();
    drop(first);
    // The other one goes on.
    write(&results, "WEBVTT");
    // What another process left is not removed while it may still run.
    let again = open("1-of-2").unwrap();
    assert!(results.paths.growing("jsonl").exists());
    drop((results, second, again));
    assert!(!out.path().join(HIDDEN).exists());
    ResultFolder::open(out.path(), None).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_says_what_to_do() {
    let error = ResultFolder::open(Path::new("/dev/null/out"), None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("--out names another folder"), "{error}");
}
