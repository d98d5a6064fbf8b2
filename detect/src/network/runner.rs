//! Runs the network on inputs of any size.

use emotion_models::Instructions;
use emotion_models::face_net::{GridCell, STRIDES, VALUES, grid_cells};
use emotion_models::inference::{self, InferenceExecutor, Precision};
use emotion_models::preprocess::{GreyRows, Region, Scaler};
use emotion_models::{Metadata, Weights};

use super::candidate::Candidate;
use super::passes::Pass;
use crate::Error;
use crate::boxes::{DecodedFace, decode};

/// Input sizes for which the network is kept ready: those of a stream, of its tiles, and of some followed faces.
const KEPT_SIZES: usize = 8;

/// The network, ready for the input sizes used last.
#[derive(Debug)]
pub(super) struct NetworkRunner {
    weights: Weights,
    precision: Precision,
    #[cfg(feature = "rayon")]
    threads: usize,
    /// The one used last comes first.
    networks: Vec<SizedNetwork>,
}

/// The network for one input size.
#[derive(Debug)]
struct SizedNetwork {
    height: usize,
    width: usize,
    executor: InferenceExecutor,
    /// Each pass over a frame has a scale of its own, for which a scaler keeps what it has worked out.
    scaler: Scaler,
    /// The grid cells of its maps.
    cells: Vec<GridCell>,
    output: Vec<f32>,
}

/// Output of the network for one pass.
pub(super) struct PassOutput<'a> {
    network: &'a SizedNetwork,
    /// Column and row of the network's input at which the image begins.
    origin: [usize; 2],
    /// The least logit of a face.
    min_logit: f32,
}

impl NetworkRunner {
    pub(super) fn new(weights: Weights, precision: Precision) -> Self {
        Self {
            weights,
            precision,
            #[cfg(feature = "rayon")]
            threads: 1,
            networks: Vec::new(),
        }
    }

    #[cfg(feature = "rayon")]
    pub(super) fn set_threads(&mut self, threads: usize) {
        self.threads = threads;
        self.networks.clear();
    }

    pub(super) fn metadata(&self) -> &Metadata {
        self.weights.metadata()
    }

    /// The instructions and the precision that the network runs with.
    pub(super) fn arithmetic(&self) -> String {
        format!("{} {}", Instructions::best(), self.precision)
    }

    /// Runs the network on the part of `image` that `pass` names, for faces with a confidence of at least `threshold`.
    pub(super) fn run(
        &mut self,
        image: &impl GreyRows,
        pass: &Pass,
        threshold: f32,
    ) -> Result<PassOutput<'_>, Error> {
        let [.., coarsest] = STRIDES;
        let [height, width] = [pass.height, pass.width]
            .map(|size| (size + 2 * pass.margin).next_multiple_of(coarsest));
        let index = self
            .networks
            .iter()
            .position(|network| (network.height, network.width) == (height, width));
        let network = match index {
            Some(index) => self.networks.remove(index),
            None => self.network(height, width)?,
        };
        self.networks.truncate(KEPT_SIZES - 1);
        self.networks.insert(0, network);

        let SizedNetwork {
            executor,
            scaler,
            output,
            cells,
            ..
        } = &mut self.networks[0];
        let (pixels, stride) = executor.picture_mut();
        // The image lies in the middle of the input, surrounded by grey.
        let [left, top] = [(width - pass.width) / 2, (height - pass.height) / 2];
        let rows = top..top + pass.height;
        for (y, row) in pixels.chunks_mut(stride).enumerate() {
            if rows.contains(&y) {
                row[..left].fill(0.0);
                row[left + pass.width..].fill(0.0);
            } else {
                row.fill(0.0);
            }
        }
        let inner = &mut pixels[top * stride + left..];
        let size = [pass.height, pass.width];
        scaler.run(image, pass.part, size, inner, stride);
        // Landmarks are looked for on the maps with faces alone.
        let least = logit(threshold);
        executor.run_picture_wanted(output, STRIDES.len(), |index, values| {
            let stride = STRIDES[index - STRIDES.len()] as f32;
            let values = values.as_chunks::<VALUES>().0;
            let mut map = cells
                .iter()
                .zip(values)
                .filter(|(cell, _)| cell.stride == stride);
            map.any(|(_, values)| values[0] >= least)
        })?;
        if !output.iter().all(|value| value.is_finite()) {
            return Err(inference::Error::NotFinite.into());
        }
        Ok(PassOutput {
            network: &self.networks[0],
            origin: [left, top],
            min_logit: least,
        })
    }

    fn network(&self, height: usize, width: usize) -> Result<SizedNetwork, Error> {
        let folded = self.weights.folded_detector(height, width)?;
        let executor =
            InferenceExecutor::from_network(&folded, Instructions::best(), self.precision);
        #[cfg(feature = "rayon")]
        let executor = executor.with_threads_each(self.threads);
        Ok(SizedNetwork {
            height,
            width,
            cells: grid_cells(height, width).collect(),
            output: vec![0.0; executor.classes()],
            executor,
            scaler: Scaler::default(),
        })
    }
}

impl PassOutput<'_> {
    /// Boxes in pixels of the scaled image.
    pub(super) fn candidates(&self) -> impl Iterator<Item = Candidate> {
        let SizedNetwork { cells, output, .. } = self.network;
        let [left, top] = self.origin.map(|pixels| pixels as f32);
        let faces = decode(cells.iter().copied(), output, self.min_logit);
        faces.map(
            move |DecodedFace {
                      region,
                      logit,
                      landmarks,
                  }| Candidate {
                region: Region {
                    x: region.x - left,
                    y: region.y - top,
                    ..region
                },
                confidence: 1.0 / (1.0 + (-logit).exp()),
                landmarks: landmarks.map(|landmarks| landmarks.map(|[x, y]| [x - left, y - top])),
            },
        )
    }
}

/// The logit of a probability; minus infinity for 0.
fn logit(probability: f32) -> f32 {
    (probability / (1.0 - probability)).ln()
}
