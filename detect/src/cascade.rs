//! OpenCV's cascades of boosted classifiers (Viola and Jones 2001; Haar or LBP features).

use std::path::{Path, PathBuf};

use emotion_models::preprocess::GreyRows;
use opencv::core::{Mat, Rect, Size, Vector};
use opencv::objdetect::CascadeClassifier;
use opencv::prelude::*;

use crate::DetectedFace;

/// The cascade that is looked for when none is named.
const DEFAULT_FILE: &str = "haarcascade_frontalface_default.xml";

/// Where OpenCV's data files are installed.
const PLACES: [&str; 5] = [
    // Debian, Ubuntu, Fedora, Arch
    "/usr/share/opencv4/haarcascades",
    "/usr/share/opencv/haarcascades",
    // built from source; Homebrew on Intel
    "/usr/local/share/opencv4/haarcascades",
    // Homebrew on Apple silicon, on Linux
    "/opt/homebrew/share/opencv4/haarcascades",
    "/home/linuxbrew/.linuxbrew/share/opencv4/haarcascades",
];

/// Why there is no cascade or no answer from it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// None was named, and none stands where OpenCV installs them. The message ends where each program says how a file
    /// is named to it.
    #[error(
        "no {DEFAULT_FILE} in {}; install OpenCV's data files (Debian, Ubuntu: opencv-data)",
        places.join(", ")
    )]
    NotInstalled {
        /// The folders that were looked at.
        places: Vec<String>,
    },
    /// The file is missing or may not be read.
    #[error("cannot read the cascade {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why it cannot be read.
        source: std::io::Error,
    },
    /// The file is no cascade.
    #[error(
        "{} is not a cascade: {reason}; expected an XML file such as OpenCV's {DEFAULT_FILE}",
        path.display()
    )]
    NotACascade {
        /// The file.
        path: PathBuf,
        /// What OpenCV says about it.
        reason: String,
    },
    /// OpenCV failed.
    #[error("OpenCV failed to detect faces: {0}")]
    OpenCv(#[from] opencv::Error),
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Ratio of one searched face size to the next, above 1.
    pub scale_factor: f64,
    /// A face is where more than this many neighbouring windows agree.
    pub min_neighbors: u32,
    /// Width and height of the smallest face in pixels.
    pub min_size_px: u32,
    /// Width and height of the largest face in pixels, 0 for any.
    pub max_size_px: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            scale_factor: 1.1,
            min_neighbors: 5,
            min_size_px: 30,
            max_size_px: 0,
        }
    }
}

/// A loaded cascade with its buffers.
#[derive(Debug)]
pub struct Cascade {
    classifier: CascadeClassifier,
    pixels: Vec<u8>,
    row: Vec<u8>,
}

impl Cascade {
    /// Loads `file`, or the frontal face cascade from where OpenCV's data files are usually installed.
    ///
    /// # Errors
    ///
    /// If there is no such file, or it is no cascade.
    pub fn load(file: Option<&Path>) -> Result<Self, Error> {
        let path = match file {
            Some(file) => file.to_owned(),
            None => find_default(&PLACES)?,
        };
        // OpenCV tells neither a missing from an unreadable file nor why it is unreadable.
        if let Err(source) = std::fs::read(&path) {
            return Err(Error::Unreadable { path, source });
        }
        match open(&path) {
            Ok(classifier) => Ok(Self {
                classifier,
                pixels: Vec::new(),
                row: Vec::new(),
            }),
            Err(reason) => Err(Error::NotACascade { path, reason }),
        }
    }

    /// The faces in `image`.
    ///
    /// # Errors
    ///
    /// If OpenCV fails.
    pub fn detect(
        &mut self,
        image: &impl GreyRows,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        // OpenCV wants all rows in one piece.
        self.pixels.clear();
        for y in 0..image.height() {
            let row = image.grey(y, 0..image.width(), &mut self.row);
            self.pixels.extend_from_slice(row);
        }
        let mat =
            Mat::new_rows_cols_with_data(int(image.height()), int(image.width()), &self.pixels)?;

        let mut rects = Vector::<Rect>::new();
        let mut neighbors = Vector::<i32>::new();
        let side = |px: u32| Size::new(int(px), int(px));
        self.classifier.detect_multi_scale2(
            &mat,
            &mut rects,
            &mut neighbors,
            options.scale_factor,
            int(options.min_neighbors),
            0,
            side(options.min_size_px),
            side(options.max_size_px),
        )?;

        let faces = rects
            .iter()
            .zip(neighbors)
            .map(|(rect, neighbors)| DetectedFace {
                x: rect.x,
                y: rect.y,
                width: rect.width.unsigned_abs(),
                height: rect.height.unsigned_abs(),
                confidence: confidence(neighbors, options.scale_factor),
            });
        Ok(faces.collect())
    }
}

/// Lets OpenCV use `count` threads, in the whole process.
///
/// # Errors
///
/// If OpenCV fails.
pub fn set_threads(count: u32) -> Result<(), Error> {
    Ok(opencv::core::set_num_threads(int(count))?)
}

/// How sure a detection is, from the number of windows that agree on it.
///
/// The windows are counted as at scale factor 1.1, because finer scales give more of them, and turned into
/// 1 − exp(−(n/5)²). On 69 photographs with 132 faces and the frontal face cascade this is near the measured precision
/// (n = 2: 0.03, 3: 0.3, 6 and 7: 0.86, 15 and more: 1.0; likewise at scale factors of 1.05 and 1.3), but it is a
/// ranking rather than a calibrated probability: other cascades, cameras and minimum sizes differ.
fn confidence(neighbors: i32, scale_factor: f64) -> f64 {
    let windows = f64::from(neighbors) * scale_factor.ln() / 1.1_f64.ln();
    1.0 - (-(windows / 5.0).powi(2)).exp()
}

fn find_default(places: &[&str]) -> Result<PathBuf, Error> {
    let found = places
        .iter()
        .map(|place| Path::new(place).join(DEFAULT_FILE))
        .find(|path| path.is_file());
    found.ok_or_else(|| Error::NotInstalled {
        places: places.iter().map(ToString::to_string).collect(),
    })
}

fn open(path: &Path) -> Result<CascadeClassifier, String> {
    let name = path.to_str().ok_or("its path is not UTF-8")?;
    let reason = |error: opencv::Error| error.message.trim().to_owned();
    let classifier = CascadeClassifier::new(name).map_err(reason)?;
    if classifier.empty().map_err(reason)? {
        return Err("it has no stages".into());
    }
    Ok(classifier)
}

/// Sizes beyond OpenCV's integers mean "larger than any picture".
fn int(value: impl TryInto<i32>) -> i32 {
    value.try_into().unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_installed_cascade_the_error_names_the_places_and_what_to_do() {
        let error = find_default(&["/nowhere", "/neither/here"])
            .unwrap_err()
            .to_string();
        assert!(error.contains("/nowhere, /neither/here"), "{error}");
        assert!(error.contains("opencv-data"), "{error}");
    }

    #[test]
    fn confidence_grows_with_the_agreeing_windows_and_does_not_depend_on_their_density() {
        let at_default: Vec<f64> = [1, 3, 6, 15, 1000].map(|n| confidence(n, 1.1)).into();
        assert!(at_default.is_sorted());
        assert!(at_default[0] < 0.05 && at_default[3] > 0.99);
        // Twice as many sizes are searched at the square root of the factor.
        assert!((confidence(12, 1.1_f64.sqrt()) - confidence(6, 1.1)).abs() < 1e-12);
    }
}
