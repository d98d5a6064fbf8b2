use std::ops::Range;

use super::super::{GreyImage, luma};
use super::*;

fn run(data: &[u8], width: usize, height: usize, region: Region, size: usize) -> Vec<f32> {
    let image = GreyImage::new(data, width, height, width).unwrap();
    let mut out = vec![0.0; size * size];
    Preprocessor::new(size)
        .run(&image, region, &mut out)
        .unwrap();
    out.iter().map(|v| (v + 1.0) * 127.5).collect()
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!(
            (f - e).abs() < 1e-3,
            "found {found:?}, expected {expected:?}"
        );
    }
}

#[test]
fn grey_stays_and_green_is_the_brightest_colour() {
    assert!((0..=255).all(|value| luma(value, value, value) == value));
    assert_eq!(
        [luma(255, 0, 0), luma(0, 255, 0), luma(0, 0, 255)],
        [76, 150, 29]
    );
}

#[test]
fn the_same_size_is_copied() {
    let data = [0, 10, 20, 30, 40, 50, 60, 70, 80];
    let region = Region {
        x: 0.0,
        y: 0.0,
        width: 3.0,
        height: 3.0,
    };
    assert_close(&run(&data, 3, 3, region, 3), &data.map(f32::from));
}

#[test]
fn black_is_minus_one_and_white_is_one() {
    let image = GreyImage::new(&[0, 255, 255, 0], 2, 2, 2).unwrap();
    let mut out = [0.0; 4];
    Preprocessor::new(2)
        .run(&image, Region::whole(&image), &mut out)
        .unwrap();
    assert_eq!(out, [-1.0, 1.0, 1.0, -1.0]);
}

#[test]
fn reducing_takes_the_mean_of_the_covered_area() {
    // 3 → 2 pixels: each output covers one and a half of them.
    let data = [30, 60, 90, 30, 60, 90, 30, 60, 90];
    let region = Region {
        x: 0.0,
        y: 0.0,
        width: 3.0,
        height: 3.0,
    };
    assert_close(&run(&data, 3, 3, region, 2), &[40.0, 80.0, 40.0, 80.0]);
}

#[test]
fn a_fine_pattern_is_reduced_to_grey_without_aliasing() {
    let data: Vec<u8> = (0..96 * 96)
        .map(|i| if (i + i / 96) % 2 == 0 { 0 } else { 200 })
        .collect();
    let region = Region {
        x: 0.0,
        y: 0.0,
        width: 96.0,
        height: 96.0,
    };
    assert_close(&run(&data, 96, 96, region, 48), &vec![100.0; 48 * 48]);
}

#[test]
fn enlarging_is_bilinear_with_half_pixel_centres() {
    let data = [0, 100, 0, 100];
    let region = Region {
        x: 0.0,
        y: 0.0,
        width: 2.0,
        height: 2.0,
    };
    let row = [0.0, 25.0, 75.0, 100.0];
    assert_close(&run(&data, 2, 2, region, 4), &[row, row, row, row].concat());
}

#[test]
fn outside_the_picture_the_border_is_repeated() {
    let data = [10, 20, 30, 40];
    let region = Region {
        x: -2.0,
        y: -2.0,
        width: 4.0,
        height: 4.0,
    };
    assert_close(&run(&data, 2, 2, region, 2), &[10.0, 15.0, 20.0, 25.0]);
    let far = Region {
        x: 1e9,
        y: -1e9,
        width: 1e8,
        height: 1e8,
    };
    assert_close(&run(&data, 2, 2, far, 2), &[20.0; 4]);
}

/// A picture of which only a part may be read, and whose grey values are worked out.
struct Guarded {
    pixels: Vec<u8>,
    width: usize,
    columns: Range<usize>,
    rows: Range<usize>,
}

impl GreyRows for Guarded {
    fn width(&self) -> usize {
        self.width
    }

    fn height(&self) -> usize {
        self.pixels.len() / self.width
    }

    fn grey<'a>(&'a self, y: usize, columns: Range<usize>, buffer: &'a mut Vec<u8>) -> &'a [u8] {
        assert!(self.rows.contains(&y), "row {y} was read");
        let Range { start, end } = self.columns;
        assert!(
            start <= columns.start && columns.end <= end,
            "{columns:?} were read"
        );
        buffer.clear();
        let row = &self.pixels[y * self.width..][columns];
        buffer.extend(row.iter().map(|pixel| 255 - pixel));
        buffer
    }
}

#[test]
fn of_a_converted_picture_only_the_region_is_read() {
    let width = 100;
    let pixels: Vec<u8> = (0..width * 80).map(|i| (i * i / 7 % 251) as u8).collect();
    let converted: Vec<u8> = pixels.iter().map(|pixel| 255 - pixel).collect();
    let image = GreyImage::new(&converted, width, 80, width).unwrap();
    let mut preprocessor = Preprocessor::new(48);
    for side in [20.0, 60.5] {
        let region = Region {
            x: 10.25,
            y: 5.5,
            width: side,
            height: side,
        };
        // Bilinearly, a pixel's neighbours count where its edge does.
        let guarded = Guarded {
            pixels: pixels.clone(),
            width,
            columns: 9..73,
            rows: 4..68,
        };
        let [mut expected, mut found] = [vec![0.0; 48 * 48], vec![0.0; 48 * 48]];
        preprocessor.run(&image, region, &mut expected).unwrap();
        preprocessor.run(&guarded, region, &mut found).unwrap();
        assert_eq!(found, expected, "side {side}");
    }
}

#[test]
fn impossible_pictures_and_regions_are_refused() {
    assert!(matches!(
        GreyImage::new(&[0; 5], 3, 2, 3),
        Err(Error::Picture {
            expected: 6,
            found: 5,
            ..
        })
    ));
    assert!(matches!(
        GreyImage::new(&[0; 5], 0, 2, 3),
        Err(Error::Shape { .. })
    ));
    assert!(matches!(
        GreyImage::new(&[0; 9], 3, 2, 2),
        Err(Error::Shape { .. })
    ));
    let image = GreyImage::new(&[0; 6], 3, 2, 3).unwrap();
    let mut out = [0.0; 4];
    for (width, x) in [
        (0.0, 0.0),
        (-1.0, 0.0),
        (f32::NAN, 0.0),
        (1.0, f32::INFINITY),
    ] {
        let region = Region {
            x,
            y: 0.0,
            width,
            height: 1.0,
        };
        assert!(matches!(
            Preprocessor::new(2).run(&image, region, &mut out),
            Err(Error::Region(_))
        ));
    }
    assert!(matches!(
        Preprocessor::new(3).run(&image, Region::whole(&image), &mut out),
        Err(Error::Output {
            expected: 9,
            found: 4
        })
    ));
}

/// A picture of 200×200 pixels that is smooth, so that resampling changes it little.
fn smooth() -> Vec<u8> {
    let value = |x: f32, y: f32| 128.0 + 60.0 * (x / 17.0).sin() + 60.0 * (y / 23.0).cos();
    let pixels = (0..200 * 200).map(|i| value((i % 200) as f32, (i / 200) as f32) as u8);
    pixels.collect()
}

#[test]
fn a_face_without_a_roll_is_cropped_as_it_is() {
    let pixels = smooth();
    let picture = GreyImage::new(&pixels, 200, 200, 200).unwrap();
    for side in [30.0, 90.0] {
        let region = Region::new(40.0, 50.0, side, side);
        let [mut plain, mut upright] = [[0.0; 48 * 48]; 2];
        let mut preprocessor = Preprocessor::new(48);
        preprocessor.run(&picture, region, &mut plain).unwrap();
        preprocessor
            .run_upright(&picture, region, 0.0, &mut upright)
            .unwrap();
        assert_eq!(plain, upright);
    }
}

#[test]
fn a_tilted_face_is_turned_upright() {
    let pixels = smooth();
    let picture = GreyImage::new(&pixels, 200, 200, 200).unwrap();
    let region = Region::new(60.0, 70.0, 80.0, 80.0);
    let crop = |degrees: f32| {
        let mut out = [0.0; 48 * 48];
        Preprocessor::new(48)
            .run_upright(&picture, region, degrees, &mut out)
            .unwrap();
        out
    };
    let upright = crop(0.0);
    // Where a face lies with its top to the right, its upper left corner is that of the picture at the upper right.
    let lying = crop(90.0);
    for row in 0..48 {
        for column in 0..48 {
            let expected = upright[column * 48 + 47 - row];
            let found = lying[row * 48 + column];
            assert!(
                (found - expected).abs() < 0.05,
                "{found}, expected {expected}"
            );
        }
    }
    // A little of the neighbours comes in when it is turned there and back.
    let tilted = crop(30.0);
    let back = GreyImage::new(&pixels, 200, 200, 200).unwrap();
    let (sin, cos) = 30f32.to_radians().sin_cos();
    for (row, column) in [(10, 20), (24, 24), (40, 8)] {
        let [right, down] = [column, row].map(|i: usize| (i as f32 + 0.5 - 24.0) * 80.0 / 48.0);
        let [x, y] = [
            100.0 + cos * right - sin * down,
            110.0 + sin * right + cos * down,
        ];
        let expected = f32::from(back.row(y as usize)[x as usize]) / 127.5 - 1.0;
        let found = tilted[row * 48 + column];
        assert!(
            (found - expected).abs() < 0.08,
            "{found}, expected {expected}"
        );
    }
}

#[test]
fn a_roll_that_is_no_number_is_refused() {
    let pixels = smooth();
    let picture = GreyImage::new(&pixels, 200, 200, 200).unwrap();
    let region = Region::new(60.0, 70.0, 80.0, 80.0);
    let mut out = [0.0; 48 * 48];
    let refused = Preprocessor::new(48).run_upright(&picture, region, f32::NAN, &mut out);
    assert!(matches!(refused, Err(Error::Roll(_))));
}
