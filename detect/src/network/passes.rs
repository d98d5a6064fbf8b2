//! Passes of the network: which parts of an image it searches, and at which scale.

use std::ops::Range;

use emotion_models::preprocess::{Part, Region};

use super::candidate::Candidate;
use crate::Options;

/// Longer side of the network's input by default, in pixels. At 640 a face that fills the image is missed when a hand
/// covers a part of it; at 384 the small faces of a school class are missed.
const DEFAULT_SIDE: f64 = 512.0;

/// Size, in pixels of the network's input, from which faces are found reliably. Too many of the smaller boxes are letters
/// and dots.
pub(super) const RELIABLE_SIZE: f32 = 16.0;

/// Size, in pixels of the network's input, up to which faces are found reliably. The network sees about as much around a
/// cell; boxes of larger faces shrink, and several stand in one face.
const LARGEST_SIZE: f32 = 224.0;

/// How much smaller the input of the pass for larger faces is.
const REDUCTION: f32 = 3.0;

/// Faces of sizes between two passes are found by both: the largest that the reduced pass leaves to the other one, as a
/// share of [`LARGEST_SIZE`].
const SHARED_SIZES: f32 = 0.8;

/// About the longer side of a tile in pixels of the image, where nobody says how many tiles there are: its faces are found
/// from 30 pixels on.
const TILE_SIDE: f64 = 960.0;

/// Most tiles along the longer side where nobody says how many there are.
const MAX_TILES: f64 = 4.0;

/// Overlap of tiles in pixels of the network's input: faces up to that size are whole in one of them, larger ones in the
/// pass over the whole image.
const TILE_OVERLAP: f64 = 64.0;

/// A face that comes this close to an edge of a tile, in pixels of the network's input, may continue beyond it.
const EDGE: f32 = 2.0;

/// Least width of the grey border around an image, in pixels of the network's input. With it, arms and shoulders cut off
/// by the edge are less often taken for faces: precision on the validation images rises by a point.
const MARGIN: usize = 8;

/// One run of the network: a part of an image and the size to which it is scaled.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pass {
    pub(super) part: Part,
    /// Width of the scaled part in pixels.
    pub(super) width: usize,
    /// Height of the scaled part in pixels.
    pub(super) height: usize,
    /// Least width of the grey border in pixels.
    pub(super) margin: usize,
    /// Longer sides, in pixels of the network's input, of the faces that this pass finds.
    pub(super) sizes: Range<f32>,
    /// Whether other passes cover what lies beyond the edges.
    is_tile: bool,
}

impl Pass {
    /// A pass over a part with `scale` pixels of the network's input per pixel of the image.
    pub(super) fn new(part: Part, scale: f32) -> Self {
        // An invalid scale counts as 1, and none is so large that the input exceeds the memory.
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
            sizes: 0.0..f32::INFINITY,
            is_tile: false,
        }
    }

    /// Whether faces may be too large for a pass over the whole image.
    fn has_too_large_faces(&self) -> bool {
        self.width.min(self.height) as f32 > SHARED_SIZES * LARGEST_SIZE
    }

    /// Converts a candidate from pixels of the scaled part to pixels of the image.
    pub(super) fn in_image(&self, candidate: Candidate) -> Candidate {
        let right = self.part.width as f32 / self.width as f32;
        let down = self.part.height as f32 / self.height as f32;
        let Region {
            x,
            y,
            width,
            height,
        } = candidate.region;
        Candidate {
            region: Region::new(
                x * right + self.part.x as f32,
                y * down + self.part.y as f32,
                width * right,
                height * down,
            ),
            confidence: candidate.confidence,
            landmarks: candidate.landmarks.map(|landmarks| {
                landmarks.map(|[x, y]| {
                    [
                        x * right + self.part.x as f32,
                        y * down + self.part.y as f32,
                    ]
                })
            }),
        }
    }

    /// Whether an edge of this tile, other than an edge of the image, cuts through the candidate.
    pub(super) fn cuts_off(&self, candidate: &Candidate, whole: Part) -> bool {
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

/// All passes over a part of an image: one over the whole, a reduced one for faces that are too large for it, then one over
/// each tile.
pub(super) fn passes(part: Part, options: &Options) -> Vec<Pass> {
    let longer = part.width.max(part.height);
    let scale_of_whole = scale(longer, options);
    let mut passes = vec![Pass {
        margin: MARGIN,
        ..Pass::new(part, scale_of_whole)
    }];
    if passes[0].has_too_large_faces() {
        passes[0].sizes.end = LARGEST_SIZE;
        passes.push(Pass {
            margin: MARGIN,
            sizes: SHARED_SIZES * LARGEST_SIZE / REDUCTION..f32::INFINITY,
            ..Pass::new(part, scale_of_whole / REDUCTION)
        });
    }
    let tiles = tile_count(longer, scale_of_whole, options);
    if tiles < 2 {
        return passes;
    }
    // A tile is scaled like a whole image of its size, then extended by the overlap.
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
            passes.push(Pass {
                is_tile: true,
                ..Pass::new(tile, tile_scale)
            });
        }
    }
    passes
}

/// The number of tiles along the longer side; below 2 there are none.
fn tile_count(longer: usize, scale_of_whole: f32, options: &Options) -> usize {
    let is_sought_in_whole =
        options.min_size_px > 0 && options.min_size_px as f32 * scale_of_whole >= RELIABLE_SIZE;
    match (options.tiles, options.detection_size_px) {
        (0, 0) if is_sought_in_whole => 0,
        (0, 0) => (longer as f64 / TILE_SIDE).round().min(MAX_TILES) as usize,
        (tiles, _) => tiles as usize,
    }
}

/// Pixels of the network's input per pixel of the image: at most 1, but a small image is doubled for its small faces if
/// that costs no more than a larger image does.
fn scale(longer: usize, options: &Options) -> f32 {
    let largest = match (options.detection_size_px, options.min_size_px) {
        (0, 0) => DEFAULT_SIDE,
        // The smallest face needs no more pixels than its reliable detection.
        (0, smallest) => {
            DEFAULT_SIDE.min(longer as f64 * f64::from(RELIABLE_SIZE) / f64::from(smallest))
        }
        (size, _) => f64::from(size),
    };
    let scale = largest / longer as f64;
    if options.detection_size_px == 0 && scale >= 2.0 {
        2.0
    } else {
        scale.min(1.0) as f32
    }
}

/// Divides `pixels` into overlapping spans of about `side` pixels: the start and the length of each.
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

    fn scaled(width: usize, height: usize, options: &Options) -> (usize, usize) {
        let passes = passes(part(width, height), options);
        (passes[0].width, passes[0].height)
    }

    #[test]
    fn a_frame_is_reduced_until_the_smallest_face_is_just_large_enough() {
        let sized = |min_size_px: u32| Options {
            min_size_px,
            ..Options::default()
        };
        assert_eq!(scaled(640, 480, &sized(32)), (320, 240));
        assert_eq!(scaled(640, 480, &sized(64)), (160, 120));
        // The longer side is at most the default; a small image is doubled if it stays within that.
        assert_eq!(scaled(320, 240, &sized(1)), (320, 240));
        assert_eq!(scaled(256, 144, &sized(0)), (512, 288));
        assert_eq!(scaled(256, 144, &sized(16)), (256, 144));
        assert_eq!(scaled(640, 480, &sized(1)), (512, 384));
        assert_eq!(scaled(640, 480, &sized(0)), (512, 384));
        assert_eq!(scaled(3840, 2160, &sized(30)), (512, 288));
        assert_eq!(scaled(1, 1, &sized(0)), (2, 2));
        assert_eq!(scaled(1, 1, &sized(u32::MAX)), (1, 1));
    }

    #[test]
    fn the_detection_size_bounds_the_longer_side() {
        let options = Options {
            detection_size_px: 320,
            ..Options::default()
        };
        assert_eq!(scaled(1920, 1080, &options), (320, 180));
        assert_eq!(scaled(1080, 1920, &options), (180, 320));
        assert_eq!(scaled(300, 200, &options), (300, 200));
        assert_eq!(scaled(100, 80, &options), (100, 80));
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
        let passes = passes(frame, &options);
        let (tiles, whole): (Vec<&Pass>, Vec<&Pass>) = passes.iter().partition(|pass| pass.is_tile);
        assert!(whole.iter().all(|pass| pass.part == frame));
        assert_eq!(tiles.len(), 6);
        for x in (7..3847).step_by(13) {
            for y in (9..2169).step_by(11) {
                let contains = |pass: &&Pass| {
                    let Part {
                        x: left,
                        y: top,
                        width,
                        height,
                    } = pass.part;
                    (left..left + width).contains(&x) && (top..top + height).contains(&y)
                };
                assert!(tiles.iter().any(contains), "{x}, {y}");
            }
        }
        let [first, second] = [tiles[0].part, tiles[1].part];
        assert!(
            first.x + first.width > second.x + 100,
            "{first:?} {second:?}"
        );
    }

    #[test]
    fn large_images_are_tiled_unless_the_smallest_face_is_large_enough_without() {
        let tiles_of = |longer: usize, options: Options| {
            let passes = passes(part(longer, longer * 9 / 16), &options);
            passes.iter().filter(|pass| pass.is_tile).count()
        };
        let automatic = Options::default();
        assert_eq!(tiles_of(1280, automatic), 0);
        assert_eq!(tiles_of(1920, automatic), 4);
        assert_eq!(tiles_of(3840, automatic), 12);
        assert_eq!(tiles_of(7680, automatic), 12);
        let min_size = |min_size_px| Options {
            min_size_px,
            ..automatic
        };
        assert_eq!(tiles_of(1920, min_size(60)), 0);
        assert_eq!(tiles_of(1920, min_size(59)), 4);
        let (none, sized) = (
            Options {
                tiles: 1,
                ..automatic
            },
            Options {
                detection_size_px: 1024,
                ..automatic
            },
        );
        assert_eq!([none, sized].map(|options| tiles_of(3840, options)), [0, 0]);
    }

    #[test]
    fn a_reduced_pass_finds_the_faces_that_are_too_large_for_the_first_one() {
        let passes_of = |width, height| passes(part(width, height), &Options::default());
        let [whole, reduced] = &passes_of(1280, 960)[..] else {
            panic!("expected two passes");
        };
        assert_eq!((whole.width, whole.height), (512, 384));
        assert_eq!((reduced.width, reduced.height), (171, 128));
        // In the same pixels, each ends where the other has begun.
        let largest = |pass: &Pass, size: f32| size * 1280.0 / pass.width as f32;
        assert!(largest(reduced, reduced.sizes.start) < largest(whole, whole.sizes.end));
        assert_eq!(whole.sizes.start, 0.0);
        assert_eq!(reduced.sizes.end, f32::INFINITY);
        // Here the largest face is small enough for the first pass.
        assert_eq!(passes_of(80, 60).len(), 1);
    }

    #[test]
    fn a_tile_leaves_faces_cut_by_its_inner_edges_to_its_neighbours() {
        let whole = part(200, 100);
        let tile = Pass {
            is_tile: true,
            ..Pass::new(part(120, 100), 1.0)
        };
        let cuts = |x: f32| {
            let region = Region::new(x, -3.0, 20.0, 20.0);
            tile.cuts_off(
                &Candidate {
                    region,
                    confidence: 1.0,
                    landmarks: None,
                },
                whole,
            )
        };
        assert!(!cuts(-5.0), "the edge of the image");
        assert!(!cuts(90.0));
        assert!(cuts(101.0));
    }

    #[test]
    fn invalid_scales_count_as_one() {
        for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            let pass = Pass::new(part(64, 48), scale);
            assert_eq!((pass.width, pass.height), (64, 48), "{scale}");
        }
    }
}
