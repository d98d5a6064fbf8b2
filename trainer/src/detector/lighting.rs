//! The same picture in other light, always by the same amount: how much a detector depends on it.

use std::fmt;

/// Light in a file is to the power of 1/2.2 of what fell on the sensor.
const GAMMA: f32 = 2.2;
/// Stops that a picture is darker or brighter.
const STOPS: f32 = 2.0;

/// The light on a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lighting {
    /// As it was taken.
    AsItIs,
    /// Two stops less.
    Darker,
    /// Two stops more.
    Brighter,
    /// From two stops more at the left border to two less at the right one.
    FromTheLeft,
}

impl Lighting {
    /// All but [`Lighting::AsItIs`].
    pub const OTHERS: [Self; 3] = [Self::Darker, Self::Brighter, Self::FromTheLeft];

    /// Changes grey values, rows of `width`.
    pub fn change(self, pixels: &mut [u8], width: usize) {
        match self {
            Self::AsItIs => {}
            Self::Darker => expose(pixels, -STOPS),
            Self::Brighter => expose(pixels, STOPS),
            Self::FromTheLeft => {
                let stops = |x: usize| STOPS * (1.0 - 2.0 * (x as f32 + 0.5) / width as f32);
                let gains: Vec<f32> = (0..width).map(|x| gain(stops(x))).collect();
                for row in pixels.chunks_mut(width) {
                    for (pixel, gain) in row.iter_mut().zip(&gains) {
                        *pixel = (f32::from(*pixel) * gain).round() as u8;
                    }
                }
            }
        }
    }
}

impl fmt::Display for Lighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AsItIs => "as it is",
            Self::Darker => "2 stops darker",
            Self::Brighter => "2 stops brighter",
            Self::FromTheLeft => "light from the left",
        })
    }
}

/// What a grey value is multiplied by when so many stops more light falls on it.
pub(super) fn gain(stops: f32) -> f32 {
    (stops / GAMMA).exp2()
}

/// So many stops more light; what is too bright is white.
fn expose(pixels: &mut [u8], stops: f32) {
    let gain = gain(stops);
    for pixel in pixels {
        *pixel = (f32::from(*pixel) * gain).round() as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_stops_are_four_times_the_light() {
        let mut pixels = [100, 200];
        Lighting::Darker.change(&mut pixels, 2);
        let light = |pixel: u8| (f32::from(pixel) / 255.0).powf(GAMMA);
        let [ratio, _] = [light(100) / light(pixels[0]), light(200) / light(pixels[1])];
        assert!((ratio - 4.0).abs() < 0.1, "{ratio}");
        let mut pixels = [100, 200];
        Lighting::Brighter.change(&mut pixels, 2);
        assert_eq!(pixels, [188, 255]);
    }

    #[test]
    fn light_from_the_left_leaves_the_middle_as_it_is() {
        let mut pixels = [100; 9];
        Lighting::FromTheLeft.change(&mut pixels, 9);
        assert_eq!(pixels[4], 100);
        assert!(pixels.is_sorted_by(|a, b| a > b), "{pixels:?}");
    }
}
