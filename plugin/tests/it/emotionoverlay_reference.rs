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

/// How many of 1000 pixels may differ by more than `STEP` in some channel: letters differ a little between versions of the font
/// renderer.
const DIFFERENT_PER_MILLE: usize = 4;
const STEP: u8 = 40;

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
            Scene::Blur | Scene::Pixelate | Scene::Fill => vec![[0.32, 0.12, 0.27]],
        }
    }

    /// The frame after some seconds.
    fn draw(&self) -> Vec<u8> {
        let (width, height) = (self.info.width(), self.info.height());
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
            drawn = harness.push_and_pull(buffer).ok();
        }
        let rgb = info(VideoFormat::Rgb, width, height);
        let picture = convert(drawn.unwrap(), &self.info, &rgb);
        let rows = bytes(&picture);
        rows.chunks(rgb.stride()[0] as usize)
            .flat_map(|row| row[..3 * width as usize].to_vec())
            .collect()
    }

    fn save(&self, path: &Path, pixels: &[u8]) {
        let file = std::io::BufWriter::new(fs::File::create(path).unwrap());
        let mut encoder = png::Encoder::new(file, self.info.width(), self.info.height());
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(pixels).unwrap();
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

fn load(path: &Path) -> Option<(u32, u32, Vec<u8>)> {
    let file = std::io::BufReader::new(fs::File::open(path).ok()?);
    let mut reader = png::Decoder::new(file).read_info().ok()?;
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut pixels).ok()?;
    Some((frame.width, frame.height, pixels))
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
        let size = (reference.info.width(), reference.info.height());
        let differing = match load(&path) {
            Some((width, height, pixels)) if (width, height) == size => {
                let pairs = drawn
                    .as_chunks::<3>()
                    .0
                    .iter()
                    .zip(pixels.as_chunks::<3>().0);
                pairs
                    .filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > STEP))
                    .count()
            }
            _ => drawn.len(),
        };
        if differing * 1000 > DIFFERENT_PER_MILLE * drawn.len() / 3 {
            if renew {
                reference.save(&path, &drawn);
            } else {
                wrong.push(format!(
                    "{stem}: {differing} of {} pixels differ",
                    drawn.len() / 3
                ));
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
