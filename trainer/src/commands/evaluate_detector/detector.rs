//! The evaluated detector.

use std::path::Path;

use anyhow::{Result, ensure};
use emotion_detect::{NetworkDetector, Options};
use emotion_models::Weights;
use emotion_models::image_file;
use emotion_models::inference::Precision;
use image::GrayImage;

use super::super::common::load_weights;
use super::peer::PeerDetections;
use crate::cli::EvaluateDetectorArgs;
use crate::detector::matching::ScoredBox;

/// Least confidence of the boxes; a higher one would end the curve too early.
const LEAST: f32 = 0.01;

/// The evaluated detector.
pub(crate) enum EvaluatedDetector {
    /// A network.
    Network(Box<NetworkDetector>, Options),
    /// Another detector, which has found its boxes before.
    Peer(PeerDetections),
}

impl EvaluatedDetector {
    pub(super) fn new(args: &EvaluateDetectorArgs) -> Result<Self> {
        let Some(file) = &args.found else {
            let weights = load_weights(&args.weights)?;
            let precision = args.dtype.unwrap_or_else(|| weights.fastest_precision());
            let options = Options {
                min_size_px: args.min_size,
                detection_size_px: args.detection_size,
                tiles: args.tiles,
                ..Options::default()
            };
            return Self::network(&weights, precision, options);
        };
        ensure!(
            !args.light && !args.made,
            "--light and --made change the pictures before detection, --found holds boxes that were found before: \
             leave one of them out"
        );
        Ok(Self::Peer(PeerDetections::load(file, &args.data)?))
    }

    /// A network with these options, but for the confidence, in this precision.
    pub(crate) fn network(
        weights: &Weights,
        precision: Precision,
        options: Options,
    ) -> Result<Self> {
        let network = NetworkDetector::with_precision(weights, precision)?;
        let network = network.with_threads(rayon::current_num_threads());
        let options = Options {
            threshold: LEAST,
            ..options
        };
        Ok(Self::Network(Box::new(network), options))
    }

    /// The boxes in the image of the file at `path`.
    pub(super) fn found(&mut self, image: &GrayImage, path: &Path) -> Result<Vec<ScoredBox>> {
        match self {
            Self::Network(network, options) => {
                let candidates = network.candidates(&image_file::view(image)?, options)?;
                let found = candidates.iter().map(|candidate| ScoredBox {
                    region: candidate.region,
                    score: candidate.confidence,
                    landmarks: candidate.landmarks,
                });
                Ok(found.collect())
            }
            Self::Peer(peer) => peer.found(path),
        }
    }
}
