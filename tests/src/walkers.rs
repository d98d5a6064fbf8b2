//! Synthetic clips of walking people with exact ground truth at any frame rate. In one they cross in front of each other, leave, come
//! back and come nearer; in the other they visit the middle of the picture. The light changes.
//!
//! Every picture is a pure function of its time. All people come from one portrait; a colour channel, proportions and mirroring
//! make them look different.

use std::io::Cursor;

use anyhow::ensure;
use emotion_models::preprocess::{GreyImage, Region};

use crate::mot::AnnotatedFace;

/// The portrait and its origin: `tests/media/README.md`.
const PORTRAIT: &[u8] = include_bytes!("../media/astronaut.png");
const PORTRAIT_SIDE: usize = 512;
/// Head and hair in the portrait: the middle and the radii of an ellipse.
const HEAD: ([f32; 2], [f32; 2]) = ([226.0, 124.0], [84.0, 112.0]);
/// The face in it, from forehead to chin and from ear to ear.
const FACE: Region = Region {
    x: 176.0,
    y: 66.0,
    width: 100.0,
    height: 122.0,
};

/// Length of the clip in seconds.
pub const SECONDS: f64 = 12.0;

/// Where a person is at a time: seconds, the middle of the head in widths and heights of the picture, and the height of
/// the head in heights of the picture.
type Pose = (f64, f32, f32, f32);

struct Person {
    path: &'static [Pose],
    /// The colour channel of the portrait that becomes its grey picture.
    channel: usize,
    is_mirrored: bool,
    /// Width over height of its head, relative to the portrait's.
    breadth: f32,
}

/// From the farthest to the nearest; a nearer person hides the others.
const CROSSING: [Person; 4] = [
    // Walks across behind the next one, leaves at the right and comes back.
    Person {
        path: &[
            (0.0, -0.15, 0.35, 0.42),
            (4.5, 0.70, 0.38, 0.42),
            (6.2, 1.15, 0.38, 0.42),
            (7.8, 1.15, 0.40, 0.42),
            (10.0, 0.72, 0.40, 0.42),
            (12.0, 0.66, 0.36, 0.42),
        ],
        channel: 1,
        is_mirrored: false,
        breadth: 1.0,
    },
    // Stays at the top left and comes nearer.
    Person {
        path: &[
            (0.0, 0.12, 0.70, 0.36),
            (5.0, 0.16, 0.68, 0.36),
            (9.0, 0.20, 0.62, 0.52),
            (12.0, 0.16, 0.62, 0.48),
        ],
        channel: 2,
        is_mirrored: true,
        breadth: 1.08,
    },
    // Walks the other way in front of the first one.
    Person {
        path: &[
            (0.0, 0.85, 0.45, 0.46),
            (2.0, 0.72, 0.45, 0.46),
            (5.0, 0.36, 0.42, 0.46),
            (8.0, 0.44, 0.45, 0.46),
            (12.0, 0.42, 0.45, 0.50),
        ],
        channel: 0,
        is_mirrored: true,
        breadth: 0.94,
    },
    // Looks in from below, twice.
    Person {
        path: &[
            (1.5, 0.62, 1.30, 0.40),
            (2.6, 0.64, 0.80, 0.40),
            (4.6, 0.62, 0.80, 0.40),
            (5.6, 0.60, 1.30, 0.40),
            (7.2, 0.58, 1.30, 0.40),
            (8.4, 0.62, 0.79, 0.40),
            (12.0, 0.66, 0.80, 0.40),
        ],
        channel: 1,
        is_mirrored: true,
        breadth: 0.98,
    },
];

/// Two people who walk into the middle of the picture, stay there, and walk back; neither hides the other.
const VISITING: [Person; 2] = [
    // From the left and back.
    Person {
        path: &[
            (0.0, 0.12, 0.28, 0.42),
            (1.5, 0.12, 0.28, 0.42),
            (3.0, 0.55, 0.28, 0.42),
            (7.0, 0.55, 0.28, 0.42),
            (8.5, 0.12, 0.28, 0.42),
            (12.0, 0.12, 0.28, 0.42),
        ],
        channel: 1,
        is_mirrored: false,
        breadth: 1.0,
    },
    // From the right, back, and in again.
    Person {
        path: &[
            (0.0, 0.90, 0.75, 0.40),
            (2.5, 0.90, 0.75, 0.40),
            (3.7, 0.60, 0.75, 0.40),
            (5.5, 0.60, 0.75, 0.40),
            (6.7, 0.90, 0.75, 0.40),
            (9.0, 0.90, 0.75, 0.40),
            (10.2, 0.50, 0.75, 0.40),
            (12.0, 0.50, 0.75, 0.40),
        ],
        channel: 0,
        is_mirrored: true,
        breadth: 0.96,
    },
];

/// The clip in one size.
pub struct Walkers {
    people: &'static [Person],
    width: usize,
    height: usize,
    /// Three grey pictures, one of each colour.
    portraits: [Vec<u8>; 3],
    background: Vec<u8>,
}

impl Walkers {
    /// The clip of people who cross, in pictures of this size.
    ///
    /// # Errors
    ///
    /// When the portrait is not an RGB picture of 512×512.
    pub fn new(width: usize, height: usize) -> anyhow::Result<Self> {
        Self::of(&CROSSING, width, height)
    }

    /// The clip of people who visit the middle of the picture.
    ///
    /// # Errors
    ///
    /// When the portrait is not an RGB picture of 512×512.
    pub fn visitors(width: usize, height: usize) -> anyhow::Result<Self> {
        Self::of(&VISITING, width, height)
    }

    fn of(people: &'static [Person], width: usize, height: usize) -> anyhow::Result<Self> {
        let mut reader = png::Decoder::new(Cursor::new(PORTRAIT)).read_info()?;
        let mut colours = vec![0; PORTRAIT_SIDE * PORTRAIT_SIDE * 3];
        ensure!(
            reader.output_buffer_size() == Some(colours.len()),
            "the portrait is not an RGB picture of 512×512"
        );
        reader.next_frame(&mut colours)?;
        let channel = |c: usize| colours.chunks_exact(3).map(|pixel| pixel[c]).collect();
        let background = (0..width * height)
            .map(|i| {
                let (x, y) = (
                    (i % width) as f32 / height as f32,
                    (i / width) as f32 / height as f32,
                );
                // A wall with a shelf or two, and some grain.
                let wall = 95.0 + 30.0 * (x * 2.3 + 0.4).sin() + 18.0 * (y * 9.0 + x).cos();
                let shelf = if (x * 3.1).fract() < 0.08 || (y * 2.7).fract() < 0.07 {
                    -28.0
                } else {
                    0.0
                };
                (wall + shelf + 5.0 * noise(i as u64)).clamp(0.0, 255.0) as u8
            })
            .collect();
        Ok(Self {
            people,
            width,
            height,
            portraits: [channel(0), channel(1), channel(2)],
            background,
        })
    }

    /// The picture at a time, `[height, width]` grey values.
    pub fn picture(&self, seconds: f64) -> Vec<u8> {
        let mut picture = self.background.clone();
        for person in self.people {
            if let Some(place) = self.place(person, seconds) {
                self.draw(person, place, &mut picture);
            }
        }
        let light = light(seconds);
        for pixel in &mut picture {
            *pixel = (f32::from(*pixel) * light).min(255.0) as u8;
        }
        picture
    }

    /// A grey view of such a picture.
    ///
    /// # Errors
    ///
    /// When `picture` has another size.
    pub fn view<'a>(&self, picture: &'a [u8]) -> anyhow::Result<GreyImage<'a>> {
        Ok(GreyImage::new(
            picture,
            self.width,
            self.height,
            self.width,
        )?)
    }

    /// The people in the picture at a time and their places, from the farthest to the nearest.
    pub fn truth(&self, seconds: f64) -> Vec<AnnotatedFace> {
        let placed: Vec<(usize, Region, Region)> = (self.people.iter())
            .enumerate()
            .filter_map(|(index, person)| {
                let place = self.place(person, seconds)?;
                Some((index, place.face(person), place.head(person)))
            })
            .collect();
        let frame = Region {
            x: 0.0,
            y: 0.0,
            width: self.width as f32,
            height: self.height as f32,
        };
        placed
            .iter()
            .filter(|(_, face, _)| share(face, &frame) > 0.0)
            .map(|(index, face, _)| {
                let hidden = placed
                    .iter()
                    .filter(|(other, ..)| other > index)
                    .map(|(_, _, head)| share(face, head))
                    .fold(0.0, f32::max);
                AnnotatedFace {
                    id: *index as i32 + 1,
                    region: *face,
                    counts: share(face, &frame) > 0.95 && hidden < 0.3,
                }
            })
            .collect()
    }

    fn place(&self, person: &Person, seconds: f64) -> Option<Place> {
        let steps = person.path.iter().zip(&person.path[1..]);
        let (from, to) = steps.rev().find(|(from, _)| from.0 <= seconds)?;
        let linear = ((seconds - from.0) / (to.0 - from.0)).min(1.0) as f32;
        let eased = linear * linear * (3.0 - 2.0 * linear);
        let between = |a: f32, b: f32| a + (b - a) * eased;
        Some(Place {
            x: between(from.1, to.1) * self.width as f32,
            y: between(from.2, to.2) * self.height as f32,
            scale: between(from.3, to.3) * self.height as f32 / (2.0 * HEAD.1[1]),
        })
    }

    fn draw(&self, person: &Person, place: Place, picture: &mut [u8]) {
        let head = place.head(person);
        let columns = span(head.x, head.width, self.width);
        let portrait = &self.portraits[person.channel];
        let sideways = if person.is_mirrored { -1.0 } else { 1.0 } / (place.scale * person.breadth);
        for y in span(head.y, head.height, self.height) {
            for x in columns.clone() {
                let dx = (x as f32 + 0.5 - place.x) * sideways;
                let dy = (y as f32 + 0.5 - place.y) / place.scale;
                let distance = (dx / HEAD.1[0]).hypot(dy / HEAD.1[1]);
                let opacity = ((1.0 - distance) * 8.0).clamp(0.0, 1.0);
                if opacity == 0.0 {
                    continue;
                }
                let value = sample(portrait, HEAD.0[0] + dx - 0.5, HEAD.0[1] + dy - 0.5);
                let pixel = &mut picture[y * self.width + x];
                *pixel = (value * opacity + f32::from(*pixel) * (1.0 - opacity)) as u8;
            }
        }
    }
}

/// The middle of a head and its scale.
#[derive(Clone, Copy)]
struct Place {
    x: f32,
    y: f32,
    scale: f32,
}

impl Place {
    fn head(self, person: &Person) -> Region {
        let width = 2.0 * HEAD.1[0] * self.scale * person.breadth;
        let height = 2.0 * HEAD.1[1] * self.scale;
        Region {
            x: self.x - width / 2.0,
            y: self.y - height / 2.0,
            width,
            height,
        }
    }

    fn face(self, person: &Person) -> Region {
        let across = self.scale * person.breadth;
        let left = if person.is_mirrored {
            HEAD.0[0] - (FACE.x + FACE.width)
        } else {
            FACE.x - HEAD.0[0]
        };
        Region {
            x: self.x + left * across,
            y: self.y + (FACE.y - HEAD.0[1]) * self.scale,
            width: FACE.width * across,
            height: FACE.height * self.scale,
        }
    }
}

/// The brightness: a cloud passes, and at five seconds somebody switches a lamp on.
fn light(seconds: f64) -> f32 {
    let cloud = 0.85 + 0.15 * (seconds * 0.9).cos();
    let lamp = if seconds < 5.0 { 0.8 } else { 1.15 };
    (cloud * lamp) as f32
}

/// The share of `region` that lies in `other`.
fn share(region: &Region, other: &Region) -> f32 {
    let overlap = |a: f32, a_length: f32, b: f32, b_length: f32| {
        ((a + a_length).min(b + b_length) - a.max(b)).max(0.0)
    };
    overlap(region.x, region.width, other.x, other.width)
        * overlap(region.y, region.height, other.y, other.height)
        / (region.width * region.height)
}

fn span(start: f32, length: f32, limit: usize) -> std::ops::Range<usize> {
    let begin = (start.floor().max(0.0) as usize).min(limit);
    let end = ((start + length).ceil().max(0.0) as usize).min(limit);
    begin..end.max(begin)
}

fn sample(portrait: &[u8], x: f32, y: f32) -> f32 {
    let last = (PORTRAIT_SIDE - 1) as f32;
    let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = (
        (left + 1).min(PORTRAIT_SIDE - 1),
        (top + 1).min(PORTRAIT_SIDE - 1),
    );
    let (fx, fy) = (x.fract(), y.fract());
    let at = |x: usize, y: usize| f32::from(portrait[y * PORTRAIT_SIDE + x]);
    let above = at(left, top) * (1.0 - fx) + at(right, top) * fx;
    let below = at(left, bottom) * (1.0 - fx) + at(right, bottom) * fx;
    above * (1.0 - fy) + below * fy
}

/// A number from -1 to 1 that looks random and depends on `seed` alone (SplitMix64, Steele et al. 2014).
pub fn noise(seed: u64) -> f32 {
    let mut z = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32) - 1.0
}
