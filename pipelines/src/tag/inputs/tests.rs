use super::*;

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

    fn scan(&self, named: &[&str]) -> InputFiles {
        let named: Vec<_> = named.iter().map(|path| self.0.path().join(path)).collect();
        scan(&named, &[], &self.0.path().join("out"))
    }
}

fn names(found: &InputFiles) -> Vec<&str> {
    let names = found.files.iter().map(|input| input.name.to_str());
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
    assert_eq!(names(&found), ["1", "2", "b/3"]);
    assert!(found.rejected.is_empty());
}

#[test]
fn earlier_results_are_no_input() {
    let archive = Archive::new(&["1.mp4", "out/1.annotated.mp4"]);
    assert_eq!(names(&archive.scan(&["."])), ["1"]);
}

#[test]
fn a_named_file_is_taken_whatever_it_is_called_and_once() {
    let archive = Archive::new(&["talk", "b.mp4"]);
    assert_eq!(
        names(&archive.scan(&["talk", "b.mp4", "./talk", "*.mp4"])),
        ["talk", "b"]
    );
}

#[test]
fn names_that_would_clash_become_longer() {
    let archive = Archive::new(&["x/1.mp4", "x/1.jpg", "y/1.jpg", "y/2.mp4"]);
    let found = archive.scan(&["x/1.mp4", "x/1.jpg", "y/1.jpg", "y/2.mp4"]);
    assert_eq!(names(&found), ["1.mp4", "x/1.jpg", "y/1.jpg", "2"]);
}

#[test]
fn a_list_names_files_folders_and_patterns_relative_to_itself() {
    let archive = Archive::new(&["a/1.mp4", "b/2.mp4", "b/3.mp4", "c/4.mp4"]);
    let list = archive.0.path().join("list.txt");
    fs::write(&list, "# all of them\n\na/1.mp4\r\nb/*.mp4\nc\n").unwrap();
    let found = scan(&[], &[list], Path::new("/nowhere"));
    assert_eq!(names(&found), ["1", "2", "3", "4"]);
}

#[test]
fn what_is_missing_is_reported_and_the_rest_found() {
    let archive = Archive::new(&["1.mp4"]);
    let found = archive.scan(&["none.mp4", "1.mp4", "*.avi", "[.mp4"]);
    assert_eq!(names(&found), ["1"]);
    let reasons: Vec<_> = found.rejected.iter().map(|u| u.reason.as_str()).collect();
    assert_eq!(reasons[0], "there is no such file or folder");
    assert_eq!(reasons[1], "no file matches this pattern");
    assert_eq!(reasons.len(), 3, "{reasons:?}");

    let missing = scan(&[], &[archive.0.path().join("no list")], Path::new("out"));
    assert!(
        missing.rejected[0]
            .reason
            .contains("the list cannot be read")
    );
}
