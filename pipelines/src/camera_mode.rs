//! Which of a camera's modes suits faces: about 1280×720 at 24 pictures a second or more.
//!
//! Left alone, `v4l2src` takes the largest raw mode, which USB carries at 2 to 10 pictures a second.

use std::{fmt, path::Path, str::FromStr};

use anyhow::Context as _;
use gst::prelude::*;

use crate::launch_line::LaunchLine;

/// The size that is asked for unless another is.
const SIZE: FrameSize = FrameSize {
    width: 1280,
    height: 720,
};
/// The rate that is enough unless another is asked for, in pictures a second.
const ENOUGH: f64 = 24.0;
/// Rates that differ by less are the same, such as 30 and 30000/1001.
const SAME_RATE: f64 = 0.5;
/// An element before a decoder, which then gets the newest picture only.
pub(crate) const NEWEST_ONLY: &str = "queue leaky=downstream max-size-buffers=1";

/// Width and height in pixels, written as `1280x720`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameSize {
    width: i32,
    height: i32,
}

impl FromStr for FrameSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let side = |text: &str| text.parse().ok().filter(|side| (1..=16_384).contains(side));
        text.split_once(['x', '×'])
            .and_then(|(width, height)| {
                let [width, height] = [side(width)?, side(height)?];
                Some(Self { width, height })
            })
            .ok_or_else(|| format!("expected WIDTHxHEIGHT, such as 1280x720, found {text:?}"))
    }
}

/// What is asked for instead of 1280×720 at 24 pictures a second or more.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WantedMode {
    /// The size; the nearest is taken.
    pub size: Option<FrameSize>,
    /// The rate in pictures a second; the nearest is taken.
    pub rate: Option<f64>,
}

/// `rate` if it is one that a camera may be asked for.
///
/// # Errors
///
/// If it is not from 0.1 to 1000 pictures a second.
pub fn checked_rate(rate: f64) -> Result<f64, String> {
    match (0.1..=1000.0).contains(&rate) {
        true => Ok(rate),
        false => Err(format!(
            "expected pictures a second from 0.1 to 1000, found {rate}"
        )),
    }
}

/// How a camera delivers its pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Encoding {
    Raw,
    MotionJpeg,
}

/// One size and rate of a camera.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraMode {
    encoding: Encoding,
    /// Of raw pictures.
    format: Option<String>,
    width: i32,
    height: i32,
    rate: gst::Fraction,
}

impl CameraMode {
    /// The caps behind `v4l2src` that select it, as text without spaces.
    pub fn caps(&self) -> String {
        let (name, format) = match (self.encoding, &self.format) {
            (Encoding::MotionJpeg, _) => ("image/jpeg", String::new()),
            (Encoding::Raw, Some(format)) => ("video/x-raw", format!(",format={format}")),
            (Encoding::Raw, None) => ("video/x-raw", String::new()),
        };
        let Self { width, height, .. } = self;
        let (number, seconds) = (self.rate.numer(), self.rate.denom());
        format!("{name}{format},width={width},height={height},framerate={number}/{seconds}")
    }

    /// The beginning of a launch line: the camera in this mode, decoded.
    pub fn launch_line(&self, device: &Path) -> LaunchLine {
        let line = LaunchLine::default()
            .words("v4l2src")
            .path("device", device)
            .words("!")
            .words(&self.caps());
        match self.encoding {
            Encoding::Raw => line,
            Encoding::MotionJpeg => line.words(&format!("! {NEWEST_ONLY} ! jpegdec")),
        }
    }
}

impl fmt::Display for CameraMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoding = match self.encoding {
            Encoding::Raw => "raw",
            Encoding::MotionJpeg => "Motion JPEG",
        };
        let Self { width, height, .. } = self;
        let rate = (per_second(self.rate) * 100.0).round() / 100.0;
        write!(f, "{width}×{height}, {rate} pictures a second, {encoding}")
    }
}

/// The best mode of `modes`, the caps of a camera's source pad: first one that is fast enough, then the nearest size, then
/// the higher rate, then raw instead of Motion JPEG, which costs a decoder.
///
/// None if `modes` lists no raw pictures and no Motion JPEG with fixed sizes, such as a camera that gives H.264 alone.
pub fn choose(modes: &gst::Caps, wanted: WantedMode) -> Option<CameraMode> {
    if modes.is_any() {
        return None;
    }
    let candidates = modes
        .iter_with_features()
        .filter_map(|(structure, features)| {
            // Only the processor's memory; other memory is left to the elements that know it.
            (!features.is_any() && features.contains("memory:SystemMemory"))
                .then(|| mode(structure, wanted.rate))
                .flatten()
        });
    candidates.min_by(|a, b| {
        let [first, second] = [a, b].map(|mode| penalties(mode, wanted));
        let pairs = first.iter().zip(&second);
        pairs
            .map(|(a, b)| a.total_cmp(b))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| a.encoding.cmp(&b.encoding))
    })
}

/// What speaks against a mode, the weightiest first.
fn penalties(mode: &CameraMode, wanted: WantedMode) -> [f64; 3] {
    let size = wanted.size.unwrap_or(SIZE);
    // Half the width and twice the width are equally far.
    let distance = |side: i32, wanted: i32| (f64::from(side) / f64::from(wanted)).ln().abs();
    let distance = distance(mode.width, size.width) + distance(mode.height, size.height);
    let rate = per_second(mode.rate);
    match wanted.rate {
        Some(wanted) => {
            let off = (rate - wanted).abs();
            let off = if off < SAME_RATE { 0.0 } else { off };
            [off, distance, 0.0]
        }
        None => [
            (ENOUGH - SAME_RATE - rate).max(0.0),
            distance,
            -rate.round(),
        ],
    }
}

/// The mode of a structure with a fixed size, at the rate that is nearest to the wanted one, else at its highest.
fn mode(structure: &gst::StructureRef, wanted: Option<f64>) -> Option<CameraMode> {
    let encoding = match structure.name().as_str() {
        "video/x-raw" => Encoding::Raw,
        "image/jpeg" => Encoding::MotionJpeg,
        _ => return None,
    };
    let rate = rates(structure.value("framerate").ok()?)
        .into_iter()
        .min_by(|a, b| {
            let penalty = |rate: &gst::Fraction| match wanted {
                Some(wanted) => (per_second(*rate) - wanted).abs(),
                None => -per_second(*rate),
            };
            penalty(a).total_cmp(&penalty(b))
        })?;
    Some(CameraMode {
        encoding,
        format: structure.get("format").ok(),
        width: structure.get("width").ok()?,
        height: structure.get("height").ok()?,
        rate,
    })
}

/// The rates of a field; of a range its ends.
fn rates(value: &gst::glib::Value) -> Vec<gst::Fraction> {
    if let Ok(rate) = value.get::<gst::Fraction>() {
        return vec![rate];
    }
    if let Ok(range) = value.get::<gst::FractionRange>() {
        return vec![range.min(), range.max()];
    }
    let list = value.get::<gst::List>();
    list.map_or_else(
        |_| Vec::new(),
        |list| list.iter().flat_map(|rate| rates(rate)).collect(),
    )
}

fn per_second(rate: gst::Fraction) -> f64 {
    f64::from(rate.numer()) / f64::from(rate.denom())
}

/// The modes of a Video4Linux camera, as caps.
///
/// # Errors
///
/// If `v4l2src` is not installed or cannot open the device.
pub fn modes(device: &Path) -> anyhow::Result<gst::Caps> {
    let source = gst::ElementFactory::make("v4l2src").build().context(
        "there is no element v4l2src to read the camera with; it comes with gstreamer1.0-plugins-good",
    )?;
    source.set_property("device", device.to_string_lossy().as_ref());
    let opened = source.set_state(gst::State::Ready);
    let modes = source.static_pad("src").map(|pad| pad.query_caps(None));
    // Nothing can be done if even the way back to Null fails.
    let _ = source.set_state(gst::State::Null);
    opened.with_context(|| format!("{}: this is no camera that opens", device.display()))?;
    modes.context("v4l2src has no source pad")
}

#[cfg(test)]
mod tests;
