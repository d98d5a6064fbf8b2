//! The network on the portrait of tests/media, whose face is about at 190–270 × 70–180 of 512×512 pixels.

use emotion_detect::{DetectedFace, Detector, Error, NetworkDetector, Options};
use emotion_models::Weights;
use emotion_models::preprocess::{GreyImage, GreyRows, Part, Region, Scaler, luma};
use emotion_tests::picture;

/// A grey picture of its own.
struct Picture {
    pixels: Vec<u8>,
    width: usize,
}

impl Picture {
    fn view(&self) -> GreyImage<'_> {
        let height = self.pixels.len() / self.width;
        GreyImage::new(&self.pixels, self.width, height, self.width).unwrap()
    }

    /// The same at another size.
    fn scaled(&self, side: usize) -> Self {
        let view = self.view();
        let mut values = vec![0.0; side * side];
        let part = Part::whole(&view);
        Scaler::default().run(&view, part, [side, side], &mut values, side);
        let pixels = values.iter().map(|value| ((value + 1.0) * 127.5) as u8);
        Self {
            pixels: pixels.collect(),
            width: side,
        }
    }
}

fn portrait() -> Picture {
    let picture = picture::rgb(&picture::portrait());
    let grey = picture.pixels.iter().map(|&[r, g, b]| luma(r, g, b));
    Picture {
        pixels: grey.collect(),
        width: picture.width,
    }
}

fn detector() -> Detector {
    NetworkDetector::built_in().unwrap().into()
}

/// How far a face overlaps the one of the portrait, that being `side` pixels wide.
fn overlap(face: &DetectedFace, side: usize) -> f32 {
    let scale = side as f32 / 512.0;
    let expected = Region {
        x: 186.0 * scale,
        y: 68.0 * scale,
        width: 86.0 * scale,
        height: 118.0 * scale,
    };
    expected.iou(&Region {
        x: face.x as f32,
        y: face.y as f32,
        width: face.width as f32,
        height: face.height as f32,
    })
}

#[test]
fn the_face_is_found_at_any_size_by_one_detector() {
    let portrait = portrait();
    let mut detector = detector();
    for side in [96, 128, 333, 512, 1024, 2000, 512] {
        let picture = portrait.scaled(side);
        let options = Options {
            min_size_px: side as u32 / 10,
            ..Options::default()
        };
        let faces = detector.detect(&picture.view(), &options).unwrap();
        assert_eq!(faces.len(), 1, "{side}: {faces:?}");
        assert!(overlap(&faces[0], side) > 0.5, "{side}: {faces:?}");
    }
}

#[test]
fn the_smallest_pictures_and_grey_ones_hold_no_face() {
    let mut detector = detector();
    for (width, height) in [(1, 1), (1, 700), (700, 1), (33, 31), (640, 480)] {
        let pixels = vec![128; width * height];
        let image = GreyImage::new(&pixels, width, height, width).unwrap();
        let faces = detector.detect(&image, &Options::default()).unwrap();
        assert_eq!(faces, [], "{width}×{height}");
    }
}

#[test]
fn an_area_is_looked_at_in_the_scale_that_is_asked_for() {
    let portrait = portrait();
    let mut detector = detector();
    let near = Region {
        x: 100.0,
        y: 10.0,
        width: 260.0,
        height: 240.0,
    };
    let far = Region {
        x: 0.0,
        y: 300.0,
        ..near
    };
    let outside = Region { x: 600.0, ..near };
    let mut found = |area: Region, scale: f32| {
        let options = Options::default();
        let view = portrait.view();
        detector.detect_in(&view, area, scale, &options).unwrap()
    };
    for scale in [0.3, 0.5, 1.0, 1.5] {
        let faces = found(near, scale);
        assert_eq!(faces.len(), 1, "{scale}");
        assert!(overlap(&faces[0], 512) > 0.5, "{scale}: {faces:?}");
    }
    assert_eq!(found(far, 1.0), []);
    assert_eq!(found(outside, 1.0), []);
}

#[test]
fn a_lower_threshold_gives_more_candidates_and_the_surest_first() {
    let portrait = portrait();
    let mut network = NetworkDetector::built_in().unwrap();
    let mut count = |threshold: f32| {
        let options = Options {
            threshold,
            min_size_px: 1,
            ..Options::default()
        };
        let candidates = network.candidates(&portrait.view(), &options).unwrap();
        let is_sorted = candidates.is_sorted_by(|a, b| a.confidence >= b.confidence);
        let are_sure = candidates.iter().all(|c| c.confidence >= threshold);
        assert!(is_sorted && are_sure);
        candidates.len()
    };
    let counts = [0.9999, 0.5, 0.05, 0.0].map(&mut count);
    assert!(counts.is_sorted(), "{counts:?}");
    assert!((1..4).contains(&counts[1]), "{counts:?}");
    assert!(counts[3] > 10, "{counts:?}");
    assert!(counts[3] <= 2000, "{counts:?}");
}

#[test]
fn weights_of_a_classifier_are_refused() {
    let error = NetworkDetector::new(&Weights::embedded().unwrap()).unwrap_err();
    assert!(matches!(error, Error::Weights(_)));
    assert!(error.to_string().contains("expected face_net"), "{error}");
}

#[test]
fn the_picture_need_not_be_as_wide_as_its_rows_are_apart() {
    let portrait = portrait();
    let stride = 600;
    let mut padded = Vec::new();
    for row in portrait.pixels.chunks_exact(512) {
        padded.extend_from_slice(row);
        padded.resize(padded.len() + stride - 512, 255);
    }
    let image = GreyImage::new(&padded, 512, 512, stride).unwrap();
    assert_eq!(image.width(), 512);
    let options = Options::default();
    let found = detector().detect(&image, &options).unwrap();
    assert_eq!(
        found,
        detector().detect(&portrait.view(), &options).unwrap()
    );
}
