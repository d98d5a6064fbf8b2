use super::super::GreyImage;
use super::*;

fn noise(count: usize) -> Vec<u8> {
    (0..count).map(|i| (i * i / 7 % 251) as u8).collect()
}

fn run(data: &[u8], width: usize, part: Part, size: [usize; 2]) -> Vec<f32> {
    let image = GreyImage::new(data, width, data.len() / width, width).unwrap();
    let [height, wide] = size;
    let stride = wide + 3;
    let mut out = vec![7.0; height * stride - 3];
    Scaler::default().run(&image, part, size, &mut out, stride);
    for row in out.chunks(stride) {
        assert!(row[wide..].iter().all(|value| *value == 7.0));
    }
    let rows = out.chunks(stride).flat_map(|row| &row[..wide]);
    rows.map(|value| (value + 1.0) * 127.5).collect()
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-3, "{found}, not {expected}");
    }
}

/// The mean of the area that each output covers, from the definition.
fn mean(data: &[u8], width: usize, part: Part, [height, wide]: [usize; 2]) -> Vec<f32> {
    let covered = |pixel: usize, output: usize, step: f64| {
        let (from, to) = (output as f64 * step, (output + 1) as f64 * step);
        ((pixel + 1) as f64).min(to) - (pixel as f64).max(from)
    };
    let [down, right] = [(part.height, height), (part.width, wide)]
        .map(|(pixels, outputs)| pixels as f64 / outputs as f64);
    let value = |index: usize| {
        let mut sum = 0.0;
        for y in 0..part.height {
            for x in 0..part.width {
                let rows = covered(y, index / wide, down).max(0.0);
                let columns = covered(x, index % wide, right).max(0.0);
                let pixel = data[(part.y + y) * width + part.x + x];
                sum += rows * columns * f64::from(pixel);
            }
        }
        (sum / (down * right)) as f32
    };
    (0..height * wide).map(value).collect()
}

#[test]
fn what_is_reduced_is_the_mean_of_what_each_output_covers() {
    let (width, height) = (61, 37);
    let data = noise(width * height);
    let part = Part {
        x: 3,
        y: 5,
        width: 57,
        height: 30,
    };
    for size in [
        [30, 57],
        [29, 40],
        [15, 19],
        [10, 13],
        [7, 9],
        [3, 5],
        [1, 1],
        [30, 1],
    ] {
        let expected = mean(&data, width, part, size);
        assert_close(&run(&data, width, part, size), &expected);
    }
}

#[test]
fn what_is_enlarged_is_interpolated_and_ends_at_the_parts_edge() {
    let data = [200, 0, 100, 200];
    let part = Part {
        x: 1,
        y: 0,
        width: 2,
        height: 1,
    };
    let row = [0.0, 25.0, 75.0, 100.0];
    assert_close(&run(&data, 4, part, [2, 4]), &[row, row].concat());
    // Wider and lower at once.
    let part = Part {
        x: 0,
        y: 0,
        width: 2,
        height: 2,
    };
    assert_close(
        &run(&[0, 100, 50, 150], 2, part, [1, 4]),
        &[25.0, 50.0, 100.0, 125.0],
    );
}

#[test]
fn a_scaler_may_change_from_size_to_size() {
    let data = noise(40 * 30);
    let image = GreyImage::new(&data, 40, 30, 40).unwrap();
    let mut scaler = Scaler::default();
    for size in [[15, 20], [10, 11], [30, 40], [60, 80], [15, 20]] {
        let part = Part::whole(&image);
        let [height, width] = size;
        let [mut kept, mut new] = [vec![0.0; height * width], vec![0.0; height * width]];
        scaler.run(&image, part, size, &mut kept, width);
        Scaler::default().run(&image, part, size, &mut new, width);
        assert_eq!(kept, new, "{size:?}");
    }
}
