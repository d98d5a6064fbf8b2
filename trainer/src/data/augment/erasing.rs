//! Random erasing (Zhong, Zheng, Kang, Li and Yang 2020): a rectangle of noise over the face.

use rand::RngExt;

use crate::random::symmetric;

/// Range of the covered share of the face, drawn uniformly.
const AREA: (f32, f32) = (0.02, 0.33);
/// Largest ratio of the sides; the aspect ratio is drawn log-uniformly between its inverse and it.
const ASPECT: f32 = 3.3;

/// Covers a rectangle of a face of `size`² pixels with random grey values.
pub(super) fn erase(face: &mut [u8], size: usize, generator: &mut impl RngExt) {
    let area = AREA.0 + (AREA.1 - AREA.0) * generator.random::<f32>();
    let aspect = ASPECT.powf(symmetric(1.0, generator));
    let mut place = |share: f32| {
        let length = ((share * size as f32).round() as usize).clamp(1, size);
        let start = generator.random_range(0..=size - length);
        start..start + length
    };
    let rows = place((area * aspect).sqrt());
    let columns = place((area / aspect).sqrt());
    for row in face.chunks_exact_mut(size).take(rows.end).skip(rows.start) {
        generator.fill(&mut row[columns.clone()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};

    const SIZE: usize = 48;

    /// The rows and columns that are not all 0 any more.
    fn covered(stream: u64) -> (usize, usize, usize) {
        let mut face = vec![0; SIZE * SIZE];
        erase(
            &mut face,
            SIZE,
            &mut generator(1, Purpose::Augmentation, stream),
        );
        let touched = |face: &[u8]| face.iter().any(|&pixel| pixel > 0);
        let rows = face.chunks(SIZE).filter(|row| touched(row)).count();
        let is_covered = |column: &usize| face.iter().skip(*column).step_by(SIZE).any(|&p| p > 0);
        let columns = (0..SIZE).filter(is_covered).count();
        (
            rows,
            columns,
            face.iter().filter(|&&pixel| pixel > 0).count(),
        )
    }

    #[test]
    fn a_rectangle_of_the_stated_area_and_aspect_is_covered() {
        let mut areas = Vec::new();
        for stream in 0..300 {
            let (rows, columns, pixels) = covered(stream);
            let share = (rows * columns) as f32 / (SIZE * SIZE) as f32;
            areas.push(share);
            assert!((0.014..0.37).contains(&share), "{rows}×{columns}");
            // One noise value in 256 is 0.
            assert!(
                pixels * 10 > rows * columns * 9,
                "{pixels} of {rows}×{columns}"
            );
        }
        let mean = areas.iter().sum::<f32>() / areas.len() as f32;
        assert!((mean - 0.175).abs() < 0.02, "{mean}");
    }

    #[test]
    fn rectangles_are_high_and_wide_and_reach_every_border() {
        let shapes: Vec<_> = (0..100).map(covered).collect();
        assert!(
            shapes
                .iter()
                .any(|(rows, columns, _)| rows > &(2 * columns))
        );
        assert!(
            shapes
                .iter()
                .any(|(rows, columns, _)| columns > &(2 * rows))
        );
    }
}
