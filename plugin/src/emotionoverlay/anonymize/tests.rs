use super::*;

/// An area of a noisy plane with two samples in a pixel, before and after.
fn changed(change: impl Fn(&mut Samples<'_>, SampleRect)) -> (Vec<u8>, Vec<u8>, SampleRect) {
    let before: Vec<u8> = (0..200 * 100_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let mut after = before.clone();
    let area = SampleRect {
        x: 7,
        y: 11,
        width: 61,
        height: 47,
    };
    change(
        &mut Samples {
            data: &mut after,
            stride: 200,
            step: 2,
            offset: 1,
        },
        area,
    );
    (before, after, area)
}

fn differs_outside(before: &[u8], after: &[u8], area: SampleRect) -> bool {
    before.iter().zip(after).enumerate().any(|(i, (b, a))| {
        let (x, y) = (i % 200 / 2, i / 200);
        let inside = (area.x..area.x + area.width).contains(&x)
            && (area.y..area.y + area.height).contains(&y)
            && i % 2 == 1;
        !inside && b != a
    })
}

#[test]
fn squares_leave_one_value_for_each_cell_and_nothing_else_changes() {
    let (before, after, area) = changed(|samples, area| samples.pixelate(area));
    assert!(!differs_outside(&before, &after, area));
    let row = |y: usize| -> Vec<u8> {
        let start = (area.y + y) * 200 + area.x * 2 + 1;
        after[start..start + area.width * 2]
            .iter()
            .step_by(2)
            .copied()
            .collect()
    };
    assert_eq!(row(0), row(area.height / CELLS - 1));
    let mut values = row(0);
    values.dedup();
    assert!(values.len() <= CELLS, "{values:?}");
}

#[test]
fn a_blur_has_no_steps_and_keeps_the_brightness() {
    let (before, after, area) = changed(|samples, area| samples.blur(area));
    assert!(!differs_outside(&before, &after, area));
    let mean = |plane: &[u8]| {
        let mut sum = 0;
        for y in area.y..area.y + area.height {
            for x in area.x..area.x + area.width {
                sum += u32::from(plane[y * 200 + x * 2 + 1]);
            }
        }
        f64::from(sum) / (area.width * area.height) as f64
    };
    assert!((mean(&before) - mean(&after)).abs() < 3.0);
    for y in area.y..area.y + area.height {
        for x in area.x..area.x + area.width - 1 {
            let at = |x: usize| i32::from(after[y * 200 + x * 2 + 1]);
            assert!((at(x) - at(x + 1)).abs() < 16, "{x}, {y}");
        }
    }
}

#[test]
fn areas_of_any_size_can_be_hidden() {
    for (width, height) in [(1, 1), (1, 9), (5, 3), (6, 6), (100, 2)] {
        let mut data = vec![7; 100 * 10];
        let area = SampleRect {
            x: 0,
            y: 0,
            width,
            height,
        };
        let mut samples = Samples {
            data: &mut data,
            stride: 100,
            step: 1,
            offset: 0,
        };
        samples.blur(area);
        samples.fill(area, 9);
        assert_eq!(data.iter().filter(|v| **v == 9).count(), width * height);
    }
}
