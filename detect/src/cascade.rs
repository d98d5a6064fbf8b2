//! OpenCV's cascades of boosted classifiers (Viola and Jones 2001; Haar or LBP features).

use std::path::{Path, PathBuf};

use emotion_models::preprocess::{GreyRows, Part, Region};
use opencv::core::{Mat, Rect, Size, Vector};
use opencv::objdetect::CascadeClassifier;
use opencv::prelude::*;

use crate::{DetectedFace, Error, Options};

/// The cascade that is looked for when none is named.
pub(crate) const DEFAULT_FILE: &str = "haarcascade_frontalface_default.xml";

/// Smaller faces are rarely found, and searching for them is slow.
const SMALLEST: u32 = 30;

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

    /// The faces in `image`, the surest first.
    ///
    /// # Errors
    ///
    /// If OpenCV fails.
    pub fn detect(
        &mut self,
        image: &impl GreyRows,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        match Options::part(options.region, image) {
            Some(part) => self.search(image, part, options),
            None => Ok(Vec::new()),
        }
    }

    /// The same of the faces in `area`.
    ///
    /// # Errors
    ///
    /// If OpenCV fails.
    pub fn detect_in(
        &mut self,
        image: &impl GreyRows,
        area: Region,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        match Options::part(Some(area), image) {
            Some(part) => self.search(image, part, options),
            None => Ok(Vec::new()),
        }
    }

    fn search(
        &mut self,
        image: &impl GreyRows,
        part: Part,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        let smallest = match options.min_size_px {
            0 => SMALLEST,
            chosen => chosen,
        };
        // OpenCV wants all rows in one piece.
        self.pixels.clear();
        for y in part.y..part.y + part.height {
            let row = image.grey(y, part.x..part.x + part.width, &mut self.row);
            self.pixels.extend_from_slice(row);
        }
        let mat = Mat::new_rows_cols_with_data(int(part.height), int(part.width), &self.pixels)?;

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
            side(smallest),
            side(options.max_size_px),
        )?;

        let faces = rects
            .iter()
            .zip(neighbors)
            .map(|(rect, neighbors)| DetectedFace {
                x: rect.x.saturating_add(int(part.x)),
                y: rect.y.saturating_add(int(part.y)),
                width: rect.width.unsigned_abs(),
                height: rect.height.unsigned_abs(),
                confidence: confidence(neighbors, options.scale_factor),
            });
        let mut faces: Vec<_> = faces
            .filter(|face| {
                options.wants(&Region {
                    x: face.x as f32,
                    y: face.y as f32,
                    width: face.width as f32,
                    height: face.height as f32,
                })
            })
            .collect();
        // OpenCV's threads leave them in any order.
        faces.sort_by(|a, b| {
            let surer = b.confidence.total_cmp(&a.confidence);
            surer.then_with(|| (a.y, a.x).cmp(&(b.y, b.x)))
        });
        options.limit(&mut faces);
        Ok(faces)
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
pub(crate) fn confidence(neighbors: i32, scale_factor: f64) -> f64 {
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
