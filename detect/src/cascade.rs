//! OpenCV's cascades of boosted classifiers (Viola and Jones 2001; Haar or LBP features).

use std::path::{Path, PathBuf};

use emotion_models::preprocess::{GreyRows, Region};
use opencv::core::{Mat, Rect, Size, Vector};
use opencv::objdetect::CascadeClassifier;
use opencv::prelude::*;

use crate::error::DEFAULT_CASCADE;
use crate::{DetectedFace, Error, Options};

/// The smallest face by default, in pixels: smaller ones are rarely found, and searching for them is slow.
const SMALLEST: u32 = 30;

/// Folders where OpenCV's data files are installed.
const FOLDERS: [&str; 5] = [
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
    /// Loads `file`, or without one the frontal face cascade from where OpenCV's data files are usually installed.
    ///
    /// # Errors
    ///
    /// If the file is missing or not a cascade.
    pub fn load(file: Option<&Path>) -> Result<Self, Error> {
        let path = match file {
            Some(file) => file.to_owned(),
            None => find_default(&FOLDERS)?,
        };
        // OpenCV's errors do not say whether a file is missing or unreadable, nor why.
        if let Err(source) = emotion_models::regular_file::read(&path) {
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

    /// Detects the faces in `image`, the most confident first.
    ///
    /// # Errors
    ///
    /// If OpenCV fails.
    pub fn detect(
        &mut self,
        image: &impl GreyRows,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        self.detect_part(image, options.region, options)
    }

    /// Detects the faces in `area` of `image`, the most confident first, in pixels of `image`.
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
        self.detect_part(image, Some(area), options)
    }

    fn detect_part(
        &mut self,
        image: &impl GreyRows,
        area: Option<Region>,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        let Some(part) = Options::visible_part(area, image) else {
            return Ok(Vec::new());
        };
        let smallest = match options.min_size_px {
            0 => SMALLEST,
            chosen => chosen,
        };
        // OpenCV reads contiguous rows.
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
                landmarks: None,
            });
        let mut faces: Vec<_> = faces
            .filter(|face| options.accepts(&face.region()))
            .collect();
        // OpenCV's threads return them in any order.
        faces.sort_by(|a, b| {
            let falling = b.confidence.total_cmp(&a.confidence);
            falling.then_with(|| (a.y, a.x).cmp(&(b.y, b.x)))
        });
        options.keep_largest(&mut faces);
        Ok(faces)
    }
}

/// Sets the number of threads that OpenCV uses in the whole process.
///
/// # Errors
///
/// If OpenCV fails.
pub fn set_threads(count: u32) -> Result<(), Error> {
    Ok(opencv::core::set_num_threads(int(count))?)
}

/// Confidence of a detection, from the number of windows that agree on it.
///
/// The number n is scaled to that of scale factor 1.1, because finer scales have more windows, and becomes
/// 1 − exp(−(n/5)²). On 69 photographs with 132 faces and the frontal face cascade this is near the measured precision
/// (n = 2: 0.03, 3: 0.3, 6 and 7: 0.86, 15 and more: 1.0; likewise at scale factors of 1.05 and 1.3). It ranks
/// detections but is not a calibrated probability: other cascades, cameras and minimum sizes differ.
pub(crate) fn confidence(neighbors: i32, scale_factor: f64) -> f64 {
    let windows = f64::from(neighbors) * scale_factor.ln() / 1.1_f64.ln();
    1.0 - (-(windows / 5.0).powi(2)).exp()
}

fn find_default(folders: &[&str]) -> Result<PathBuf, Error> {
    let found = folders
        .iter()
        .map(|folder| Path::new(folder).join(DEFAULT_CASCADE))
        .find(|path| path.is_file());
    found.ok_or_else(|| Error::NotInstalled {
        places: folders.iter().map(ToString::to_string).collect(),
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

/// A size as OpenCV takes it; one beyond its integers exceeds every image anyway.
fn int(value: impl TryInto<i32>) -> i32 {
    value.try_into().unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_installed_cascade_the_error_names_the_folders_and_the_remedy() {
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
