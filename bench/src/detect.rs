//! Face detection in a frame, on one thread, compared with YuNet in ONNX Runtime and in OpenVINO, and with
//! OpenCV's Haar cascade.
//!
//! Ours is the whole detection: scaling, network, decoding and suppression. Of YuNet only the network is timed, at the full
//! size of the frame; so ours is measured at full size too, and separately with the default settings.

use std::env;
use std::fs::write;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use emotion_detect::{NetworkDetector, Options};
use emotion_models::Weights;
use emotion_models::inference::Precision;
use emotion_models::preprocess::{GreyImage, Part, Region, Scaler, luma};
use emotion_tests::picture;
use serde_json::json;

use crate::args::Args;
use crate::comparison::Comparison;
use crate::measure::{Turns, timed};
use crate::peer::PythonPeer;
use crate::report::{Measurement, Unit};

/// Widths and heights of the frames.
const FRAMES: [[usize; 2]; 4] = [[320, 240], [640, 480], [1280, 720], [1920, 1080]];
/// Pixels in a turn, so that one takes long enough to be timed well.
const PIXELS_PER_TURN: usize = 3 << 20;
/// Least confidence of a face for either side.
const THRESHOLD: f32 = 0.5;
/// Width and height of the smallest face for the cascade, a usual choice.
const HAAR_MIN_SIZE: u32 = 30;
/// Least intersection over union of the two boxes of the portrait.
const MIN_IOU: f32 = 0.4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DetectorPeer {
    Yunet,
    YunetOpenvino,
    /// YuNet in OpenVINO against our network in integers.
    Integers,
    Haar,
}

/// One comparison for each peer and frame size.
pub(crate) fn comparisons() -> Vec<Comparison> {
    let peers = [
        ("detect", DetectorPeer::Yunet),
        ("detect-openvino", DetectorPeer::YunetOpenvino),
        ("detect-int8", DetectorPeer::Integers),
        ("detect-cascade", DetectorPeer::Haar),
    ];
    let compare = |(kind, peer), [width, height]: [usize; 2]| {
        let name = format!("{kind}/{width}x{height}");
        Comparison::new(name, move |name, args| {
            measure(name, args, peer, [width, height])
        })
    };
    let of_peer = |peer: (&'static str, _)| FRAMES.map(|size| compare(peer, size));
    peers.into_iter().flat_map(of_peer).collect()
}

fn measure(
    name: &str,
    args: &Args,
    peer: DetectorPeer,
    [width, height]: [usize; 2],
) -> Result<Vec<Measurement>> {
    let frame = frame(width, height)?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("frame.grey");
    write(&file, &frame)?;
    let mut task = json!({ "frame": file, "width": width, "height": height });
    match peer {
        DetectorPeer::Yunet | DetectorPeer::YunetOpenvino | DetectorPeer::Integers => {
            let is_openvino = peer != DetectorPeer::Yunet;
            task["runtime"] = (if is_openvino {
                "yunet-openvino"
            } else {
                "yunet"
            })
            .into();
            task["model"] = json!(yunet(args)?);
            task["threshold"] = THRESHOLD.into();
        }
        DetectorPeer::Haar => {
            task["runtime"] = "haar".into();
            task["min_size"] = HAAR_MIN_SIZE.into();
        }
    }
    let (mut process, about) = PythonPeer::start(&args.python, "detect.py", &task)?;

    let image = GreyImage::new(&frame, width, height, width)?;
    let default = Options {
        threshold: THRESHOLD,
        ..Options::default()
    };
    let full_size = Options {
        detection_size_px: width.max(height) as u32,
        ..default
    };
    let calls = (PIXELS_PER_TURN / (width * height)).max(2);
    // A cascade is slow enough to be timed by a few calls.
    let (sides, peer_calls) = match peer {
        DetectorPeer::Yunet | DetectorPeer::YunetOpenvino | DetectorPeer::Integers => {
            (vec![("", full_size), ("/default", default)], calls)
        }
        DetectorPeer::Haar => (vec![("", default)], calls.div_ceil(8)),
    };
    let mut detectors = Vec::new();
    for (suffix, options) in sides {
        let mut detector = match peer {
            DetectorPeer::Integers => {
                NetworkDetector::with_precision(&Weights::detector()?, Precision::Int8)?
            }
            _ => NetworkDetector::built_in()?,
        };
        check_agreement(&mut detector, &image, &options, &about.output)
            .with_context(|| about.name.clone())?;
        detectors.push((suffix, options, detector, Turns::default()));
    }

    let mut theirs = Turns::default();
    for _ in 0..args.rounds.get() {
        for (_, options, detector, turns) in &mut detectors {
            turns.push(timed(calls, || {
                black_box(detector.detect(black_box(&image), options)?);
                Ok(())
            })?);
        }
        theirs.push(process.median(peer_calls)?);
    }
    let measurements = detectors.into_iter().map(|(suffix, _, _, ours)| {
        let turns = [ours, theirs.clone()];
        Measurement::new(
            format!("{name}{suffix}"),
            Unit::Milliseconds,
            turns,
            &about.name,
        )
    });
    Ok(measurements.collect())
}

/// Checks that both sides find a common face.
fn check_agreement(
    detector: &mut NetworkDetector,
    image: &GreyImage<'_>,
    options: &Options,
    theirs: &[f32],
) -> Result<()> {
    let ours = detector.candidates(image, options)?;
    let is_common = theirs.as_chunks().0.iter().any(|&[x, y, width, height]| {
        let box_ = Region::new(x, y, width, height);
        ours.iter().any(|ours| ours.region.iou(&box_) > MIN_IOU)
    });
    ensure!(
        is_common,
        "expected a face that both sides find, found {ours:?} and {theirs:?}"
    );
    Ok(())
}

/// The portrait, scaled to the height of the frame and repeated over its width.
fn frame(width: usize, height: usize) -> Result<Vec<u8>> {
    let portrait = picture::rgb(&picture::portrait());
    let grey: Vec<u8> = portrait
        .pixels
        .iter()
        .map(|&[red, green, blue]| luma(red, green, blue))
        .collect();
    let image = GreyImage::new(&grey, portrait.width, portrait.height, portrait.width)?;
    let mut square = vec![0.0; height * height];
    let part = Part::whole(&image);
    Scaler::default().run(&image, part, [height, height], &mut square, height);
    let row = |y: usize| square[y * height..][..height].iter().cycle().take(width);
    let values = (0..height).flat_map(row);
    Ok(values
        .map(|value| ((value + 1.0) * 127.5).round() as u8)
        .collect())
}

/// The file of the peer's weights.
fn yunet(args: &Args) -> Result<PathBuf> {
    const FILE: &str = "face_detection_yunet_2023mar.onnx";
    let of_data = || {
        Some(
            Path::new(&env::var_os("EMOTION_DATA")?)
                .join("peer")
                .join(FILE),
        )
    };
    let path = args.yunet.clone().or_else(of_data);
    let path = path
        .with_context(|| format!("get {FILE} from OpenCV's model zoo and pass it with --yunet"))?;
    ensure!(
        path.exists(),
        "{}: no such file; get face_detection_yunet_2023mar.onnx from OpenCV's model zoo and pass it with --yunet",
        path.display()
    );
    Ok(path)
}
