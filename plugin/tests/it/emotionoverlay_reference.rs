//! The overlay against reference pictures in `tests/reference`, which a person has checked. The folder is the list of tests: the name of a
//! file says what to draw, `STYLE-SCENE-FORMAT-WIDTHxHEIGHT.png`.
//!
//! `EMOTION_RENEW_REFERENCE=1` draws the pictures again; an empty file with such a name becomes a new one.
//! `EMOTION_KEEP_DRAWN=FOLDER` keeps the drawn pictures for comparison.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::*;
use gst_video::{VideoFormat, VideoInfo};
use gstemotion::face::{self, DetectedFace, EmotionResult, add_detected};

/// How two pictures are compared, so that another version of the font renderer is not noticed and a moved label or a wrong
/// colour is. A pixel is strange if nothing near it in the other picture is like it. Other letters leave strange pixels here and
/// there, and not many in one tile.
struct Comparison {
    /// How far away what is alike may be, in pixels of a picture of up to 1080 rows.
    reach: usize,
    /// What differs by no more is alike, in each channel.
    step: i16,
    /// How many pixels of a tile may be strange, of 1000.
    strange_per_mille: usize,
    /// What is compared of a pixel.
    channels: fn([u8; 3]) -> [i16; 3],
    /// Whether everything between the values near a pixel is like it, and not those values alone.
    allows_mixtures: bool,
}

const COMPARISONS: [Comparison; 2] = [
    // Places: letters of other widths move what stands beside them.
    Comparison {
        reach: 3,
        step: 40,
        strange_per_mille: 150,
        channels: |pixel| pixel.map(i16::from),
        allows_mixtures: false,
    },
    // Colours alone: most letters are white on dark plates, whatever renders them. Where formats share colours between pixels,
    // edges have mixtures, which change with the place of the letters.
    Comparison {
        reach: 2,
        step: 40,
        strange_per_mille: 70,
        channels: |pixel| {
            let [red, green, blue] = pixel.map(i16::from);
            [red - green, green - blue, blue - red]
        },
        allows_mixtures: true,
    },
];

/// Zones of several shapes, of which one has more people than its limit.
const ZONES: &str = "emotionzones lines=\"door=0.5,0.95 0.5,0.1 in=entering out=leaving; exit=0.98,0.6 0.7,0.5\" \
    zones=\"waiting room=0.03,0.15 0.47,0.08 0.47,0.7 0.3,0.6 0.03,0.75 limit=2; till 4=0.58,0.5 0.85,0.45 0.95,0.9 0.55,0.93 limit=8; \
    corner=0.8,0 1,0 1,0.4\"";

/// What to draw.
struct Reference {
    style: String,
    scene: Scene,
    info: VideoInfo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
    /// Three faces with every part of the overlay.
    Faces,
    /// Many faces, labels and a summary.
    Crowd,
    /// Two faces with names in a language that runs from right to left.
    Arabic,
    /// Faces in zones, one of them too full, and a line.
    Zones,
    /// The portrait with its face hidden.
    Blur,
    Pixelate,
    Fill,
}

impl Reference {
    /// From the name of its picture.
    fn parse(stem: &str) -> Option<Self> {
        let mut parts = stem.split('-');
        let style = parts.next()?.to_owned();
        let scene = match parts.next()? {
            "faces" => Scene::Faces,
            "crowd" => Scene::Crowd,
            "arabic" => Scene::Arabic,
            "zones" => Scene::Zones,
            "blur" => Scene::Blur,
            "pixelate" => Scene::Pixelate,
            "fill" => Scene::Fill,
            _ => return None,
        };
        let format = VideoFormat::from_string(&parts.next()?.to_uppercase().replace('X', "x"));
        let (width, height) = parts.next()?.split_once('x')?;
        let (width, height) = (width.parse().ok()?, height.parse().ok()?);
        let known = format != VideoFormat::Unknown && parts.next().is_none();
        known.then(|| Self {
            style,
            scene,
            info: info(format, width, height),
        })
    }

    fn line(&self) -> String {
        let properties = match self.scene {
            Scene::Faces => "bars=all timeline=true summary=true ids=true",
            Scene::Crowd => "bars=none summary=true",
            Scene::Arabic => "bars=all summary=true ids=true language=ar",
            Scene::Zones => "bars=none zones=true summary=true",
            Scene::Blur => "privacy-missing=show privacy=blur",
            Scene::Pixelate => "privacy-missing=show privacy=pixelate",
            Scene::Fill => "privacy-missing=show privacy=fill",
        };
        // Debian's default, named explicitly so that it is the same elsewhere.
        format!(
            "emotionoverlay font=\"DejaVu Sans\" style={} {properties}",
            self.style
        )
    }

    fn background(&self) -> gst::Buffer {
        if matches!(self.scene, Scene::Blur | Scene::Pixelate | Scene::Fill) {
            let (from, buffer) = portrait(VideoFormat::Rgb);
            return convert(buffer, &from, &self.info);
        }
        let (width, height) = (self.info.width() as usize, self.info.height() as usize);
        let rgb = info(VideoFormat::Rgb, self.info.width(), self.info.height());
        let stride = rgb.stride()[0] as usize;
        let mut pixels = vec![0; rgb.size()];
        for y in 0..height {
            for x in 0..width {
                // From dark to bright, blue and warm: text has to be readable on all of it.
                let level = (x * 8 / width * 34) as u8;
                let warm = y * 4 / height * 16;
                let at = y * stride + 3 * x;
                pixels[at] = level.saturating_add(warm as u8);
                pixels[at + 1] = level;
                pixels[at + 2] = level.saturating_add(48 - warm as u8);
            }
        }
        convert(gst::Buffer::from_slice(pixels), &rgb, &self.info)
    }

    /// Faces at fractions of the frame: x, y, and the side as a fraction of the height.
    fn places(&self) -> Vec<[f64; 3]> {
        match self.scene {
            Scene::Faces => vec![[0.12, 0.22, 0.34], [0.5, 0.3, 0.26], [0.86, 0.05, 0.22]],
            Scene::Crowd => (0..24)
                .map(|i| {
                    let (column, row) = (f64::from(i % 6), f64::from(i / 6));
                    let shift = f64::from(i % 3) * 0.02;
                    [
                        0.03 + column * 0.16 + shift,
                        0.1 + row * 0.21 + shift,
                        0.09 + shift,
                    ]
                })
                .collect(),
            Scene::Arabic => vec![[0.1, 0.25, 0.34], [0.55, 0.35, 0.3]],
            Scene::Zones => vec![
                [0.08, 0.3, 0.16],
                [0.24, 0.42, 0.18],
                [0.36, 0.2, 0.14],
                [0.62, 0.55, 0.2],
                [0.86, 0.12, 0.14],
            ],
            Scene::Blur | Scene::Pixelate | Scene::Fill => vec![[0.32, 0.12, 0.27]],
        }
    }

    /// The frame after some seconds.
    fn draw(&self) -> Picture {
        let (width, height) = (self.info.width(), self.info.height());
        let mut zones = harness(ZONES, &self.info);
        let mut harness = harness(&self.line(), &self.info);
        let frames = if self.scene == Scene::Faces { 20 } else { 1 };
        let mut drawn = None;
        for frame in 0..frames {
            let mut buffer = at(self.background(), 500 * frame as u64);
            let faces: Vec<DetectedFace> = self
                .places()
                .iter()
                .map(|[x, y, side]| DetectedFace {
                    x: (x * f64::from(width)) as i32,
                    y: (y * f64::from(height)) as i32,
                    width: (side * f64::from(height)) as u32,
                    height: (side * f64::from(height)) as u32,
                    confidence: 0.9,
                    landmarks: None,
                })
                .collect();
            let ids = add_detected(buffer.make_mut(), width, height, &faces);
            for (i, id) in ids.into_iter().flatten().enumerate() {
                face::set_object_id(buffer.make_mut(), id, i as i32 + 7);
                let emotion = emotion(i, frame);
                face::set_emotion(buffer.make_mut(), id, &emotion);
            }
            if self.scene == Scene::Zones {
                buffer = zones.push_and_pull(buffer).unwrap();
            }
            drawn = harness.push_and_pull(buffer).ok();
        }
        let rgb = info(VideoFormat::Rgb, width, height);
        let picture = convert(drawn.unwrap(), &self.info, &rgb);
        let rows = bytes(&picture);
        let pixels = rows
            .chunks(rgb.stride()[0] as usize)
            .flat_map(|row| row[..3 * width as usize].as_chunks().0.to_vec());
        Picture {
            width: width as usize,
            height: height as usize,
            pixels: pixels.collect(),
        }
    }

    fn save(&self, path: &Path, picture: &Picture) {
        let file = std::io::BufWriter::new(fs::File::create(path).unwrap());
        let mut encoder = png::Encoder::new(file, self.info.width(), self.info.height());
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().unwrap();
        writer
            .write_image_data(picture.pixels.as_flattened())
            .unwrap();
    }
}

/// The emotion of a face, which changes now and then.
fn emotion(face: usize, frame: usize) -> EmotionResult {
    let label_id = [3, 4, 6, 0, 5, 1, 2][(face + frame / 7) % 7];
    let confidence = [0.87, 0.52, 1.0, 0.64, 0.71][face % 5];
    let mut probabilities: Vec<f64> = (0..7)
        .map(|i| (1.0 - confidence) * f64::from(i + 1) / 28.0)
        .collect();
    probabilities[label_id] += confidence - probabilities[label_id];
    let uncertain = face == 11;
    EmotionResult {
        label: if uncertain {
            face::UNCERTAIN
        } else {
            LABELS[label_id]
        }
        .into(),
        label_id,
        confidence,
        model_name: "test".into(),
        labels: LABELS.map(String::from).to_vec(),
        probabilities,
        ..EmotionResult::default()
    }
}

/// A drawn picture.
#[derive(Clone)]
struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    fn at(&self, x: usize, y: usize) -> [u8; 3] {
        self.pixels[y * self.width + x]
    }

    /// The places at which this picture differs from what was expected: by which comparison, how many of 1000 pixels are
    /// strange, and left and upper edge of the tile.
    fn differences(&self, expected: &Self) -> Vec<(usize, usize, [usize; 2])> {
        if (self.width, self.height) != (expected.width, expected.height) {
            return vec![(0, 1000, [0, 0])];
        }
        (0..)
            .zip(&COMPARISONS)
            .filter_map(|(number, comparison)| {
                let (strange, place) = comparison.strangest_tile(self, expected);
                (strange > comparison.strange_per_mille).then_some((number, strange, place))
            })
            .collect()
    }
}

impl Comparison {
    /// Whether nothing in `b` near the pixel is like that of `a`.
    fn is_strange(&self, a: &Picture, b: &Picture, x: usize, y: usize, reach: usize) -> bool {
        let pixel = (self.channels)(a.at(x, y));
        let columns = x.saturating_sub(reach)..(x + reach + 1).min(a.width);
        let rows = y.saturating_sub(reach)..(y + reach + 1).min(a.height);
        let mut near = rows
            .flat_map(|y| columns.clone().map(move |x| (x, y)))
            .map(|(x, y)| (self.channels)(b.at(x, y)));
        let step = self.step;
        if self.allows_mixtures {
            let (mut least, mut most) = ([i16::MAX; 3], [i16::MIN; 3]);
            for there in near {
                for (channel, value) in there.into_iter().enumerate() {
                    least[channel] = value.min(least[channel]);
                    most[channel] = value.max(most[channel]);
                }
            }
            let mut channels = pixel.iter().zip(least).zip(most);
            return channels
                .any(|((value, least), most)| !(least - step..=most + step).contains(value));
        }
        !near.any(|there| pixel.iter().zip(there).all(|(a, b)| (a - b).abs() <= step))
    }

    /// The tile with the most strange pixels in both pictures: how many of 1000, and where.
    fn strangest_tile(&self, a: &Picture, b: &Picture) -> (usize, [usize; 2]) {
        let reach = self.reach * a.height.div_ceil(1080);
        let side = 8 * reach;
        let columns = a.width.div_ceil(side);
        let mut counts = vec![0; columns * a.height.div_ceil(side)];
        for y in 0..a.height {
            for x in (0..a.width).filter(|x| a.at(*x, y) != b.at(*x, y)) {
                counts[y / side * columns + x / side] +=
                    usize::from(self.is_strange(a, b, x, y, reach))
                        + usize::from(self.is_strange(b, a, x, y, reach));
            }
        }
        let (tile, count) = (0..).zip(counts).max_by_key(|(_, count)| *count).unwrap();
        let place = [tile % columns * side, tile / columns * side];
        (1000 * count / (side * side), place)
    }
}

fn load(path: &Path) -> Option<Picture> {
    let file = std::io::BufReader::new(fs::File::open(path).ok()?);
    let mut reader = png::Decoder::new(file).read_info().ok()?;
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut pixels).ok()?;
    Some(Picture {
        width: frame.width as usize,
        height: frame.height as usize,
        pixels: pixels.as_chunks().0.to_vec(),
    })
}

fn references() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/reference");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "png"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_picture_of_the_folder_is_drawn_as_it_was() {
    init();
    let renew = std::env::var_os("EMOTION_RENEW_REFERENCE").is_some();
    let keep = std::env::var_os("EMOTION_KEEP_DRAWN").map(PathBuf::from);
    let paths = references();
    assert!(paths.len() >= 16, "each style at four sizes");
    let mut wrong = Vec::new();
    for path in paths {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let reference = Reference::parse(&stem)
            .unwrap_or_else(|| panic!("{stem}: expected STYLE-SCENE-FORMAT-WIDTHxHEIGHT"));
        let drawn = reference.draw();
        if let Some(folder) = &keep {
            reference.save(&folder.join(format!("{stem}.png")), &drawn);
        }
        let expected = load(&path);
        let differences = expected.map(|expected| drawn.differences(&expected));
        if differences.as_ref().is_none_or(|found| !found.is_empty()) {
            if renew {
                reference.save(&path, &drawn);
            } else {
                wrong.push(format!("{stem}: {differences:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_folder_has_every_style_at_four_sizes_and_several_formats() {
    init();
    let mut formats = std::collections::BTreeSet::new();
    for style in ["default", "minimal", "broadcast", "seed"] {
        let sizes: std::collections::BTreeSet<_> = references()
            .iter()
            .filter_map(|path| Reference::parse(path.file_stem()?.to_str()?))
            .filter(|reference| reference.style == style)
            .map(|reference| {
                formats.insert(reference.info.format().to_string());
                (reference.info.width(), reference.info.height())
            })
            .collect();
        assert!(sizes.len() >= 4, "{style}: {sizes:?}");
    }
    assert!(formats.len() >= 8, "{formats:?}");
}

/// The reference picture with this name, changed in the rectangle: left and upper edge, right and lower edge.
fn changed(
    name: &str,
    [left, top, right, bottom]: [usize; 4],
    change: impl Fn(&Picture, usize, usize) -> [u8; 3],
) -> (Picture, Picture) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/reference");
    let picture = load(&folder.join(name)).unwrap();
    let mut other = picture.clone();
    for y in top..bottom {
        for x in left..right {
            other.pixels[y * picture.width + x] = change(&picture, x, y);
        }
    }
    (picture, other)
}

/// The pixel; the colour `to` where it is like `from`.
fn recoloured(pixel: [u8; 3], from: [u8; 3], to: [u8; 3]) -> [u8; 3] {
    let is_from = pixel.iter().zip(from).all(|(a, b)| a.abs_diff(b) < 30);
    if is_from { to } else { pixel }
}

const RED: [u8; 3] = [202, 60, 26];
const ORANGE: [u8; 3] = [232, 132, 8];
const SMALL: &str = "default-faces-nv12-640x360.png";
const LARGE: &str = "default-crowd-i420-1280x720.png";

#[test]
fn a_label_or_a_box_that_has_moved_is_noticed_where_it_is() {
    for (name, area) in [
        (SMALL, [56, 48, 224, 78]),
        (SMALL, [312, 102, 420, 206]),
        (LARGE, [230, 205, 390, 236]),
        (LARGE, [625, 495, 750, 523]),
    ] {
        let (picture, moved) = changed(name, area, |picture, x, y| picture.at(x - 8, y));
        let differences = moved.differences(&picture);
        let (.., [x, y]) = differences[0];
        let is_there = x + 24 > area[0] && x < area[2] && y + 24 > area[1] && y < area[3];
        assert!(is_there, "{name} {area:?}: {differences:?}");
    }
}

#[test]
fn a_wrong_colour_of_a_box_or_of_the_dot_in_a_label_is_noticed() {
    for (name, area) in [
        (SMALL, [316, 104, 418, 204]),
        (SMALL, [300, 84, 316, 102]),
        (LARGE, [880, 234, 966, 320]),
        (LARGE, [864, 210, 880, 230]),
    ] {
        let (picture, other) = changed(name, area, |picture, x, y| {
            recoloured(picture.at(x, y), RED, ORANGE)
        });
        assert!(!other.differences(&picture).is_empty(), "{name} {area:?}");
    }
}

#[test]
fn letters_that_are_lighter_and_stand_a_pixel_further_right_are_not_noticed() {
    // The words of two labels.
    for (name, area) in [(SMALL, [316, 86, 432, 102]), (LARGE, [880, 210, 982, 232])] {
        let (picture, other) = changed(name, area, |picture, x, y| {
            let (here, left) = (picture.at(x, y), picture.at(x - 1, y));
            [0, 1, 2].map(|channel| here[channel].midpoint(left[channel]))
        });
        assert_ne!(picture.pixels, other.pixels);
        assert_eq!(other.differences(&picture), [], "{name}");
    }
}
