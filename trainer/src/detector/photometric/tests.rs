use super::*;

use rand_chacha::ChaCha8Rng;

use crate::random::{Purpose, generator as numbers};

const SIZE: usize = 64;

/// Nothing happens.
const NONE: PhotometricAugmentation = PhotometricAugmentation {
    exposure: (0.0, 0.0),
    contrast: (0.0, 0.0),
    side: (0.0, 0.0),
    blur: (0.0, 0.0),
    noise: (0.0, 0.0),
    jpeg: (0.0, 25),
};

fn generator(stream: u64) -> ChaCha8Rng {
    numbers(1, Purpose::Sampling, stream)
}

fn image(pixel: impl Fn(usize, usize) -> u8) -> Vec<u8> {
    (0..SIZE * SIZE)
        .map(|index| pixel(index % SIZE, index / SIZE))
        .collect()
}

/// All 256 levels, several times, in order from the top left.
fn levels() -> Vec<u8> {
    image(|x, y| ((y * SIZE + x) % 256) as u8)
}

fn changed(light: PhotometricAugmentation, mut pixels: Vec<u8>, stream: u64) -> Vec<u8> {
    light.apply(&mut pixels, SIZE, &mut generator(stream));
    pixels
}

fn mean(pixels: &[u8]) -> f64 {
    pixels.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / pixels.len() as f64
}

fn deviation(pixels: &[u8]) -> f64 {
    let mean = mean(pixels);
    let squares = pixels
        .iter()
        .map(|&pixel| (f64::from(pixel) - mean).powi(2));
    (squares.sum::<f64>() / pixels.len() as f64).sqrt()
}

#[test]
fn where_nothing_happens_the_pixels_stay() {
    assert_eq!(changed(NONE, levels(), 1), levels());
}

#[test]
fn exposure_and_contrast_keep_the_order_of_the_levels() {
    let light = PhotometricAugmentation {
        exposure: (1.0, 2.5),
        contrast: (1.0, 0.4),
        ..NONE
    };
    let (mut darker, mut brighter) = (0, 0);
    for stream in 0..40 {
        let pixels = changed(light, levels(), stream);
        let row = &pixels[..256];
        assert!(row.is_sorted(), "{row:?}");
        if mean(row) < 127.5 {
            darker += 1;
        } else {
            brighter += 1;
        }
    }
    assert!(darker >= 8 && brighter >= 8, "{darker} and {brighter}");
}

#[test]
fn exposure_goes_as_far_as_its_stops_and_no_further() {
    let light = PhotometricAugmentation {
        exposure: (1.0, 2.5),
        ..NONE
    };
    let grey = || image(|_, _| 100);
    let found: Vec<u8> = (0..200)
        .map(|stream| changed(light, grey(), stream)[0])
        .collect();
    // 2.5 stops are a factor of 2^(2.5 / 2.2) = 2.198.
    let (least, most) = (found.iter().min().unwrap(), found.iter().max().unwrap());
    assert!((45..=48).contains(least), "{least}");
    assert!((210..=220).contains(most), "{most}");
}

#[test]
fn light_from_one_side_is_a_slope_with_the_middle_as_it_was() {
    let mut lit = image(|_, _| 80);
    side_light(&mut lit, SIZE, 2.0, 0.0);
    let row = &lit[20 * SIZE..21 * SIZE];
    assert!(
        row.is_sorted() && row[0] < 65 && row[SIZE - 1] > 95,
        "{row:?}"
    );
    assert_eq!(row[SIZE / 2], 80);
    let column: Vec<u8> = lit.iter().copied().step_by(SIZE).collect();
    assert!(column.iter().all(|&pixel| pixel == column[0]));
}

#[test]
fn blur_spreads_a_dot_evenly_and_keeps_its_sum() {
    let mut dot = image(|x, y| if (x, y) == (30, 20) { 255 } else { 0 });
    let before = mean(&dot);
    blur(&mut dot, SIZE, 1.0);
    let at = |x: usize, y: usize| dot[y * SIZE + x];
    assert!(at(30, 20) < 60 && at(30, 20) > 30, "{}", at(30, 20));
    let around = [at(29, 20), at(31, 20), at(30, 19), at(30, 21)];
    assert!(around.iter().all(|&pixel| pixel == around[0] && pixel > 0));
    assert!((mean(&dot) / before - 1.0).abs() < 0.05);

    let mut flat = image(|_, _| 77);
    blur(&mut flat, SIZE, 1.6);
    assert!(flat.iter().all(|&pixel| pixel == 77), "the borders too");
}

#[test]
fn noise_has_the_deviation_asked_for_about_the_level() {
    let mut grey = image(|_, _| 128);
    noise(&mut grey, 10.0, &mut generator(3));
    assert!((mean(&grey) - 128.0).abs() < 1.0);
    assert!(
        (deviation(&grey) - 10.0).abs() < 0.5,
        "{}",
        deviation(&grey)
    );
}

#[test]
fn jpeg_leaves_its_traces_and_the_picture() {
    let slope = || image(|x, y| (2 * x + y) as u8);
    let mut packed = slope();
    jpeg(&mut packed, SIZE, 25);
    assert_ne!(packed, slope());
    let apart = packed.iter().zip(slope());
    let most = apart
        .map(|(&found, expected)| found.abs_diff(expected))
        .max();
    assert!(most.unwrap() < 40, "{most:?}");
}

#[test]
fn everything_together_depends_on_the_generator_alone() {
    let all = |stream| changed(PhotometricAugmentation::DEFAULT, levels(), stream);
    assert_eq!(all(5), all(5));
    assert!((0..20).any(|stream| all(stream) != all(stream + 1)));
}
