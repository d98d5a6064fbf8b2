use super::*;
use std::os::unix::fs::symlink;

struct Archive(tempfile::TempDir);

impl Archive {
    fn new(files: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn scan(&self, named: &[&str]) -> InputFiles {
        self.scan_below(named, None)
    }

    fn scan_below(&self, named: &[&str], root: Option<&str>) -> InputFiles {
        let named: Vec<_> = named.iter().map(|path| self.path(path)).collect();
        scan(&named, &[], root.map(|root| self.path(root)).as_deref()).unwrap()
    }
}

fn names(found: &InputFiles) -> Vec<&str> {
    let names = found.files.iter().map(|input| input.name.to_str());
    names.map(Option::unwrap).collect()
}

fn captions(found: &InputFiles) -> Vec<&str> {
    let names = found.files.iter().map(|input| input.captions.to_str());
    names.map(Option::unwrap).collect()
}

#[test]
fn a_folder_gives_its_pictures_and_videos_by_name_with_their_folders() {
    let archive = Archive::new(&[
        "a/2.MP4",
        "a/1.mkv",
        "a/b/3.jpg",
        "a/notes.txt",
        "a/.hidden.mp4",
    ]);
    let found = archive.scan(&["a"]);
    assert_eq!(names(&found), ["1.mkv", "2.MP4", "b/3.jpg"]);
    assert_eq!(captions(&found), ["1", "2", "b/3"]);
    assert!(found.rejected.is_empty());
}

#[test]
fn earlier_results_are_no_input_in_whatever_folder_they_are() {
    let archive = Archive::new(&[
        "1.mp4",
        "1.mp4.annotated.mp4",
        "out/2.jpg.annotated.png",
        "talk.annotated.mp4",
        "his.annotated.mp4",
    ]);
    let summary = r#"{"outputs":["talk.jsonl","talk.annotated.mp4"]}"#;
    fs::write(archive.path("talk.summary.json"), summary).unwrap();
    assert_eq!(names(&archive.scan(&["."])), ["1.mp4", "his.annotated.mp4"]);
    assert_eq!(
        names(&archive.scan(&["*.mp4"])),
        ["1.mp4", "his.annotated.mp4"]
    );
    // The user may name one.
    let named = archive.scan(&["1.mp4.annotated.mp4"]);
    assert_eq!(names(&named), ["1.mp4.annotated.mp4"]);
}

#[test]
fn a_named_file_is_taken_whatever_it_is_called_and_once() {
    let archive = Archive::new(&["talk", "b.mp4"]);
    assert_eq!(
        names(&archive.scan(&["talk", "b.mp4", "./talk", "*.mp4"])),
        ["talk", "b.mp4"]
    );
}

#[test]
fn a_file_of_a_pattern_is_named_by_its_path_below_the_fixed_part() {
    let archive = Archive::new(&["x/a/1.mp4", "x/b/1.mp4", "x/c/d/2.mp4"]);
    let found = archive.scan(&["x/[ab]/*.mp4", "x/c*"]);
    assert_eq!(names(&found), ["a/1.mp4", "b/1.mp4", "c/d/2.mp4"]);
}

#[test]
fn a_root_names_everything_and_what_is_not_below_it_is_rejected() {
    let archive = Archive::new(&["x/1.mp4", "x/y/1.mp4", "z/3.mp4"]);
    let named = ["x/1.mp4", "x/y", "z/3.mp4"];
    let found = archive.scan_below(&named, Some("x"));
    assert_eq!(names(&found), ["1.mp4", "y/1.mp4"]);
    assert!(found.rejected[0].reason.contains("--root"));
    let found = archive.scan_below(&named, Some("."));
    assert_eq!(names(&found), ["x/1.mp4", "x/y/1.mp4", "z/3.mp4"]);

    let error = scan(&[], &[], Some(&archive.path("none"))).unwrap_err();
    assert!(error.to_string().contains("none: No such file"), "{error}");
    let error = scan(&[], &[], Some(&archive.path("x/1.mp4"))).unwrap_err();
    assert!(error.to_string().contains("expected a folder"), "{error}");
}

#[test]
fn the_second_file_of_a_name_is_rejected_with_a_remedy() {
    let archive = Archive::new(&["x/1.mp4", "y/1.mp4"]);
    let found = archive.scan(&["x/1.mp4", "y/1.mp4"]);
    assert_eq!(names(&found), ["1.mp4"]);
    let reason = &found.rejected[0].reason;
    assert!(
        reason.contains("x/1.mp4") && reason.contains("--root FOLDER"),
        "{reason}"
    );
}

#[test]
fn captions_have_no_extension_unless_another_file_would_share_them() {
    let archive = Archive::new(&[
        "x/1.mp4", "x/1.jpg", "x/2.mp4", "x/2.txt", "y/3.mp4", "z/3.mkv",
    ]);
    // The neighbour counts whether it is tagged or not.
    assert_eq!(captions(&archive.scan(&["x/1.mp4"])), ["1.mp4"]);
    assert_eq!(captions(&archive.scan(&["x"])), ["1.jpg", "1.mp4", "2"]);
    assert_eq!(
        captions(&archive.scan(&["y/3.mp4", "z/3.mkv"])),
        ["3.mp4", "3.mkv"]
    );
    assert_eq!(captions(&archive.scan(&["y/3.mp4"])), ["3"]);
}

#[test]
fn each_link_to_a_file_has_results_of_its_own() {
    let archive = Archive::new(&["1.mp4"]);
    symlink(archive.path("1.mp4"), archive.path("2.mp4")).unwrap();
    let found = archive.scan(&["1.mp4", "2.mp4", "./2.mp4"]);
    assert_eq!(names(&found), ["1.mp4", "2.mp4"]);
}

#[test]
fn a_list_names_files_folders_and_patterns_relative_to_itself() {
    let archive = Archive::new(&["a/1.mp4", "b/2.mp4", "b/3.mp4", "c/4.mp4"]);
    let list = archive.path("list.txt");
    fs::write(&list, "# all of them\n\na/1.mp4\r\nb/*.mp4\nc\n").unwrap();
    let found = scan(&[], &[list], None).unwrap();
    assert_eq!(names(&found), ["1.mp4", "2.mp4", "3.mp4", "4.mp4"]);
}

#[test]
fn a_list_may_have_names_that_are_no_valid_text_and_paths_that_end_with_nul() {
    let archive = Archive::new(&["a\n.mp4", "b.mp4"]);
    let latin1 = archive.0.path().join(OsStr::from_bytes(b"caf\xe9.mp4"));
    fs::write(&latin1, "x").unwrap();
    let list = archive.path("list.txt");
    fs::write(&list, b"caf\xe9.mp4\nb.mp4\n").unwrap();
    let found = scan(&[], std::slice::from_ref(&list), None).unwrap();
    assert!(found.rejected.is_empty(), "{:?}", found.rejected);
    assert_eq!(found.files[0].path, latin1);
    fs::write(&list, b"a\n.mp4\0caf\xe9.mp4\0").unwrap();
    let found = scan(&[], &[list], None).unwrap();
    assert!(found.rejected.is_empty(), "{:?}", found.rejected);
    assert_eq!(found.files.len(), 2);

    let message = serde_json::to_string(&found.files[1]).unwrap();
    let back: InputFile = serde_json::from_str(&message).unwrap();
    assert_eq!(back, found.files[1]);
}

#[test]
fn what_is_missing_is_reported_and_the_rest_found() {
    let archive = Archive::new(&["1.mp4"]);
    let found = archive.scan(&["none.mp4", "1.mp4", "*.avi", "[.mp4"]);
    assert_eq!(names(&found), ["1.mp4"]);
    let reasons: Vec<_> = found.rejected.iter().map(|u| u.reason.as_str()).collect();
    assert_eq!(reasons[0], "there is no such file or folder");
    assert_eq!(reasons[1], "no file matches this pattern");
    assert_eq!(reasons.len(), 3, "{reasons:?}");

    let missing = scan(&[], &[archive.path("no list")], None).unwrap();
    assert!(
        missing.rejected[0]
            .reason
            .contains("the list cannot be read")
    );
}
