//! The whole search for faces in a frame, on one thread, beside YuNet in ONNX Runtime and OpenCV's Haar cascade.
//!
//! Ours is all of it: scaling, network, decoding and suppression. Of YuNet the network alone is timed, at the full size
//! of the frame; so ours is measured at the full size as well, and by itself as it is by default.

use std::fs::{File, write};
use std::hint::black_box;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use emotion_detect::{NetworkDetector, Options};
use emotion_models::Weights;
use emotion_models::preprocess::{GreyImage, Part, Region, Scaler, luma};
use serde_json::json;

use crate::Args;
use crate::measure::{Turns, median, timed};
use crate::peer::Peer;
use crate::report::{Outcome, Unit};

/// Widths and heights of the frames.
const FRAMES: [[usize; 2]; 4] = [[320, 240], [640, 480], [1280, 720], [1920, 1080]];
/// Work of a turn, in pixels, so that one takes long enough to be timed well.
const PIXELS_PER_TURN: usize = 3 << 20;
/// The confidence of a face for either side.
const THRESHOLD: f32 = 0.5;
/// Width and height of the smallest face for the cascade, a usual choice.
const HAAR_MIN_SIZE: u32 = 30;
/// How far the two boxes of the portrait overlap at least.
const SAME: f32 = 0.4;

/// A peer and a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comparison {
    peer: DetectorPeer,
    width: usize,
    height: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DetectorPeer {
    Yunet,
    Haar,
}

/// All of them.
pub(crate) fn comparisons() -> impl Iterator<Item = Comparison> {
    [DetectorPeer::Yunet, DetectorPeer::Haar]
        .into_iter()
        .flat_map(|peer| {
            FRAMES.map(|[width, height]| Comparison {
                peer,
                width,
                height,
            })
        })
}

impl Comparison {
    pub(crate) fn name(self) -> String {
        let kind = match self.peer {
            DetectorPeer::Yunet => "detect",
            DetectorPeer::Haar => "detect-cascade",
        };
        format!("{kind}/{}x{}", self.width, self.height)
    }

    pub(crate) fn measure(self, args: &Args) -> Result<Vec<Outcome>> {
        let Self {
            peer,
            width,
            height,
        } = self;
        let frame = frame(width, height)?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("frame.grey");
        write(&file, &frame)?;
        let mut task = json!({ "frame": file, "width": width, "height": height });
        match peer {
            DetectorPeer::Yunet => {
                task["runtime"] = "yunet".into();
                task["model"] = yunet(args)?
                    .to_str()
                    .context("a path that is no text")?
                    .into();
                task["threshold"] = THRESHOLD.into();
            }
            DetectorPeer::Haar => {
                task["runtime"] = "haar".into();
                task["min_size"] = HAAR_MIN_SIZE.into();
            }
        }
        let (mut process, about) = Peer::start(&args.python, "detect.py", &task)?;

        let image = GreyImage::new(&frame, width, height, width)?;
        let default = Options {
            threshold: THRESHOLD,
            ..Options::default()
        };
        let full = Options {
            detection_size_px: width.max(height) as u32,
            ..default
        };
        let sides = match peer {
            DetectorPeer::Yunet => vec![("", full), ("/default", default)],
            DetectorPeer::Haar => vec![("", default)],
        };
        let mut detectors = Vec::new();
        for (suffix, options) in sides {
            let mut detector = NetworkDetector::new(Weights::detector()?)?;
            agree(&mut detector, &image, &options, &about.output)
                .with_context(|| about.name.clone())?;
            detectors.push((suffix, options, detector, Turns::default()));
        }

        let calls = (PIXELS_PER_TURN / (width * height)).max(2);
        // A cascade is slow enough to be timed by a few calls.
        let their_calls = match peer {
            DetectorPeer::Yunet => calls,
            DetectorPeer::Haar => calls.div_ceil(8),
        };
        let mut theirs = Turns::default();
        for _ in 0..args.rounds.get() {
            for (_, options, detector, turns) in &mut detectors {
                turns.push(timed(calls, || {
                    black_box(detector.detect(black_box(&image), options)?);
                    Ok(())
                })?);
            }
            theirs.push(median(&process.turn(their_calls)?));
        }
        let outcomes = detectors.into_iter().map(|(suffix, _, _, ours)| Outcome {
            name: self.name() + suffix,
            ours,
            peer: theirs.clone(),
            peer_name: about.name.clone(),
            unit: Unit::Milliseconds,
            peak: None,
        });
        Ok(outcomes.collect())
    }
}

/// Both sides find the same face where the portrait is large enough to be seen by all.
fn agree(
    detector: &mut NetworkDetector,
    image: &GreyImage<'_>,
    options: &Options,
    theirs: &[f32],
) -> Result<()> {
    let ours = detector.candidates(image, options)?;
    let same = theirs.as_chunks().0.iter().any(|&[x, y, width, height]| {
        let box_ = Region {
            x,
            y,
            width,
            height,
        };
        ours.iter().any(|ours| ours.region.iou(&box_) > SAME)
    });
    ensure!(
        same,
        "expected a face that both sides find, found {ours:?} and {theirs:?}"
    );
    Ok(())
}

/// The portrait as high as the frame, beside itself until the frame is full.
fn frame(width: usize, height: usize) -> Result<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/media/astronaut.png");
    let mut reader = png::Decoder::new(BufReader::new(File::open(path)?)).read_info()?;
    let mut pixels = vec![
        0;
        reader
            .output_buffer_size()
            .context("a picture of some size")?
    ];
    let info = reader.next_frame(&mut pixels)?;
    let pixels = pixels.chunks_exact(3);
    let grey: Vec<u8> = pixels.map(|rgb| luma(rgb[0], rgb[1], rgb[2])).collect();
    let (side, rows) = (info.width as usize, info.height as usize);
    let picture = GreyImage::new(&grey, side, rows, side)?;
    let mut square = vec![0.0; height * height];
    let part = Part::whole(&picture);
    Scaler::default().run(&picture, part, [height, height], &mut square, height);
    let row = |y: usize| square[y * height..][..height].iter().cycle().take(width);
    let values = (0..height).flat_map(row);
    Ok(values
        .map(|value| ((value + 1.0) * 127.5).round() as u8)
        .collect())
}

/// Where the peer's weights are.
fn yunet(args: &Args) -> Result<PathBuf> {
    let default = || {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../shared/data/peer/face_detection_yunet_2023mar.onnx")
    };
    let path = args.yunet.clone().unwrap_or_else(default);
    ensure!(
        path.exists(),
        "{}: no such file; get YuNet's face_detection_yunet_2023mar.onnx from OpenCV's model zoo and name it with --yunet",
        path.display()
    );
    Ok(path)
}
