//! Faces in another light than they were taken in, to see what that does to a network.
//!
//! A stop doubles the light. Light adds up in linear intensity, so grey values go through the transfer function of sRGB
//! (IEC 61966-2-1) there and back; what becomes more than white is burnt out, and what becomes less than half a grey
//! level is black, as in a camera.

use super::{FACE_SIZE, Faces};

/// How far the light is off, in stops.
const STOPS: f32 = 1.5;

/// A light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Light {
    /// The one that a face was taken in.
    AsItIs,
    /// One and a half stops less.
    Darkened,
    /// One and a half stops more.
    Brightened,
    /// From one and a half stops less at the left border to as many more at the right one, evenly.
    FromTheSide,
}

impl Light {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::AsItIs,
        Self::Darkened,
        Self::Brightened,
        Self::FromTheSide,
    ];

    /// What it is called in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AsItIs => "as it is",
            Self::Darkened => "darkened",
            Self::Brightened => "brightened",
            Self::FromTheSide => "from the side",
        }
    }

    /// `faces` in this light, with their labels.
    pub fn on(self, faces: &Faces) -> Faces {
        if self == Self::AsItIs {
            return faces.clone();
        }
        let tables: Vec<[u8; 256]> = (0..FACE_SIZE).map(|x| table(self.stops(x))).collect();
        let mut lit = Faces::default();
        for (row, &label) in faces.labels().iter().enumerate() {
            let pixels = faces.pixels(row).chunks_exact(FACE_SIZE).flat_map(|row| {
                let levels = row.iter().zip(&tables);
                levels.map(|(&level, table)| table[usize::from(level)])
            });
            lit.push(&pixels.collect::<Vec<u8>>(), label);
        }
        lit
    }

    /// By how many stops column `x` is brighter.
    fn stops(self, x: usize) -> f32 {
        match self {
            Self::AsItIs => 0.0,
            Self::Darkened => -STOPS,
            Self::Brightened => STOPS,
            Self::FromTheSide => STOPS * (2.0 * x as f32 / (FACE_SIZE - 1) as f32 - 1.0),
        }
    }
}

/// What each grey level becomes with so many stops more light.
fn table(stops: f32) -> [u8; 256] {
    std::array::from_fn(|level| {
        let light = linear(level as f32 / 255.0) * stops.exp2();
        // The cast saturates.
        (encoded(light.min(1.0)) * 255.0).round() as u8
    })
}

fn linear(value: f32) -> f32 {
    if value <= 0.04045 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

fn encoded(light: f32) -> f32 {
    if light <= 0.003_130_8 {
        12.92 * light
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    }
}

#[cfg(test)]
mod tests {
    use emotion_models::Emotion;

    use super::*;

    fn lit(light: Light, level: u8) -> Vec<u8> {
        let mut faces = Faces::default();
        faces.push(&[level; FACE_SIZE * FACE_SIZE], Emotion::Happy);
        let lit = light.on(&faces);
        assert_eq!(lit.labels(), faces.labels());
        lit.pixels(0).to_vec()
    }

    #[test]
    fn no_change_of_light_changes_no_level() {
        assert!((0..=255).all(|level| table(0.0)[level] as usize == level));
        assert_eq!(lit(Light::AsItIs, 99), vec![99; FACE_SIZE * FACE_SIZE]);
    }

    #[test]
    fn a_stop_doubles_linear_light() {
        // 0.5 in sRGB is 0.2140 of the light, twice that 0.4281, which is 0.6858 in sRGB.
        let [half, brighter] = [127.5_f32 / 255.0, 0.6858].map(linear);
        assert!((2.0 * half - brighter).abs() < 1e-3);
        assert_eq!(table(1.0)[188], 255);
        assert_eq!(table(-1.0)[255], 188);
    }

    #[test]
    fn more_light_burns_out_and_less_keeps_all_in_range() {
        assert_eq!(lit(Light::Brightened, 170)[0], 255);
        assert!(lit(Light::Brightened, 100)[0] > 150);
        assert!((55..65).contains(&lit(Light::Darkened, 100)[0]));
    }

    #[test]
    fn light_from_the_side_grows_to_the_right() {
        let face = lit(Light::FromTheSide, 100);
        let row = &face[..FACE_SIZE];
        assert!(row.is_sorted() && row[0] < 65 && row[FACE_SIZE - 1] > 150);
        assert!(face.chunks_exact(FACE_SIZE).all(|other| other == row));
    }
}
