//! Changes of exposure, uniform or growing towards one side.

use std::f32::consts::TAU;

use rand::RngExt;

use crate::data::illumination::{expose, light_along};
use crate::random::symmetric;

/// Share of the faces with another exposure.
const EXPOSED: f32 = 0.4;
/// Share of the faces that are lit from one side.
const LIT_FROM_A_SIDE: f32 = 0.2;

/// Changes the exposure of a face of `size`² pixels by up to `stops`; two faces in five stay as they are.
pub(super) fn change(stops: f32, face: &mut [u8], size: usize, generator: &mut impl RngExt) {
    let kind = generator.random::<f32>();
    let stops = symmetric(stops, generator);
    if kind < EXPOSED {
        expose(stops, face);
    } else if kind < EXPOSED + LIT_FROM_A_SIDE {
        let (sin, cos) = (TAU * generator.random::<f32>()).sin_cos();
        light_along([cos * stops, sin * stops], face, size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};

    #[test]
    fn some_faces_are_exposed_some_lit_from_a_side_and_some_stay() {
        let (mut same, mut even, mut uneven) = (0, 0, 0);
        for stream in 0..300 {
            let mut face = vec![100; 48 * 48];
            change(
                2.0,
                &mut face,
                48,
                &mut generator(1, Purpose::Augmentation, stream),
            );
            match (face[0], face.iter().all(|&pixel| pixel == face[0])) {
                (100, true) => same += 1,
                (_, true) => even += 1,
                (_, false) => uneven += 1,
            }
            // Two stops more of 100 is 194, two less 48.
            let mean = face.iter().map(|&pixel| u32::from(pixel)).sum::<u32>() / (48 * 48);
            assert!((45..=200).contains(&mean), "{mean}");
        }
        assert!((100..150).contains(&same), "{same}");
        assert!((90..140).contains(&even), "{even}");
        assert!((35..85).contains(&uneven), "{uneven}");
    }
}
