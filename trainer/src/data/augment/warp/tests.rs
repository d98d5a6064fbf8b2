use super::*;
use crate::random::{Purpose, generator};
use crate::testing::random_faces;

const SIZE: usize = 48;

fn gradient() -> Vec<u8> {
    (0..SIZE * SIZE)
        .map(|index| (index % SIZE * 5) as u8)
        .collect()
}

fn warped(augmentation: Augmentation, stream: u64, source: &[u8]) -> Vec<u8> {
    let mut generator = generator(1, Purpose::Augmentation, stream);
    let mut target = vec![0; SIZE * SIZE];
    let warp = Warp::sample(&augmentation, SIZE, &mut generator);
    warp.apply(source, SIZE, &mut Margins::default(), &mut target);
    target
}

/// The formula, pixel by pixel: bilinear, with positions held inside the source.
fn reference(warp: &Warp, source: &[u8], column: usize, row: usize) -> f64 {
    let position = |axis: usize| {
        let [by_column, by_row] = warp.matrix[axis].map(f64::from);
        let position =
            f64::from(warp.offset[axis]) + by_column * column as f64 + by_row * row as f64;
        position.clamp(0.0, (SIZE - 1) as f64)
    };
    let (x, y) = (position(0), position(1));
    let mut value = 0.0;
    for (line, share) in [(y.floor(), 1.0 - y.fract()), (y.ceil(), y.fract())] {
        let at = |x: f64| f64::from(source[line as usize * SIZE + x as usize]);
        value += share * ((1.0 - x.fract()) * at(x.floor()) + x.fract() * at(x.ceil()));
    }
    value
}

#[test]
fn every_pixel_is_what_the_formula_says() {
    let far = Augmentation {
        rotation_degrees: 90.0,
        shift: 0.5,
        zoom: 0.9,
        flip: true,
        ..Augmentation::NONE
    };
    let faces = random_faces(1, 1);
    let (source, mut target) = (faces.pixels(0), vec![0; SIZE * SIZE]);
    let mut margins = Margins::default();
    for stream in 0..60 {
        let warp = Warp::sample(&far, SIZE, &mut generator(1, Purpose::Augmentation, stream));
        warp.apply(source, SIZE, &mut margins, &mut target);
        for (index, &pixel) in target.iter().enumerate() {
            let expected = reference(&warp, source, index % SIZE, index / SIZE);
            let error = (f64::from(pixel) - expected).abs();
            assert!(error < 1.0, "{pixel} at {index}, expected {expected}");
        }
    }
}

#[test]
fn a_flip_gives_the_face_or_its_exact_mirror_image() {
    let flip = Augmentation {
        flip: true,
        ..Augmentation::NONE
    };
    let mirrored: Vec<u8> = gradient()
        .chunks(SIZE)
        .flat_map(|row| row.iter().rev().copied())
        .collect();
    let results: Vec<_> = (0..40)
        .map(|stream| warped(flip, stream, &gradient()))
        .collect();
    assert!(results.contains(&gradient()));
    assert!(results.contains(&mirrored));
    assert!(
        results
            .iter()
            .all(|face| *face == gradient() || *face == mirrored)
    );
}

#[test]
fn a_shift_moves_a_gradient_by_at_most_its_fraction_of_the_side() {
    let shift = Augmentation {
        shift: 0.1,
        ..Augmentation::NONE
    };
    let mut farthest = 0.0_f32;
    for stream in 0..200 {
        let face = warped(shift, stream, &gradient());
        let moved = (f32::from(face[24 * SIZE + 24]) - 24.0 * 5.0) / 5.0;
        farthest = farthest.max(moved.abs());
    }
    assert!(farthest <= 4.8 + 0.1, "{farthest}");
    assert!(farthest >= 4.3, "{farthest}");
}

#[test]
fn a_rotation_keeps_the_centre_and_turns_the_rest_by_at_most_its_angle() {
    let rotation = Augmentation {
        rotation_degrees: 10.0,
        ..Augmentation::NONE
    };
    for stream in 0..50 {
        let mut generator = generator(1, Purpose::Augmentation, stream);
        let Warp { matrix, offset } = Warp::sample(&rotation, SIZE, &mut generator);
        let centre = 23.5;
        assert!(((matrix[0][0] + matrix[0][1]) * centre + offset[0] - centre).abs() < 1e-4);
        assert!(matrix[1][0].atan2(matrix[0][0]).abs() <= 10.0_f32.to_radians());
        let determinant = matrix[0][0] * matrix[1][1] - matrix[0][1] * matrix[1][0];
        assert!((determinant - 1.0).abs() < 1e-5);
    }
}

#[test]
fn what_lies_outside_repeats_the_border() {
    let border: Vec<u8> = (0..SIZE * SIZE)
        .map(|index| if index % SIZE == 0 { 200 } else { 10 })
        .collect();
    let warp = Warp {
        matrix: [[1.0, 0.0], [0.0, 1.0]],
        offset: [-4.0, 0.0],
    };
    let mut target = vec![0; SIZE * SIZE];
    warp.apply(&border, SIZE, &mut Margins::default(), &mut target);
    assert_eq!(target[..6], [200, 200, 200, 200, 200, 10]);
}
