use super::*;

use std::fs;

fn annotation() -> Annotation {
    Annotation {
        image: "made.png".into(),
        split: None,
        labels: LabelSource::Human,
        boxes: vec![],
        landmarks: vec![],
        ignored: vec![],
        hard_negatives: vec![],
        source: None,
    }
}

/// An image of this size with a face, twice as far from the left as from the top.
fn made_image(width: usize, height: usize) -> TrainingImage {
    let pixels: Vec<u8> = (0..width * height).map(|i| (i % 251) as u8).collect();
    let image = GrayImage::from_raw(width as u32, height as u32, pixels).unwrap();
    let boxes = vec![Region {
        x: width as f32 / 2.0,
        y: height as f32 / 4.0,
        width: 12.0,
        height: 16.0,
    }];
    let annotation = Annotation {
        landmarks: vec![Some(Landmarks([[boxes[0].x, boxes[0].y]; 5]))],
        boxes,
        ..annotation()
    };
    TrainingImage::new(image, &annotation)
}

#[test]
fn each_level_is_half_of_the_one_before_as_long_as_sixteen_pixels_are_left() {
    let sizes: Vec<_> = made_image(131, 70)
        .levels
        .iter()
        .map(|level| (level.width(), level.height(), level.len()))
        .collect();
    assert_eq!(
        sizes,
        [(131, 70, 131 * 70), (65, 35, 65 * 35), (32, 17, 32 * 17)]
    );
}

#[test]
fn a_pixel_of_the_next_level_is_the_mean_of_four() {
    let image = GrayImage::from_raw(3, 2, vec![10, 20, 99, 30, 41, 99]).unwrap();
    // 101 / 4, rounded.
    assert_eq!(halved(&image).into_raw(), [25]);
}

#[test]
fn a_reduced_image_keeps_its_faces_where_they_were() {
    let reduced = made_image(800, 400).at_most(200);
    assert_eq!((reduced.width(), reduced.height()), (200, 100));
    assert_eq!(reduced.levels[1].width(), 100);
    let face = reduced.faces[0];
    assert_eq!((face.x, face.y), (100.0, 25.0));
    assert_eq!((face.width, face.height), (3.0, 4.0));
    assert_eq!(reduced.landmarks, [Some(Landmarks([[100.0, 25.0]; 5]))]);
    assert_eq!(made_image(800, 400).at_most(800).width(), 800);
}

#[test]
fn reduction_takes_the_mean_and_does_not_pick_pixels() {
    let stripes: Vec<u8> = (0..64 * 64)
        .map(|i| if i % 2 == 0 { 0 } else { 200 })
        .collect();
    let image = GrayImage::from_raw(64, 64, stripes).unwrap();
    let reduced = TrainingImage::new(image, &annotation()).at_most(16);
    let inner = reduced.levels[0][(5, 5)].0[0];
    assert!((90..=110).contains(&inner), "{inner}");
}

#[test]
fn fingerprints_depend_on_pixels_and_all_annotations() {
    let first = made_image(64, 64);
    let mut others = vec![first.clone(); 6];
    others[0].levels[0][(7, 0)].0[0] ^= 1;
    others[1].faces[0].x += 1.0;
    others[2].labels = LabelSource::Model;
    others[3].ignored = vec![first.faces[0]];
    others[4].hard_negatives = vec![first.faces[0]];
    others[5].landmarks = vec![];
    for other in others {
        assert_ne!(other.fingerprint(), first.fingerprint());
    }
    assert_eq!(made_image(64, 64).fingerprint(), first.fingerprint());
}

/// A folder with pictures that differ, and a line for each.
fn folder(pictures: usize, line: impl Fn(usize) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    for index in 0..pictures {
        let picture = format!("P5 20 20 255\n{}", (b'!' + index as u8) as char).repeat(1);
        let mut bytes = picture.into_bytes();
        bytes.resize(bytes.len() + 399, 100);
        fs::write(folder.path().join(format!("{index}.pgm")), bytes).unwrap();
        lines += &line(index);
        lines.push('\n');
    }
    fs::write(folder.path().join("boxes.jsonl"), lines).unwrap();
    folder
}

fn line(index: usize, rest: &str) -> String {
    format!(r#"{{"image":"{index}.pgm","width":20,"height":20,"boxes":[[2,2,9,9]]{rest}}}"#)
}

#[test]
fn pictures_without_a_split_are_divided_by_their_pixels() {
    let folder = folder(60, |index| line(index, ""));
    let (training, validation) =
        load_for_training(folder.path(), &TrainingSelection::default()).unwrap();
    assert_eq!(training.len() + validation.len(), 60);
    assert!((1..=15).contains(&validation.len()), "{}", validation.len());
    let again = load_for_training(folder.path(), &TrainingSelection::default())
        .unwrap()
        .1;
    let pixels = |images: &[TrainingImage]| -> Vec<_> {
        images.iter().map(|image| image.levels[0].clone()).collect()
    };
    assert_eq!(pixels(&again), pixels(&validation));
}

#[test]
fn without_pictures_to_validate_on_the_error_says_what_to_write() {
    let folder = folder(3, |index| line(index, r#","split":"train""#));
    let error = load_for_training(folder.path(), &TrainingSelection::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with(
            "expected pictures to validate on, found none: give some of them the split val"
        ),
        "{error}"
    );
}

#[test]
fn a_picture_that_cannot_be_read_is_named() {
    let folder = folder(2, |index| line(index, ""));
    fs::write(folder.path().join("1.pgm"), "not a picture").unwrap();
    let error = format!(
        "{:#}",
        load_for_training(folder.path(), &TrainingSelection::default()).unwrap_err()
    );
    assert!(error.contains("1.pgm: is not a PNG, JPEG"), "{error}");
    fs::remove_file(folder.path().join("1.pgm")).unwrap();
    let error = format!(
        "{:#}",
        load_for_training(folder.path(), &TrainingSelection::default()).unwrap_err()
    );
    assert!(error.contains("1.pgm: cannot be opened"), "{error}");
}

#[test]
fn a_face_beyond_the_picture_is_an_error_even_if_the_annotation_calls_the_picture_larger() {
    let large = r#"{"image":"0.pgm","width":200,"height":200,"boxes":[[100,100,50,50]]}"#;
    let folder = folder(1, |_| large.to_owned());
    let error = format!(
        "{:#}",
        load_for_training(folder.path(), &TrainingSelection::default()).unwrap_err()
    );
    assert!(
        error.contains("0.pgm: the face at 125, 125 lies outside the picture of 20×20 pixels"),
        "{error}"
    );
}
