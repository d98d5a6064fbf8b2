use super::*;

const SIZE: usize = 48;

/// A crop whose brightness grows to the right and whose rows differ.
fn ramp(lowest: f32, highest: f32) -> Vec<f32> {
    (0..SIZE * SIZE)
        .map(|i| {
            let (x, y) = ((i % SIZE) as f32, (i / SIZE) as f32);
            lowest + (highest - lowest) * (x + 0.2 * y) / (1.2 * (SIZE - 1) as f32)
        })
        .collect()
}

fn corrected(light: LightCorrection, mut crop: Vec<f32>) -> Vec<f32> {
    light.apply(&mut crop, SIZE);
    crop
}

fn mean(crop: &[f32]) -> f32 {
    crop.iter().sum::<f32>() / crop.len() as f32
}

#[test]
fn names_lead_back_to_their_corrections() {
    for light in LightCorrection::ALL {
        assert_eq!(LightCorrection::from_name(light.name()), Some(light));
    }
    assert_eq!(LightCorrection::from_name("sunshine"), None);
}

#[test]
fn a_dark_crop_becomes_brighter_with_every_correction_and_stays_without() {
    let dark = ramp(5.0, 60.0);
    assert_eq!(corrected(LightCorrection::None, dark.clone()), dark);
    for light in &LightCorrection::ALL[1..] {
        let bright = corrected(*light, dark.clone());
        assert!(mean(&bright) > 1.2 * mean(&dark), "{light}");
    }
}

#[test]
fn equalisation_spreads_the_levels_evenly_from_black_to_white() {
    let even = corrected(LightCorrection::Equalize, ramp(100.0, 130.0));
    assert!((mean(&even) - 127.5).abs() < 5.0, "{}", mean(&even));
    assert_eq!(even.iter().copied().fold(255.0, f32::min), 0.0);
    assert_eq!(even.iter().copied().fold(0.0, f32::max), 255.0);
}

#[test]
fn grey_values_stay_between_black_and_white() {
    let crops = [
        ramp(0.0, 255.0),
        ramp(250.0, 255.0),
        vec![0.0; SIZE * SIZE],
        vec![255.0; SIZE * SIZE],
    ];
    for light in LightCorrection::ALL {
        for crop in &crops {
            let found = corrected(light, crop.clone());
            let is_grey = |v: &f32| v.is_finite() && (-1e-3..=255.001).contains(v);
            assert!(found.iter().all(is_grey), "{light}");
        }
    }
}

#[test]
fn any_size_can_be_corrected() {
    for size in [1, 2, 7, 50, 64] {
        for light in LightCorrection::ALL {
            let mut crop: Vec<f32> = (0..size * size).map(|i| (i % 256) as f32).collect();
            light.apply(&mut crop, size);
            assert!(crop.iter().all(|v| v.is_finite()), "{light} {size}");
        }
    }
}

#[test]
fn a_well_exposed_crop_with_equal_sides_is_left_by_exposure_as_it_is() {
    let crop: Vec<f32> = (0..SIZE * SIZE)
        .map(|i| 100.0 + (i / SIZE) as f32)
        .collect();
    let found = corrected(
        LightCorrection::Exposure,
        crop.iter().map(|v| v + 10.0).collect(),
    );
    for (found, given) in found.iter().zip(&crop) {
        assert!((found - given - 10.0).abs() < 1e-3);
    }
}

#[test]
fn exposure_evens_out_light_from_one_side() {
    let sides = |crop: &[f32]| {
        let side = |left: bool| -> f32 {
            let values = crop.iter().enumerate();
            let values = values.filter(|(i, _)| (i % SIZE < SIZE / 2) == left);
            values.map(|(_, value)| value).sum()
        };
        side(false) / side(true)
    };
    let lit = ramp(90.0, 180.0);
    assert!(sides(&lit) > 1.25);
    let even = sides(&corrected(LightCorrection::Exposure, lit));
    assert!((even - 1.0).abs() < 0.05, "{even}");
}

#[test]
fn burnt_out_highlights_get_a_shape_that_is_brightest_within() {
    let mut crop = ramp(60.0, 200.0);
    for y in 10..30 {
        crop[y * SIZE + 10..y * SIZE + 30].fill(255.0);
    }
    let found = corrected(LightCorrection::Exposure, crop);
    let at = |x: usize, y: usize| found[y * SIZE + x];
    assert!(at(20, 20) > at(12, 20) + 10.0);
    assert!(at(12, 20) > at(10, 20));
    assert!(at(10, 20) > at(9, 20), "still brighter than beside");
}

#[test]
fn clahe_spreads_the_levels_of_a_dark_side_by_themselves() {
    // The left half lies in the dark, with a fine pattern in it.
    let crop: Vec<f32> = (0..SIZE * SIZE)
        .map(|i| {
            let (x, y) = (i % SIZE, i / SIZE);
            let base = if x < SIZE / 2 { 20 } else { 200 };
            (base + (7 * x + 13 * y) % 40) as f32
        })
        .collect();
    let contrast = |crop: &[f32]| {
        let part: Vec<f32> = (0..SIZE * SIZE)
            .filter(|i| i % SIZE < SIZE / 4)
            .map(|i| crop[i])
            .collect();
        let mean = mean(&part);
        (part.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / part.len() as f32).sqrt()
    };
    let found = corrected(LightCorrection::Clahe, crop.clone());
    assert!(contrast(&found) > 1.3 * contrast(&crop));
}
