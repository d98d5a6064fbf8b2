use super::*;

fn input() -> InputFile {
    InputFile {
        path: "a/my.talk.mp4".into(),
        absolute: "/a/my.talk.mp4".into(),
        name: "a/my.talk".into(),
        size: 1,
        modified_ns: 1,
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

#[test]
fn results_get_their_names_when_all_are_complete_and_nothing_else_remains() {
    let out = tempfile::tempdir().unwrap();
    let folder = ResultFolder::open(out.path()).unwrap();
    let mut results = folder.results(&input(), 0).unwrap();
    results.write("jsonl", "1").unwrap();
    assert!(!out.path().join("a").exists());
    assert_eq!(results.names(), ["my.talk.jsonl"]);
    results.publish("{}").unwrap();
    drop(folder);
    assert_eq!(
        files(out.path()),
        ["a/my.talk.jsonl", "a/my.talk.summary.json"]
    );
    assert!(!out.path().join(HIDDEN).exists());
}

#[test]
fn abandoned_results_leave_nothing() {
    let out = tempfile::tempdir().unwrap();
    let folder = ResultFolder::open(out.path()).unwrap();
    folder
        .results(&input(), 0)
        .unwrap()
        .write("jsonl", "1")
        .unwrap();
    drop(folder);
    assert!(files(out.path()).is_empty());
}

#[test]
fn what_a_killed_run_left_is_removed() {
    let out = tempfile::tempdir().unwrap();
    let left = out.path().join(HIDDEN).join("3");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("result.jsonl"), "half").unwrap();
    let folder = ResultFolder::open(out.path()).unwrap();
    assert!(!left.exists());
    folder.results(&input(), 3).unwrap();
}

#[test]
fn a_second_process_is_rejected() {
    let out = tempfile::tempdir().unwrap();
    let first = ResultFolder::open(out.path()).unwrap();
    let error = ResultFolder::open(out.path()).unwrap_err().to_string();
    assert!(error.contains("another emotion-tag"), "{error}");
    drop(first);
    ResultFolder::open(out.path()).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_says_what_to_do() {
    let error = ResultFolder::open(Path::new("/dev/null/out"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("--out names another folder"), "{error}");
}
