use super::super::{GreyImage, Preprocessor};
use super::*;

const SIDE: usize = 200;

/// A picture of rings that grow finer to the outside, blurred by the mean of squares that reach `blur` pixels.
fn rings(blur: isize) -> Vec<u8> {
    let value = |x: isize, y: isize| {
        let (x, y) = (x as f32 - 100.0, y as f32 - 100.0);
        127.5 + 100.0 * ((x * x + y * y) / 120.0).sin()
    };
    let mean = |x: isize, y: isize| {
        let rows = y - blur..=y + blur;
        let sum: f32 = rows
            .flat_map(|y| (x - blur..=x + blur).map(move |x| value(x, y)))
            .sum();
        sum / (2 * blur + 1).pow(2) as f32
    };
    let side = SIDE as isize;
    (0..side * side)
        .map(|i| mean(i % side, i / side) as u8)
        .collect()
}

fn quality(pixels: &[u8], x: f32, side: f32) -> Quality {
    let image = GreyImage::new(pixels, SIDE, SIDE, SIDE).unwrap();
    let region = Region {
        x,
        y: 60.0,
        width: side,
        height: side,
    };
    let mut crop = vec![0.0; 48 * 48];
    Preprocessor::new(48)
        .run(&image, region, &mut crop)
        .unwrap();
    Quality::of(&crop, 48, &image, region)
}

#[test]
fn a_large_sharp_face_within_the_picture_has_no_flaw() {
    assert_eq!(quality(&rings(0), 60.0, 80.0).overall(), 1.0);
}

#[test]
fn landmarks_of_a_head_that_is_turned_aside_lower_the_quality() {
    let turned = |nose: f32| {
        let points = [
            [80.0, 85.0],
            [120.0, 85.0],
            [nose, 100.0],
            [85.0, 120.0],
            [115.0, 120.0],
        ];
        let quality = quality(&rings(0), 60.0, 80.0);
        quality.with_landmarks(Some(&Landmarks(points))).overall()
    };
    assert_eq!([turned(100.0), turned(110.0)], [1.0, 1.0]);
    let [aside, profile] = [turned(130.0), turned(170.0)];
    assert!(aside > 0.2 && aside < 0.9, "{aside}");
    assert!(profile < 0.1, "{profile}");
}

#[test]
fn small_faces_and_cut_off_ones_are_poor() {
    let pixels = rings(0);
    let small = quality(&pixels, 60.0, 15.0);
    assert!(small.size < Quality::POOR, "{small:?}");
    let cut_off = quality(&pixels, -24.0, 80.0);
    assert!(cut_off.inside < Quality::POOR, "{cut_off:?}");
    assert_eq!(cut_off.size, 1.0);
    let touching = quality(&pixels, -4.0, 80.0);
    assert_eq!(touching.inside, 1.0);
}

#[test]
fn blur_is_poor_at_any_contrast_and_a_crop_of_one_colour_is_worth_nothing() {
    let sharp = rings(0);
    let blurred = rings(12);
    let pale = |pixels: &[u8]| pixels.iter().map(|v| 60 + v / 2).collect::<Vec<u8>>();
    for (sharp, blurred) in [
        (sharp.clone(), blurred.clone()),
        (pale(&sharp), pale(&blurred)),
    ] {
        let [sharp, blurred] = [sharp, blurred].map(|p| quality(&p, 60.0, 80.0).sharpness);
        assert!(
            sharp > Quality::POOR && blurred < Quality::POOR,
            "{sharp} {blurred}"
        );
    }
    assert_eq!(quality(&[90; SIDE * SIDE], 60.0, 80.0).overall(), 0.0);
}

#[test]
fn a_face_whose_sides_differ_counts_as_turned_away_in_any_light() {
    let eyes = |left: f32, right: f32, light: f32| -> f32 {
        let crop: Vec<f32> = (0..48 * 48)
            .map(|i| {
                let (x, y) = ((i % 48) as f32, (i / 48) as f32);
                let dark = |cx: f32| -0.5 * (-((x - cx).powi(2) + (y - 18.0).powi(2)) / 20.0).exp();
                dark(left) + dark(right) + light * x / 48.0
            })
            .collect();
        grade(symmetry(&crop, 48).unwrap(), SYMMETRY)
    };
    assert!(eyes(13.0, 34.0, 0.0) > 0.95);
    assert!(eyes(13.0, 34.0, 0.4) > 0.95, "light from the side");
    assert!(eyes(4.0, 16.0, 0.0) < 0.8);
    assert_eq!(symmetry(&[0.5; 48 * 48], 48), None);
}

#[test]
fn a_face_is_worth_as_much_as_its_expression_is_likely_visible() {
    let sharp = quality(&rings(0), 60.0, 80.0);
    assert_eq!(sharp.overall(), 1.0);
    assert_eq!(sharp.with_visibility(0.75).overall(), 0.75);
    let half = Quality { size: 0.5, ..sharp };
    assert_eq!(half.with_visibility(0.5).overall(), 0.25);
    assert_eq!(half.with_visibility(0.0).overall(), 0.0);
}
