//! Masks over nose and mouth: paper, cloth and respirators, worn straight and askew, on faces that look ahead and aside.

use rand::RngExt;

use super::layout::{EDGE, MOUTH, Pixel};
use crate::random::symmetric;

/// A mask. Lengths are fractions of the side of the face.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mask {
    outline: Outline,
    shade: Shade,
    pleats: Vec<Pleat>,
    straps: Option<Straps>,
    /// Grey levels by which the binding along the upper edge differs from the mask.
    binding: f32,
}

/// The upper edge is an arch over the nose, the lower one follows the chin; both sink by `tilt` from left to right.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Outline {
    /// Middle of the mask, beside that of the face where the head is turned.
    middle: f32,
    half_width: f32,
    /// Upper edge at the nose.
    top: f32,
    /// How much lower it is at the sides.
    arch: f32,
    /// Lower edge at the chin.
    bottom: f32,
    /// How much higher it is at the sides.
    chin: f32,
    tilt: f32,
}

/// Grey levels of the cloth.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shade {
    base: Base,
    /// How much darker the sides are than the middle.
    roundness: f32,
    /// Change from one side to the other, along both axes.
    slope: [f32; 2],
    /// Amplitude, waves along each axis, and phase of a printed pattern or of crumpled cloth.
    pattern: [f32; 4],
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Base {
    Grey(f32),
    /// A multiple of the face's mean.
    OfFace(f32),
}

/// A fold across the mask: a dark line with a bright one below it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pleat {
    /// Height of its middle.
    height: f32,
    /// How much lower its middle is than its ends.
    sag: f32,
    half_width: f32,
    /// Grey levels.
    depth: f32,
}

/// Bands from the corners of the mask towards the ears.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Straps {
    half_width: f32,
    grey: f32,
    /// How much they rise or sink on their way.
    rise: [f32; 2],
}

impl Mask {
    pub(super) fn new(generator: &mut impl RngExt) -> Self {
        let mut about = |value: f32, limit: f32| value + symmetric(limit, generator);
        let outline = Outline {
            middle: about(0.5, 0.12),
            half_width: about(0.4, 0.12),
            top: about(0.53, 0.09),
            arch: about(0.03, 0.07),
            bottom: about(1.0, 0.12),
            chin: about(0.15, 0.15),
            tilt: about(0.0, 0.12),
        };
        let base = match generator.random_range(0..4) {
            // Pale paper and dark cloth are the most frequent.
            0 => Base::Grey(generator.random_range(185.0..250.0)),
            1 => Base::Grey(generator.random_range(5.0..80.0)),
            _ => Base::OfFace(generator.random_range(0.6..1.9)),
        };
        let pattern = if generator.random_range(0..4) == 0 {
            generator.random_range(8.0..30.0)
        } else {
            generator.random_range(0.0..6.0)
        };
        let shade = Shade {
            base,
            roundness: generator.random_range(0.0..70.0),
            slope: [(); 2].map(|()| symmetric(40.0, generator)),
            pattern: [
                pattern,
                symmetric(8.0, generator),
                symmetric(8.0, generator),
                generator.random(),
            ],
        };
        let count = generator.random_range(0..6);
        let pleats = (0..count).map(|_| Pleat {
            height: generator.random_range(outline.top + 0.05..outline.bottom),
            sag: symmetric(0.08, generator),
            half_width: generator.random_range(0.006..0.022),
            depth: generator.random_range(5.0..45.0),
        });
        let pleats = pleats.collect();
        let straps = (generator.random_range(0..3) > 0).then(|| Straps {
            half_width: generator.random_range(0.008..0.02),
            grey: generator.random_range(60.0..250.0),
            rise: [
                generator.random_range(-0.25..0.0),
                generator.random_range(-0.2..0.1),
            ],
        });
        Self {
            outline,
            shade,
            pleats,
            straps,
            binding: symmetric(30.0, generator),
        }
    }

    /// What the mask puts at a point, on a face with this mean grey level.
    pub(super) fn pixel(&self, x: f32, y: f32, mean: f32) -> Pixel {
        let depth = self.outline.depth(x, y);
        let straps = self.straps.map(|straps| Pixel {
            depth: straps.depth(&self.outline, x, y),
            grey: straps.grey,
        });
        match straps {
            Some(straps) if straps.depth > depth => straps,
            _ => Pixel {
                depth,
                grey: self.grey(x, y, mean),
            },
        }
    }

    fn grey(&self, x: f32, y: f32, mean: f32) -> f32 {
        let across = self.outline.across(x);
        let y = y - self.outline.tilt * (x - 0.5);
        let Shade {
            base,
            roundness,
            slope,
            pattern: [amplitude, columns, rows, phase],
        } = self.shade;
        let base = match base {
            Base::Grey(grey) => grey,
            Base::OfFace(ratio) => ratio * mean,
        };
        let wave = std::f32::consts::TAU * (columns * x + rows * y + phase);
        let pleats = self.pleats.iter().map(|pleat| {
            let distance =
                (y - pleat.height - pleat.sag * (1.0 - across * across)) / pleat.half_width;
            // The derivative of a bell: dark above its middle, bright below.
            pleat.depth * distance * (-0.5 * distance * distance).exp()
        });
        let edge = y - self.outline.upper_edge(across);
        let binding = if edge < 0.035 { self.binding } else { 0.0 };
        base - roundness * across * across
            + slope[0] * (x - 0.5)
            + slope[1] * (y - MOUTH)
            + amplitude * wave.sin()
            + pleats.sum::<f32>()
            + binding
    }
}

impl Outline {
    /// Where `x` lies between the sides of the mask, -1 to 1.
    fn across(&self, x: f32) -> f32 {
        (x - self.middle) / self.half_width
    }

    fn upper_edge(&self, across: f32) -> f32 {
        self.top + self.arch * across * across
    }

    fn lower_edge(&self, across: f32) -> f32 {
        self.bottom - self.chin * across * across
    }

    fn depth(&self, x: f32, y: f32) -> f32 {
        let across = self.across(x);
        let y = y - self.tilt * (x - 0.5);
        (y - self.upper_edge(across))
            .min(self.lower_edge(across) - y)
            .min(self.half_width - (x - self.middle).abs())
    }
}

impl Straps {
    fn depth(&self, outline: &Outline, x: f32, y: f32) -> f32 {
        let outside = (x - outline.middle).abs() - outline.half_width;
        if outside < -EDGE {
            return f32::NEG_INFINITY;
        }
        let y = y - outline.tilt * (x - 0.5);
        let corners = [outline.upper_edge(1.0), outline.lower_edge(1.0).min(0.9)];
        let distances = corners.iter().zip(self.rise).map(|(corner, rise)| {
            // They reach the ears 0.2 beside the mask.
            (y - corner - rise * outside / 0.2).abs()
        });
        self.half_width - distances.fold(f32::INFINITY, f32::min)
    }
}
