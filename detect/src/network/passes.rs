//! Which parts of a picture the network sees, and how large.

use emotion_models::preprocess::{Part, Region};

use super::candidate::Candidate;
use crate::Options;

/// The longer side of what the network sees when nobody says otherwise, in pixels. At 640 a face that fills the picture
/// falls apart as soon as a hand covers a part of it, at 384 those of a class of pupils begin to get lost.
const LARGEST: f64 = 512.0;

/// The size, in pixels of what the network sees, from which faces are found surely. Among smaller boxes too many are the
/// dots and letters of some lettering.
pub(super) const SURE_FACE: f32 = 16.0;

/// How far tiles overlap, in pixels of what the network sees: faces up to that size are whole in one of them, larger
/// ones in the look at the whole picture.
const TILE_OVERLAP: f64 = 64.0;

/// A face that comes so near to an edge of a tile, in pixels of what the network sees, may go on beyond it.
const EDGE: f32 = 2.0;

/// The grey that surrounds a picture at least, in pixels of what the network sees: arms and shoulders that the edge cuts
/// off are taken for faces less often then. On the validation pictures it raises the precision by a point.
const MARGIN: usize = 8;

/// A part of a picture and the size at which the network sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    pub(super) part: Part,
    /// Pixels that the network sees.
    pub(super) width: usize,
    pub(super) height: usize,
    /// Grey around them at least.
    pub(super) margin: usize,
    /// Whether others look at what lies beyond its edges.
    is_tile: bool,
}

impl Look {
    /// At a part with so many pixels per pixel of the picture.
    pub(super) fn at(part: Part, scale: f32) -> Self {
        // A scale that is no number is 1, and none makes a picture that no memory holds.
        let scale = if scale.is_finite() && scale > 0.0 {
            f64::from(scale).min(4.0)
        } else {
            1.0
        };
        let scaled = |size: usize| ((size as f64 * scale).round() as usize).max(1);
        Self {
            part,
            width: scaled(part.width),
            height: scaled(part.height),
            margin: 0,
            is_tile: false,
        }
    }

    /// A candidate that stands in pixels of the network, in those of the picture.
    pub(super) fn in_picture(&self, candidate: Candidate) -> Candidate {
        let right = self.part.width as f32 / self.width as f32;
        let down = self.part.height as f32 / self.height as f32;
        let Region {
            x,
            y,
            width,
            height,
        } = candidate.region;
        Candidate {
            region: Region {
                x: x * right + self.part.x as f32,
                y: y * down + self.part.y as f32,
                width: width * right,
                height: height * down,
            },
            ..candidate
        }
    }

    /// Whether an edge of this tile that is none of the picture cuts through the candidate.
    pub(super) fn cuts(&self, candidate: &Candidate, whole: Part) -> bool {
        if !self.is_tile {
            return false;
        }
        let Part {
            x,
            y,
            width,
            height,
        } = self.part;
        let edge = EDGE * width as f32 / self.width as f32;
        let cuts = |start: usize, length: usize, all: usize, first: f32, size: f32| {
            let (begin, end) = (start as f32 + edge, (start + length) as f32 - edge);
            (start > 0 && first < begin) || (start + length < all && first + size > end)
        };
        let face = candidate.region;
        cuts(x, width, whole.width, face.x, face.width)
            || cuts(y, height, whole.height, face.y, face.height)
    }
}

/// All looks at a part of a picture.
pub(super) fn looks(part: Part, options: &Options) -> Vec<Look> {
    let longer = part.width.max(part.height);
    let mut looks = vec![Look {
        margin: MARGIN,
        ..Look::at(part, scale(longer, options))
    }];
    if options.tiles < 2 {
        return looks;
    }
    // So that a tile and its overlap are as large for the network as the whole picture may be, or as they are.
    let tiles = options.tiles as usize;
    let side = longer.div_ceil(tiles);
    let tile_scale = scale(side, options);
    let overlap = (TILE_OVERLAP / f64::from(tile_scale)).round() as usize;
    for (y, height) in spans(part.height, side, overlap) {
        for (x, width) in spans(part.width, side, overlap) {
            let tile = Part {
                x: part.x + x,
                y: part.y + y,
                width,
                height,
            };
            looks.push(Look {
                is_tile: true,
                ..Look::at(tile, tile_scale)
            });
        }
    }
    looks
}

/// The pixels that the network sees per pixel of a picture: at most 1, but a picture that is so small that it costs no
/// more than others is doubled, for the sake of its small faces.
fn scale(longer: usize, options: &Options) -> f32 {
    let largest = match (options.detection_size_px, options.min_size_px) {
        (0, 0) => LARGEST,
        // The smallest face needs no more pixels than it takes to find it.
        (0, smallest) => LARGEST.min(longer as f64 * f64::from(SURE_FACE) / f64::from(smallest)),
        (size, _) => f64::from(size),
    };
    let scale = largest / longer as f64;
    if options.detection_size_px == 0 && scale >= 2.0 {
        2.0
    } else {
        scale.min(1.0) as f32
    }
}

/// Divides so many pixels into stretches of about `side` that overlap: where each begins and how long it is.
fn spans(pixels: usize, side: usize, overlap: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = pixels.div_ceil(side).max(1);
    (0..count).map(move |index| {
        let begin = (index * pixels / count).saturating_sub(overlap / 2);
        let end = ((index + 1) * pixels / count + overlap.div_ceil(2)).min(pixels);
        (begin, end - begin)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(width: usize, height: usize) -> Part {
        Part {
            x: 0,
            y: 0,
            width,
            height,
        }
    }

    fn seen(width: usize, height: usize, options: &Options) -> (usize, usize) {
        let look = looks(part(width, height), options)[0];
        (look.width, look.height)
    }

    #[test]
    fn a_frame_is_reduced_until_the_smallest_face_is_just_large_enough() {
        let sized = |min_size_px: u32| Options {
            min_size_px,
            ..Options::default()
        };
        assert_eq!(seen(640, 480, &sized(32)), (320, 240));
        assert_eq!(seen(640, 480, &sized(64)), (160, 120));
        // It is never larger than what is worth its time; up to there a small one is doubled.
        assert_eq!(seen(320, 240, &sized(1)), (320, 240));
        assert_eq!(seen(256, 144, &sized(0)), (512, 288));
        assert_eq!(seen(256, 144, &sized(16)), (256, 144));
        assert_eq!(seen(640, 480, &sized(1)), (512, 384));
        assert_eq!(seen(640, 480, &sized(0)), (512, 384));
        assert_eq!(seen(3840, 2160, &sized(30)), (512, 288));
        assert_eq!(seen(1, 1, &sized(0)), (2, 2));
        assert_eq!(seen(1, 1, &sized(u32::MAX)), (1, 1));
    }

    #[test]
    fn the_detection_size_bounds_the_longer_side() {
        let options = Options {
            detection_size_px: 320,
            ..Options::default()
        };
        assert_eq!(seen(1920, 1080, &options), (320, 180));
        assert_eq!(seen(1080, 1920, &options), (180, 320));
        assert_eq!(seen(300, 200, &options), (300, 200));
        assert_eq!(seen(100, 80, &options), (100, 80));
    }

    #[test]
    fn tiles_cover_the_part_and_overlap() {
        let options = Options {
            tiles: 3,
            detection_size_px: 640,
            ..Options::default()
        };
        let frame = Part {
            x: 7,
            y: 9,
            ..part(3840, 2160)
        };
        let looks = looks(frame, &options);
        let (whole, tiles) = looks.split_first().unwrap();
        assert_eq!(whole.part, frame);
        assert_eq!(tiles.len(), 6);
        for x in (7..3847).step_by(13) {
            for y in (9..2169).step_by(11) {
                let inside = |look: &&Look| {
                    let Part {
                        x: left,
                        y: top,
                        width,
                        height,
                    } = look.part;
                    (left..left + width).contains(&x) && (top..top + height).contains(&y)
                };
                assert!(tiles.iter().any(|look| inside(&look)), "{x}, {y}");
            }
        }
        let [first, second] = [tiles[0].part, tiles[1].part];
        assert!(
            first.x + first.width > second.x + 100,
            "{first:?} {second:?}"
        );
    }

    #[test]
    fn a_tile_leaves_what_its_inner_edges_cut_to_its_neighbours() {
        let whole = part(200, 100);
        let tile = Look {
            is_tile: true,
            ..Look::at(part(120, 100), 1.0)
        };
        let cuts = |x: f32| {
            let region = Region {
                x,
                y: -3.0,
                width: 20.0,
                height: 20.0,
            };
            tile.cuts(
                &Candidate {
                    region,
                    confidence: 1.0,
                },
                whole,
            )
        };
        assert!(!cuts(-5.0), "the edge of the picture");
        assert!(!cuts(90.0));
        assert!(cuts(101.0));
    }

    #[test]
    fn scales_that_make_no_sense_are_those_of_the_picture() {
        for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            let look = Look::at(part(64, 48), scale);
            assert_eq!((look.width, look.height), (64, 48), "{scale}");
        }
    }
}
