//! A folder of pictures as data.

use std::fs;

use emotion_models::Emotion;
use emotion_trainer::data::folder::{self, Error};
use emotion_trainer::data::{Dataset, FACE_SIZE, Faces};
use tempfile::TempDir;

/// A grey picture whose pixels depend on `seed` alone.
fn pgm(width: usize, height: usize, seed: usize) -> Vec<u8> {
    let mut file = format!("P5 {width} {height} 255\n").into_bytes();
    file.extend((0..width * height).map(|index| (index * (seed + 3) % 251) as u8));
    file
}

fn write(folder: &TempDir, path: &str, contents: &[u8]) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

fn folder_with(paths: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (seed, path) in paths.iter().enumerate() {
        write(&folder, path, &pgm(FACE_SIZE, FACE_SIZE, seed));
    }
    folder
}

fn load(folder: &TempDir) -> Result<Dataset, Error> {
    folder::load(folder.path())
}

/// The error without the folder's own path.
fn message_of(folder: &TempDir) -> String {
    let message = load(folder).unwrap_err().to_string();
    message.replace(&format!("{}", folder.path().display()), "DIR")
}

fn has(faces: &Faces, pixels: &[u8]) -> bool {
    (0..faces.len()).any(|index| faces.pixels(index) == pixels)
}

#[test]
fn pictures_go_to_the_split_and_the_emotion_of_their_folders() {
    let folder = folder_with(&[
        "train/happy/a.pgm",
        "train/sad/b.pgm",
        "val/fear/c.pgm",
        "test/angry/d.pgm",
    ]);
    let dataset = load(&folder).unwrap();
    assert_eq!(dataset.training.labels(), [Emotion::Happy, Emotion::Sad]);
    assert_eq!(dataset.public.labels(), [Emotion::Fear]);
    assert_eq!(dataset.private.labels(), [Emotion::Angry]);
}

#[test]
fn folders_may_have_the_names_that_others_use() {
    let folder = folder_with(&[
        "Training/Happiness/a.pgm",
        "Training/anger/b.pgm",
        "Public_Test/Surprised/c.pgm",
        "PrivateTest/sadness/d.pgm",
    ]);
    let dataset = load(&folder).unwrap();
    assert_eq!(dataset.training.labels(), [Emotion::Happy, Emotion::Angry]);
    assert_eq!(dataset.public.labels(), [Emotion::Surprise]);
    assert_eq!(dataset.private.labels(), [Emotion::Sad]);
}

#[test]
fn a_face_of_the_right_size_keeps_every_pixel() {
    let folder = folder_with(&["test/happy/a.pgm"]);
    let header = "P5 48 48 255\n".len();
    let expected = &pgm(FACE_SIZE, FACE_SIZE, 0)[header..];
    assert_eq!(load(&folder).unwrap().private.pixels(0), expected);
}

#[test]
fn a_large_picture_is_reduced_to_the_means_of_its_areas() {
    let folder = tempfile::tempdir().unwrap();
    let mut picture = b"P5 96 96 255\n".to_vec();
    // Columns of 0 and 100 in turn have the mean 50.
    picture.extend((0..96 * 96).map(|index| 100 * (index % 2) as u8));
    write(&folder, "test/happy/a.pgm", &picture);
    let faces = load(&folder).unwrap().private;
    assert!(faces.pixels(0).iter().all(|&pixel| pixel == 50));
}

#[test]
fn a_picture_that_is_not_square_gives_the_square_about_its_centre() {
    let folder = tempfile::tempdir().unwrap();
    let mut picture = b"P5 64 48 255\n".to_vec();
    let in_square = |column: usize| (8..56).contains(&column);
    picture.extend((0..64 * 48).map(|index| if in_square(index % 64) { 200 } else { 0 }));
    write(&folder, "test/happy/a.pgm", &picture);
    let faces = load(&folder).unwrap().private;
    assert!(faces.pixels(0).iter().all(|&pixel| pixel == 200));
}

#[test]
fn colours_become_grey() {
    let folder = tempfile::tempdir().unwrap();
    let mut picture = b"P6 48 48 255\n".to_vec();
    picture.extend([255, 0, 0].repeat(48 * 48));
    write(&folder, "test/happy/a.ppm", &picture);
    let faces = load(&folder).unwrap().private;
    assert!(faces.pixels(0).iter().all(|&pixel| pixel == 76));
}

#[test]
fn pictures_without_splits_are_divided_eight_to_one_to_one() {
    let names: Vec<String> = (0..400).map(|index| format!("happy/{index}.pgm")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let dataset = load(&folder_with(&names)).unwrap();
    let (public, private) = (dataset.public.len(), dataset.private.len());
    assert_eq!(dataset.training.len() + public + private, 400);
    assert!(
        (20..60).contains(&public) && (20..60).contains(&private),
        "{public} {private}"
    );
}

#[test]
fn copies_of_a_picture_stay_on_one_side_whatever_their_names_and_emotions() {
    let folder = tempfile::tempdir().unwrap();
    for copy in 0..3 {
        for seed in 0..40 {
            let picture = pgm(FACE_SIZE, FACE_SIZE, seed);
            write(
                &folder,
                &format!("{}/{seed}-{copy}.pgm", Emotion::ALL[copy]),
                &picture,
            );
        }
    }
    let dataset = load(&folder).unwrap();
    assert!(!dataset.public.is_empty() && !dataset.private.is_empty());
    for faces in [&dataset.public, &dataset.private] {
        assert_eq!(faces.len() % 3, 0);
        assert!((0..faces.len()).all(|index| !has(&dataset.training, faces.pixels(index))));
    }
}

#[test]
fn one_picture_more_does_not_move_the_others() {
    let folder = folder_with(&["sad/a.pgm", "sad/b.pgm", "sad/c.pgm", "sad/d.pgm"]);
    let before = load(&folder).unwrap();
    write(&folder, "angry/0.pgm", &pgm(FACE_SIZE, FACE_SIZE, 99));
    let after = load(&folder).unwrap();
    for (before, after) in [
        (before.training, after.training),
        (before.public, after.public),
        (before.private, after.private),
    ] {
        assert!((0..before.len()).all(|index| has(&after, before.pixels(index))));
    }
}

#[test]
fn without_a_folder_to_validate_on_a_tenth_of_the_training_pictures_is_held_out() {
    let mut names: Vec<String> = (0..200)
        .map(|index| format!("train/happy/{index}.pgm"))
        .collect();
    names.push("test/happy/t.pgm".to_owned());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let dataset = load(&folder_with(&names)).unwrap();
    assert_eq!(dataset.training.len() + dataset.public.len(), 200);
    assert!(
        (8..35).contains(&dataset.public.len()),
        "{}",
        dataset.public.len()
    );
    assert_eq!(dataset.private.len(), 1);
}

#[test]
fn all_files_that_are_no_faces_are_named_with_what_to_do() {
    let folder = folder_with(&["train/happy/good.pgm"]);
    write(&folder, "train/happy/notes.txt", b"hello");
    write(&folder, "train/sad/cut.pgm", b"P5 48 48 255\n\x01");
    write(&folder, "train/sad/tiny.pgm", &pgm(12, 15, 0));
    write(&folder, "train/sad/strip.pgm", &pgm(200, 48, 0));
    let message = message_of(&folder);
    for expected in [
        "4 of 5 files are not pictures of a face:\n",
        "\n  DIR/train/happy/notes.txt is not a PNG, JPEG, BMP, WebP, GIF, TIFF or PNM picture",
        "\n  DIR/train/sad/cut.pgm cannot be decoded",
        "\n  DIR/train/sad/tiny.pgm has 12×15 pixels, a face needs 16×16 at least",
        "\n  DIR/train/sad/strip.pgm has 200×48 pixels, too long for a face: crop it to the face",
        "\nrepair them or take them out of the folder",
    ] {
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn all_folders_that_are_not_expected_are_named_with_what_is() {
    let folder = folder_with(&[
        "train/happy/a.pgm",
        "train/contempt/b.pgm",
        "train/sad/deep/c.pgm",
    ]);
    fs::create_dir(folder.path().join("train/fear")).unwrap();
    write(&folder, "train/stray.png", b"");
    let message = message_of(&folder);
    for expected in [
        "DIR is not laid out as expected:\n",
        "\n  DIR/train/contempt is named like no emotion",
        "\n  DIR/train/sad/deep is a folder, expected pictures",
        "\n  DIR/train/fear is empty",
        "\n  DIR/train/stray.png lies outside the folders of the emotions",
        "\nexpected DIR/{train,val,test}/EMOTION/*.png, or DIR/EMOTION/*.png",
        "angry, disgust, fear, happy, sad, surprise, neutral",
    ] {
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn splits_beside_emotions_are_refused() {
    let folder = folder_with(&["train/happy/a.pgm", "sad/b.pgm"]);
    assert!(message_of(&folder).contains("DIR holds folders of splits beside others"));
}

#[test]
fn a_folder_without_pictures_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(message_of(&folder).contains("DIR holds no pictures in folders"));
}

#[test]
fn hidden_files_and_a_readme_do_not_matter() {
    let folder = folder_with(&["val/happy/a.pgm"]);
    write(&folder, "README.md", b"faces");
    write(&folder, "val/happy/.DS_Store", b"?");
    write(&folder, "val/happy/Thumbs.db", b"?");
    assert_eq!(load(&folder).unwrap().public.len(), 1);
}

#[test]
fn training_names_the_emotions_that_have_no_face() {
    let folder = folder_with(&["train/happy/a.pgm", "val/happy/b.pgm"]);
    let error = Dataset::load_for_training(folder.path(), None)
        .unwrap_err()
        .to_string();
    let expected =
        "has no Training face of these emotions: angry, disgust, fear, sad, surprise, neutral";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn training_without_a_face_to_validate_on_says_where_one_is_expected() {
    let folder = folder_with(&["test/happy/a.pgm"]);
    let error = Dataset::load_for_training(folder.path(), None)
        .unwrap_err()
        .to_string();
    let expected = "has no Training faces: expected rows with Usage Training in a CSV, pictures in \
                    train/{angry,disgust,fear,happy,sad,surprise,neutral} of a folder";
    assert!(error.ends_with(expected), "{error}");
}
