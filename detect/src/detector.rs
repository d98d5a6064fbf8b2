//! One interface to both detectors.

use emotion_models::preprocess::{GreyRows, Region};

#[cfg(feature = "cascade")]
use crate::Cascade;
use crate::track::DetectionRequest;
use crate::{DetectedFace, Error, NetworkDetector, Options};

/// A face continues its track from this share of the confidence that begins one.
const WEAK_SHARE: f32 = 0.5;
/// Longer side of a requested region in the network's input, in pixels: a face takes about a third of it.
const REGION_SIDE: f32 = 96.0;

/// A face detector.
#[derive(Debug)]
pub enum Detector {
    /// Our own network.
    Network(Box<NetworkDetector>),
    /// One of OpenCV's cascades.
    #[cfg(feature = "cascade")]
    Cascade(Cascade),
}

impl Detector {
    /// The network; none of a cascade.
    pub fn network(&self) -> Option<&NetworkDetector> {
        match self {
            Self::Network(network) => Some(network),
            #[cfg(feature = "cascade")]
            Self::Cascade(_) => None,
        }
    }

    /// Detects the faces in `image`, the most confident first.
    ///
    /// # Errors
    ///
    /// If the network or OpenCV fails.
    pub fn detect(
        &mut self,
        image: &impl GreyRows,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        match self {
            Self::Network(network) => network.detect(image, options),
            #[cfg(feature = "cascade")]
            Self::Cascade(cascade) => cascade.detect(image, options),
        }
    }

    /// Detects the faces in `area` of `image`, the most confident first, in pixels of `image`.
    ///
    /// The network's input has `scale` pixels per pixel of the image, whatever the options say about the detection size
    /// and tiles. A cascade searches the area as it is.
    ///
    /// # Errors
    ///
    /// If the network or OpenCV fails.
    pub fn detect_in(
        &mut self,
        image: &impl GreyRows,
        area: Region,
        scale: f32,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        match self {
            Self::Network(network) => network.detect_in(image, area, scale, options),
            #[cfg(feature = "cascade")]
            Self::Cascade(cascade) => cascade.detect_in(image, area, options),
        }
    }

    /// Detects the faces that a tracker requests. Those with at least the
    /// [strong confidence](Self::strong_confidence) come first and are the ones that `options` ask for; the weak ones
    /// after them may continue a track.
    ///
    /// # Errors
    ///
    /// If the network or OpenCV fails.
    pub fn detect_requested(
        &mut self,
        image: &impl GreyRows,
        request: &DetectionRequest,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        let with_weak = Options {
            threshold: options.threshold * WEAK_SHARE,
            min_neighbors: options.min_neighbors / 2,
            max_faces: 0,
            ..*options
        };
        let faces = match request {
            DetectionRequest::None => Vec::new(),
            DetectionRequest::WholeFrame { with_tiles } => {
                let tiles = match options.tiles {
                    0 if !with_tiles => 1,
                    tiles => tiles,
                };
                self.detect(image, &Options { tiles, ..with_weak })?
            }
            DetectionRequest::Regions(regions) => {
                let mut faces = Vec::new();
                for region in regions {
                    let scale = REGION_SIDE / region.width.max(region.height);
                    faces.extend(self.detect_in(image, *region, scale, &with_weak)?);
                }
                faces
            }
        };
        let least = self.strong_confidence(options);
        let (mut faces, weak): (Vec<_>, Vec<_>) =
            faces.into_iter().partition(|face| face.confidence >= least);
        options.keep_largest(&mut faces);
        faces.extend(weak);
        Ok(faces)
    }

    /// Least confidence of a face that `options` ask for, 0 to 1.
    pub fn strong_confidence(&self, options: &Options) -> f64 {
        match self {
            Self::Network(_) => f64::from(options.threshold),
            #[cfg(feature = "cascade")]
            Self::Cascade(_) => {
                let windows = options.min_neighbors.saturating_add(1);
                crate::cascade::confidence(
                    i32::try_from(windows).unwrap_or(i32::MAX),
                    options.scale_factor,
                )
            }
        }
    }
}

#[cfg(feature = "cascade")]
impl From<Cascade> for Detector {
    fn from(cascade: Cascade) -> Self {
        Self::Cascade(cascade)
    }
}

impl From<NetworkDetector> for Detector {
    fn from(network: NetworkDetector) -> Self {
        Self::Network(Box::new(network))
    }
}
