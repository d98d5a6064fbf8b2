use super::*;
use emotion_detect::NetworkDetector;
use emotion_models::UNCERTAIN;
use emotion_models::preprocess::{GreyImage, luma};

/// The portrait as grey values: 512×512.
fn portrait() -> Vec<u8> {
    let picture = emotion_tests::picture::rgb(&emotion_tests::picture::portrait());
    let grey = |[red, green, blue]: [u8; 3]| luma(red, green, blue);
    picture.pixels.into_iter().map(grey).collect()
}

fn analyzer() -> PictureAnalyzer {
    let detector = NetworkDetector::built_in().unwrap();
    PictureAnalyzer::new(Classifier::embedded().unwrap(), Some(detector.into()))
}

#[test]
fn the_face_of_the_portrait_is_found_and_is_happy() {
    let pixels = portrait();
    let image = GreyImage::new(&pixels, 512, 512, 512).unwrap();
    let detection = emotion_detect::Options::default();
    let faces = analyzer().analyze(&image, &detection, &Options::default());
    let [face] = &faces.unwrap()[..] else {
        panic!("expected one face")
    };
    assert!(
        (160..220).contains(&face.x) && (40..90).contains(&face.y),
        "{face:?}"
    );
    assert!(face.detection.unwrap() > 0.9);
    assert_eq!((face.id, &*face.emotion.label), (None, "happy"));
}

#[test]
fn a_box_that_reaches_outside_is_cut_off_at_the_border_as_in_the_plugin() {
    let pixels = portrait();
    // The face without its upper and left part.
    let (left, top) = (215, 95);
    let (width, height) = (512 - left, 512 - top);
    let image = GreyImage::new(&pixels[top * 512 + left..], width, height, 512).unwrap();
    let detection = emotion_detect::Options {
        threshold: 0.05,
        ..emotion_detect::Options::default()
    };
    let faces = analyzer()
        .analyze(&image, &detection, &Options::default())
        .unwrap();
    let at_the_corner: Vec<_> = faces
        .iter()
        .filter(|face| (face.x, face.y) == (0, 0))
        .collect();
    assert!(!at_the_corner.is_empty(), "{faces:?}");
    assert!(
        faces.iter().all(|face| face.x >= 0 && face.y >= 0),
        "{faces:?}"
    );
}

#[test]
fn a_face_on_its_side_or_upside_down_is_uncertain() {
    const SIDE: usize = 120;
    let portrait = portrait();
    let rows = portrait.chunks_exact(512).skip(62).take(SIDE);
    let mut face: Vec<u8> = rows.flat_map(|row| &row[166..][..SIDE]).copied().collect();
    let mut qualities = Vec::new();
    for quarter_turns in 0..4 {
        let image = GreyImage::new(&face, SIDE, SIDE, SIDE).unwrap();
        let found = analyzer()
            .analyze_whole(&image, &Options::default())
            .unwrap();
        let emotion = &found[0].emotion;
        let expected = if quarter_turns == 0 {
            "happy"
        } else {
            UNCERTAIN
        };
        assert_eq!(emotion.label, expected, "{quarter_turns} quarter turns");
        qualities.push(emotion.quality.unwrap());
        let column = |x: usize| (0..SIDE).rev().map(move |y| y * SIDE + x);
        face = (0..SIDE)
            .flat_map(column)
            .map(|place| face[place])
            .collect();
    }
    let [upright, turned @ ..] = &qualities[..] else {
        unreachable!("four times")
    };
    assert!(*upright > 0.8, "{qualities:?}");
    assert!(turned.iter().all(|quality| *quality < 0.3), "{qualities:?}");
}

#[test]
fn without_a_detector_the_picture_is_the_face_whatever_the_margin() {
    let pixels = portrait();
    let face = &pixels[70 * 512 + 180..];
    let image = GreyImage::new(face, 110, 120, 512).unwrap();
    let mut whole = PictureAnalyzer::new(Classifier::embedded().unwrap(), None);
    let detection = emotion_detect::Options::default();
    let wide = Options {
        margin: 0.5,
        ..Options::default()
    };
    let first = whole
        .analyze(&image, &detection, &Options::default())
        .unwrap();
    assert_eq!(first, whole.analyze(&image, &detection, &wide).unwrap());
    let [face] = &first[..] else {
        panic!("{first:?}")
    };
    assert_eq!((face.x, face.y, face.width, face.height), (0, 0, 110, 120));
    assert_eq!((face.detection, &*face.emotion.label), (None, "happy"));
}
