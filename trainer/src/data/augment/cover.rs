//! Covers over the mouth or the eyes: masks, hands, dark glasses and bars.
//!
//! They are drawn where FER-2013 and the face detector place mouth and eyes: the eyes at 0.38 of the height and 0.3 and 0.7
//! of the width, the mouth at 0.77 of the height.

mod layout;
mod mask;

use rand::RngExt;

use self::layout::{EDGE, EYE_DISTANCE, EYES, MOUTH, Pixel};
use self::mask::Mask;
use crate::random::symmetric;

/// A cover with its shade.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cover(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Mask(Mask),
    Plain(PlainCover),
}

/// A hand, dark glasses, or a bar.
#[derive(Debug, Clone, Copy, PartialEq)]
struct PlainCover {
    shape: Shape,
    /// Grey level in the middle.
    grey: f32,
    /// Change of the grey level from one side to the other, along both axes.
    slope: [f32; 2],
    /// Height of its folds in grey levels, their number along the height, and their phase.
    folds: [f32; 3],
}

/// What covers a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CoverKind {
    /// A mask over nose and mouth.
    Mask,
    /// A hand or a cup before the mouth.
    Hand,
    /// Dark glasses.
    Glasses,
    /// A bar or an arm before the eyes.
    Bar,
}

/// Lengths are fractions of the side.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    /// An ellipse about the mouth.
    Ellipse { centre: [f32; 2], radii: [f32; 2] },
    /// Two ellipses about the eyes, joined by a bridge.
    Glasses { centre: [f32; 2], radii: [f32; 2] },
    /// A bar across the face.
    Bar { height: f32, half: f32, tilt: f32 },
}

impl Cover {
    /// Draws a cover for this share of the faces, none for the others.
    pub(crate) fn sample(share: f32, generator: &mut impl RngExt) -> Option<Self> {
        if generator.random::<f32>() >= share {
            return None;
        }
        // Masks are the most frequent cover.
        let kind = match generator.random_range(0..8) {
            0..4 => CoverKind::Mask,
            4 => CoverKind::Hand,
            5 | 6 => CoverKind::Glasses,
            _ => CoverKind::Bar,
        };
        Some(Self::new(kind, generator))
    }

    /// Draws a cover of this kind.
    pub(crate) fn new(kind: CoverKind, generator: &mut impl RngExt) -> Self {
        let mut about = |value: f32, limit: f32| value + symmetric(limit, generator);
        let shape = match kind {
            CoverKind::Mask => return Self(Kind::Mask(Mask::new(generator))),
            CoverKind::Hand => Shape::Ellipse {
                centre: [about(0.5, 0.08), about(MOUTH, 0.05)],
                radii: [about(0.3, 0.08), about(0.2, 0.06)],
            },
            CoverKind::Glasses => Shape::Glasses {
                centre: [about(0.5, 0.03), about(EYES, 0.04)],
                radii: [about(0.17, 0.03), about(0.12, 0.03)],
            },
            CoverKind::Bar => Shape::Bar {
                height: about(EYES, 0.05),
                half: about(0.16, 0.04),
                tilt: about(0.0, 0.25),
            },
        };
        let darkest = if kind == CoverKind::Glasses {
            0.0..60.0
        } else {
            10.0..250.0
        };
        Self(Kind::Plain(PlainCover {
            shape,
            grey: generator.random_range(darkest),
            slope: [(); 2].map(|()| symmetric(40.0, generator)),
            folds: [
                generator.random_range(0.0..15.0),
                generator.random_range(2.0..9.0),
                generator.random_range(0.0..1.0),
            ],
        }))
    }

    /// Draws it over a face of `size`² pixels.
    pub(crate) fn draw(&self, face: &mut [u8], size: usize) {
        let sum: u64 = face.iter().copied().map(u64::from).sum();
        let mean = sum as f32 / face.len() as f32;
        for (row, line) in face.chunks_exact_mut(size).enumerate() {
            let y = (row as f32 + 0.5) / size as f32;
            for (column, pixel) in line.iter_mut().enumerate() {
                let x = (column as f32 + 0.5) / size as f32;
                let Pixel { depth, grey } = self.pixel(x, y, mean);
                let opacity = (depth / EDGE + 0.5).clamp(0.0, 1.0);
                let below = f32::from(*pixel);
                *pixel = (below + opacity * (grey.clamp(0.0, 255.0) - below)).round() as u8;
            }
        }
    }

    /// What it puts at a point of a face with this mean grey level.
    fn pixel(&self, x: f32, y: f32, mean: f32) -> Pixel {
        match &self.0 {
            Kind::Mask(mask) => mask.pixel(x, y, mean),
            Kind::Plain(cover) => cover.pixel(x, y),
        }
    }
}

impl PlainCover {
    fn pixel(&self, x: f32, y: f32) -> Pixel {
        let [height, count, phase] = self.folds;
        let fold = height * (std::f32::consts::TAU * (count * y + phase)).sin();
        let [across, down] = self.slope;
        Pixel {
            depth: self.shape.depth(x, y),
            grey: self.grey + across * (x - 0.5) + down * (y - 0.5) + fold,
        }
    }
}

impl Shape {
    /// How far a point lies inside, negative outside; exact at the edge.
    fn depth(&self, x: f32, y: f32) -> f32 {
        match *self {
            Self::Ellipse { centre, radii } => ellipse([x, y], centre, radii),
            Self::Glasses { centre, radii } => {
                let eye = |side: f32| {
                    let centre = [centre[0] + side * EYE_DISTANCE, centre[1]];
                    ellipse([x, y], centre, radii)
                };
                let bridge =
                    (0.02 - (y - centre[1]).abs()).min(EYE_DISTANCE - (x - centre[0]).abs());
                eye(-1.0).max(eye(1.0)).max(bridge)
            }
            Self::Bar { height, half, tilt } => half - (y - height - tilt * (x - 0.5)).abs(),
        }
    }
}

fn ellipse([x, y]: [f32; 2], centre: [f32; 2], radii: [f32; 2]) -> f32 {
    let distance = ((x - centre[0]) / radii[0]).hypot((y - centre[1]) / radii[1]);
    (1.0 - distance) * radii[0].min(radii[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};

    const SIZE: usize = 48;

    fn depth(cover: &Cover, x: f32, y: f32) -> f32 {
        cover.pixel(x, y, 128.0).depth
    }

    fn covers() -> impl Iterator<Item = Cover> {
        let cover = |stream| Cover::sample(1.0, &mut generator(1, Purpose::Cover, stream));
        (0..400).filter_map(cover)
    }

    #[test]
    fn every_cover_hides_the_mouth_or_both_eyes() {
        for cover in covers() {
            let inside = |x: f32, y: f32| depth(&cover, x, y) > 0.0;
            let mouth = inside(0.5, MOUTH);
            let eyes = inside(0.5 - EYE_DISTANCE, EYES) && inside(0.5 + EYE_DISTANCE, EYES);
            assert!(mouth || eyes, "{cover:?}");
        }
    }

    #[test]
    fn part_of_the_face_stays_visible() {
        for cover in covers() {
            let cells = (0..SIZE * SIZE).map(|cell| (cell % SIZE, cell / SIZE));
            let [mut hidden, side] = [0.0, SIZE as f32];
            for (x, y) in cells {
                hidden += f32::from(depth(&cover, x as f32 / side, y as f32 / side) > 0.0);
            }
            let share = hidden / (side * side);
            assert!((0.05..0.65).contains(&share), "{share}: {cover:?}");
        }
    }

    #[test]
    fn what_is_not_covered_does_not_change() {
        for cover in covers().take(50) {
            let mut face = vec![77; SIZE * SIZE];
            cover.draw(&mut face, SIZE);
            for (index, &pixel) in face.iter().enumerate() {
                let [x, y] = [index % SIZE, index / SIZE].map(|p| (p as f32 + 0.5) / SIZE as f32);
                if depth(&cover, x, y) < -EDGE {
                    assert_eq!(pixel, 77, "{x} {y} of {cover:?}");
                }
            }
        }
    }

    #[test]
    fn the_share_of_covered_faces_is_that_asked_for() {
        let cover = |stream| Cover::sample(0.25, &mut generator(1, Purpose::Cover, stream));
        let count = (0..2000).filter(|&stream| cover(stream).is_some()).count();
        assert!((430..570).contains(&count), "{count}");
    }
}
