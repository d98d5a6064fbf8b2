use super::*;

use std::fs;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn error(files: &[(&str, &str)]) -> String {
    format!("{:#}", load(folder(files).path()).unwrap_err())
}

const LINE: &str = r#"{"image":"a.jpg","width":100,"height":50,"boxes":[[-5,10,20,30]]}"#;

#[test]
fn lines_are_read_and_boxes_cut_off_at_the_border() {
    let second = r#"{"image":"b.jpg","width":9,"height":9,"split":"val","labels":"model","source":"s","boxes":[],"ignore":[[1,2,3,4]]}"#;
    let folder = folder(&[("boxes.jsonl", &format!("{LINE}\n\n{second}\n"))]);
    let found = load(folder.path()).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].image, folder.path().join("a.jpg"));
    assert_eq!(found[0].boxes, [region([0.0, 10.0, 15.0, 30.0]).unwrap()]);
    assert_eq!(
        (found[0].split, found[0].labels),
        (None, LabelSource::Human)
    );
    assert_eq!(
        (found[1].split, found[1].labels),
        (Some(ImageSplit::Val), LabelSource::Model)
    );
    assert_eq!(found[1].ignored, [region([1.0, 2.0, 3.0, 4.0]).unwrap()]);
}

#[test]
fn landmarks_belong_to_the_boxes_of_their_picture() {
    let points = |points: &str| {
        let line = format!(r#"{{"image":"a.jpg","points":[{points}]}}"#);
        [("boxes.jsonl", LINE.to_owned()), ("landmarks.jsonl", line)]
    };
    let read = |points: &[(&str, String)]| -> tempfile::TempDir {
        let files: Vec<(&str, &str)> = points
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        folder(&files)
    };
    let of = |text: &str| load(read(&points(text)).path());
    let found = of("[1,2,3,4,5,6,7,8,9,10]").unwrap();
    let expected = Landmarks([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0, 10.0]]);
    assert_eq!(found[0].landmarks, [Some(expected)]);
    assert_eq!(of("null").unwrap()[0].landmarks, [None]);
    for (text, expected) in [
        ("null,null", "each of the 1 boxes of a.jpg, found 2"),
        (
            "[1,2]",
            "landmarks.jsonl, line 1: expected an object with image and points",
        ),
    ] {
        let error = format!("{:#}", of(text).unwrap_err());
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn hard_negatives_belong_to_pictures_of_the_folder() {
    let folder = folder(&[
        ("boxes.jsonl", LINE),
        ("hard.jsonl", r#"{"image":"a.jpg","boxes":[[1,2,3,4]]}"#),
        ("other.jsonl", r#"{"image":"b.jpg","boxes":[[1,2,3,4]]}"#),
    ]);
    let mut annotations = load(folder.path()).unwrap();
    let mut add = |name: &str| {
        let file = folder.path().join(name);
        add_hard_negatives(&mut annotations, folder.path(), &file)
    };
    add("hard.jsonl").unwrap();
    let error = add("other.jsonl").unwrap_err().to_string();
    assert!(error.contains("b.jpg is none of the pictures"), "{error}");
    let expected = [Region::new(1.0, 2.0, 3.0, 4.0)];
    assert_eq!(annotations[0].hard_negatives, expected);
}

#[test]
fn a_broken_line_is_named_with_what_is_wrong() {
    for (line, expected) in [
        (
            "{",
            "expected an object with image, width, height and boxes",
        ),
        (
            &LINE.replace("-5", "200"),
            "lies outside the picture of 100×50 pixels",
        ),
        (
            &LINE.replace("30", "0"),
            "with an area, found [-5.0, 10.0, 20.0, 0.0]",
        ),
        (&LINE.replace("50", "0"), "at least 1, found 100 and 0"),
    ] {
        let message = error(&[("boxes.jsonl", &format!("{LINE}\n{line}\n"))]);
        assert!(message.contains("boxes.jsonl, line 2"), "{message}");
        assert!(message.contains(expected), "{message}");
    }
    assert!(error(&[]).contains("expected boxes.jsonl or faces.jsonl"));
}

#[test]
fn wider_face_is_read_with_its_invalid_boxes_as_ignored_regions() {
    let text = "0--Parade/a.jpg\n2\n1 2 30 40 0 0 0 0 0 0\n5 6 7 8 2 0 0 1 0 0\n0--Parade/b.jpg\n0\n0 0 0 0 0 0 0 0 0 0\n";
    let name = "wider_face_split/wider_face_train_bbx_gt.txt";
    let folder = folder(&[(name, text)]);
    let found = load(folder.path()).unwrap();
    assert_eq!(found.len(), 2);
    let image = folder.path().join("WIDER_train/images/0--Parade/a.jpg");
    assert_eq!(found[0].image, image);
    assert_eq!(found[0].boxes, [region([1.0, 2.0, 30.0, 40.0]).unwrap()]);
    assert_eq!(found[0].ignored, [region([5.0, 6.0, 7.0, 8.0]).unwrap()]);
    assert!(found[1].boxes.is_empty() && found[1].ignored.is_empty());

    for (text, expected) in [
        ("a.jpg\nmany\n", "line 2: expected the number of boxes"),
        ("a.jpg\n1\n1 2 3\n", "line 3: expected ten numbers, found 3"),
        (
            "a.jpg\n2\n1 2 3 4 0 0 0 0 0 0\n",
            "ends before the boxes of a.jpg",
        ),
        ("a.jpg\n", "ends after a.jpg"),
    ] {
        let message = error(&[(name, text)]);
        assert!(message.contains(expected), "{message}");
    }
}
