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
        scan(InputArguments {
            paths: &named,
            root: root.map(|root| self.path(root)).as_deref(),
            ..InputArguments::default()
        })
        .unwrap()
    }
}

fn listed(list: &Path) -> InputFiles {
    scan(InputArguments {
        lists: &[list.to_owned()],
        ..InputArguments::default()
    })
    .unwrap()
}

fn refused(named: InputArguments<'_>) -> String {
    scan(named).unwrap_err().to_string()
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

    for (root, reason) in [
        ("none", "none: No such file"),
        ("x/1.mp4", "expected a folder"),
    ] {
        let error = refused(InputArguments {
            root: Some(&archive.path(root)),
            ..InputArguments::default()
        });
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn the_second_file_of_a_name_is_rejected_with_a_remedy() {
    let archive = Archive::new(&["x/1.mp4", "y/1.mp4"]);
    let found = archive.scan(&["x/1.mp4", "y/1.mp4"]);
    assert_eq!(names(&found), ["1.mp4"]);
    let reason = &found.rejected[0].reason;
    assert!(
        reason.contains("x/1.mp4") && reason.contains("--root"),
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
    let found = listed(&list);
    assert_eq!(names(&found), ["1.mp4", "2.mp4", "3.mp4", "4.mp4"]);
}

#[test]
fn a_list_may_have_names_that_are_no_valid_text_and_paths_that_end_with_nul() {
    let archive = Archive::new(&["a\n.mp4", "b.mp4"]);
    let latin1 = archive.0.path().join(OsStr::from_bytes(b"caf\xe9.mp4"));
    fs::write(&latin1, "x").unwrap();
    let list = archive.path("list.txt");
    fs::write(&list, b"caf\xe9.mp4\nb.mp4\n").unwrap();
    let found = listed(&list);
    assert!(found.rejected.is_empty(), "{:?}", found.rejected);
    assert_eq!(found.files[0].path, latin1);
    fs::write(&list, b"a\n.mp4\0caf\xe9.mp4\0").unwrap();
    let found = listed(&list);
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

    let missing = listed(&archive.path("no list"));
    assert!(
        missing.rejected[0]
            .reason
            .contains("the list cannot be read")
    );
}

#[test]
fn files_of_a_folder_with_other_extensions_are_counted_and_our_results_are_not() {
    let archive = Archive::new(&[
        "a/1.mp4",
        "a/notes.TXT",
        "a/b/more.txt",
        "a/README",
        "a/user.vtt",
        "a/.hidden.txt",
        "a/1.mp4.jsonl",
        "a/1.mp4.summary.json",
        "a/2.jsonl",
        "a/archive.csv",
        "c/3.txt",
    ]);
    let own = "WEBVTT emotions of 1.mp4\n";
    fs::write(archive.path("a/1.vtt"), own).unwrap();
    let found = archive.scan(&["a", "c/3.txt"]);
    assert_eq!(names(&found), ["1.mp4", "3.txt"]);
    let expected = [("", 1), ("jsonl", 1), ("txt", 2), ("vtt", 1)];
    let expected = expected.map(|(extension, count)| (extension.to_owned(), count));
    assert_eq!(found.ignored, expected.into());
}

#[test]
fn addresses_are_taken_with_their_secrets_and_shown_without() {
    let archive = Archive::new(&["1.mp4"]);
    let list = archive.path("list.txt");
    fs::write(
        &list,
        "https://me:pass@host/a/2.mp4?sig=1\nhttp://host/b/3.mp4\nrtsp://me:pass@host/4\n1.mp4\n",
    )
    .unwrap();
    let found = listed(&list);
    assert_eq!(names(&found), ["2.mp4", "3.mp4", "1.mp4"]);
    let InputOrigin::Remote(url) = &found.files[0].origin else {
        panic!("{:?}", found.files[0]);
    };
    assert_eq!(url.reveal(), "https://me:pass@host/a/2.mp4?sig=1");
    assert_eq!(found.files[0].shown(), "https://host/a/2.mp4");
    assert_eq!(found.rejected[0].path, Path::new("rtsp://host/4"));
    let told = format!("{found:?}");
    assert!(!told.contains("pass@") && !told.contains("sig="), "{told}");

    let found = scan(InputArguments {
        lists: &[list],
        root: Some(Path::new("https://host/?key=7")),
        ..InputArguments::default()
    });
    let found = found.unwrap();
    assert_eq!(names(&found), ["a/2.mp4"]);
    let reason = &found.rejected[0].reason;
    assert!(reason.contains("not below https://host,"), "{reason}");
}

#[test]
fn an_address_of_this_machine_is_a_path() {
    let archive = Archive::new(&["a b/1.mp4"]);
    let folder = archive.0.path().display();
    for address in [
        format!("file://{folder}/a%20b/1.mp4"),
        format!("FILE://localhost{folder}/a%20b/1.mp4"),
    ] {
        let found = scan(InputArguments {
            paths: &[address.clone().into()],
            ..InputArguments::default()
        });
        let found = found.unwrap();
        assert_eq!(names(&found), ["1.mp4"], "{address}");
        assert_eq!(found.files[0].path, archive.path("a b/1.mp4"));
    }
    let found = scan(InputArguments {
        paths: &["file://elsewhere/1.mp4".into(), "file:///none.mp4".into()],
        ..InputArguments::default()
    });
    let rejected = found.unwrap().rejected;
    assert!(rejected[0].reason.contains("expected file:///"));
    assert_eq!(rejected[1].reason, "there is no such file or folder");
}

#[test]
fn standard_input_has_the_name_that_it_is_given() {
    let paths = ["-".into()];
    let named = |name| InputArguments {
        paths: &paths,
        name,
        ..InputArguments::default()
    };
    let found = scan(named(Some(Path::new("talks/1.mp4")))).unwrap();
    assert_eq!(names(&found), ["talks/1.mp4"]);
    assert_eq!(captions(&found), ["talks/1"]);
    assert_eq!(found.files[0].origin, InputOrigin::StandardInput);
    for name in ["", "/1.mp4", "../1.mp4", "a/../../1.mp4"] {
        let reason = refused(named(Some(Path::new(name))));
        assert!(
            reason.contains("below the folder of --out"),
            "{name}: {reason}"
        );
    }
    assert!(refused(named(None)).contains("belong together"));
    let reason = refused(InputArguments {
        name: Some(Path::new("1.mp4")),
        ..InputArguments::default()
    });
    assert!(reason.contains("belong together"), "{reason}");
    let reason = refused(InputArguments {
        lists: &["-".into()],
        ..named(Some(Path::new("1.mp4")))
    });
    assert!(reason.contains("either a file or a list"), "{reason}");
}
