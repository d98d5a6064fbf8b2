//! The network for pictures of every size.

use emotion_models::Instructions;
use emotion_models::face_net::{STRIDES, VALUES, grid_cells};
use emotion_models::inference::{InferenceExecutor, Precision};
use emotion_models::preprocess::{GreyRows, Region, Scaler};
use emotion_models::{Metadata, Weights};

use super::candidate::Candidate;
use super::passes::Look;
use crate::Error;

/// Sizes for which the network is kept ready: those of a stream, of its tiles, and of some faces that are followed.
const KEPT: usize = 8;

/// The network, ready for the sizes that it saw last.
#[derive(Debug)]
pub(super) struct Sizes {
    weights: Weights,
    precision: Precision,
    threads: usize,
    /// The last one that was used first.
    networks: Vec<Network>,
    scaler: Scaler,
}

#[derive(Debug)]
struct Network {
    height: usize,
    width: usize,
    engine: InferenceExecutor,
    /// What it says about each place.
    values: Vec<f32>,
}

/// What the network says about the last picture.
pub(super) struct Seen<'a> {
    network: &'a Network,
    /// Column and row of the network at which the picture begins.
    origin: [usize; 2],
}

impl Sizes {
    pub(super) fn new(weights: Weights, precision: Precision) -> Self {
        Self {
            weights,
            precision,
            threads: 1,
            networks: Vec::new(),
            scaler: Scaler::default(),
        }
    }

    pub(super) fn set_threads(&mut self, threads: usize) {
        self.threads = threads;
        self.networks.clear();
    }

    pub(super) fn metadata(&self) -> &Metadata {
        self.weights.metadata()
    }

    /// Lets the network look.
    pub(super) fn look(&mut self, picture: &impl GreyRows, look: &Look) -> Result<Seen<'_>, Error> {
        let [.., coarsest] = STRIDES;
        let [height, width] = [look.height, look.width]
            .map(|size| (size + 2 * look.margin).next_multiple_of(coarsest));
        let place = self
            .networks
            .iter()
            .position(|network| (network.height, network.width) == (height, width));
        let network = match place {
            Some(place) => self.networks.remove(place),
            None => self.network(height, width)?,
        };
        self.networks.truncate(KEPT - 1);
        self.networks.insert(0, network);

        let Network { engine, values, .. } = &mut self.networks[0];
        let (pixels, stride) = engine.picture_mut();
        // The picture lies in the middle; what lies beyond it is grey.
        let [left, top] = [(width - look.width) / 2, (height - look.height) / 2];
        let rows = top..top + look.height;
        for (y, row) in pixels.chunks_mut(stride).enumerate() {
            if rows.contains(&y) {
                row[..left].fill(0.0);
                row[left + look.width..].fill(0.0);
            } else {
                row.fill(0.0);
            }
        }
        let seen = &mut pixels[top * stride + left..];
        let size = [look.height, look.width];
        self.scaler.run(picture, look.part, size, seen, stride);
        engine.run_picture(values)?;
        Ok(Seen {
            network: &self.networks[0],
            origin: [left, top],
        })
    }

    fn network(&self, height: usize, width: usize) -> Result<Network, Error> {
        let folded = self.weights.folded_detector(height, width)?;
        let engine = InferenceExecutor::of_folded(&folded, Instructions::best(), self.precision);
        let engine = engine.with_threads_each(self.threads);
        Ok(Network {
            height,
            width,
            values: vec![0.0; engine.classes()],
            engine,
        })
    }
}

impl Seen<'_> {
    /// What it takes for a face with this confidence at least, in pixels of the picture as the network sees it.
    pub(super) fn candidates(&self, threshold: f32) -> impl Iterator<Item = Candidate> {
        let Network {
            height,
            width,
            ref values,
            ..
        } = *self.network;
        let [left, top] = self.origin.map(|pixels| pixels as f32);
        let least = logit(threshold);
        let values = values.as_chunks::<VALUES>().0;
        grid_cells(height, width)
            .zip(values)
            .filter(move |(_, values)| values[0] >= least)
            .map(move |(place, values)| {
                let region = place.region(*values);
                Candidate {
                    region: Region {
                        x: region.x - left,
                        y: region.y - top,
                        ..region
                    },
                    confidence: 1.0 / (1.0 + (-values[0]).exp()),
                }
            })
            // Weights that somebody else trained may say anything.
            .filter(|candidate| {
                let region = candidate.region;
                [region.x, region.y, region.width, region.height]
                    .iter()
                    .all(|value| value.is_finite())
            })
    }
}

/// The logit of a probability; of 0 one that every other exceeds.
fn logit(probability: f32) -> f32 {
    (probability / (1.0 - probability)).ln()
}
