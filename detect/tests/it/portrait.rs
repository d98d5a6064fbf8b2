//! The portrait of tests/media: its face is about at 180–290 × 70–190 of 512×512 pixels.

use emotion_detect::{Cascade, DetectedFace, Options};
use emotion_models::preprocess::{GreyImage, luma};
use emotion_tests::picture;

fn portrait() -> (Vec<u8>, usize, usize) {
    let picture = picture::rgb(&picture::portrait());
    let grey = picture.pixels.iter().map(|&[r, g, b]| luma(r, g, b));
    (grey.collect(), picture.width, picture.height)
}

fn detect(options: &Options) -> Vec<DetectedFace> {
    let (pixels, width, height) = portrait();
    let image = GreyImage::new(&pixels, width, height, width).unwrap();
    Cascade::load(None)
        .unwrap()
        .detect(&image, options)
        .unwrap()
}

#[test]
fn the_face_is_found_where_it_is_and_surely() {
    let faces = detect(&Options::default());
    let surest = faces
        .iter()
        .max_by(|a, b| a.confidence.total_cmp(&b.confidence))
        .unwrap();
    let centre = |start: i32, len: u32| start + len.cast_signed() / 2;
    assert!(
        (210..260).contains(&centre(surest.x, surest.width)),
        "{faces:?}"
    );
    assert!(
        (100..160).contains(&centre(surest.y, surest.height)),
        "{faces:?}"
    );
    assert!(surest.confidence > 0.9, "{faces:?}");
}

#[test]
fn faces_below_the_minimum_size_are_left_out() {
    let options = Options {
        min_size_px: 300,
        ..Options::default()
    };
    assert_eq!(detect(&options), []);
}
