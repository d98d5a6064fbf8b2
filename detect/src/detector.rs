//! One way to ask either detector.

use emotion_models::preprocess::{GreyRows, Region};

#[cfg(feature = "cascade")]
use crate::Cascade;
use crate::{DetectedFace, Error, NetworkDetector, Options};

/// Something that finds faces.
#[derive(Debug)]
pub enum Detector {
    /// Our own network.
    Network(Box<NetworkDetector>),
    /// One of OpenCV's cascades.
    #[cfg(feature = "cascade")]
    Cascade(Cascade),
}

impl Detector {
    /// The faces in `picture`, the surest first.
    ///
    /// # Errors
    ///
    /// If the network or OpenCV fails.
    pub fn detect(
        &mut self,
        picture: &impl GreyRows,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        match self {
            Self::Network(network) => network.detect(picture, options),
            #[cfg(feature = "cascade")]
            Self::Cascade(cascade) => cascade.detect(picture, options),
        }
    }

    /// The faces in `area` of `picture`, the surest first, in pixels of the picture. The network sees the area at
    /// `scale`, its pixels per pixel of the picture, whatever the options say about the detection size and tiles; a
    /// cascade sees it as it is.
    ///
    /// # Errors
    ///
    /// As [`detect`](Self::detect).
    pub fn detect_in(
        &mut self,
        picture: &impl GreyRows,
        area: Region,
        scale: f32,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        match self {
            Self::Network(network) => network.detect_in(picture, area, scale, options),
            #[cfg(feature = "cascade")]
            Self::Cascade(cascade) => cascade.detect_in(picture, area, options),
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
