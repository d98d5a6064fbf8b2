//! Our own network.

mod candidate;
mod passes;
mod runner;

pub use candidate::Candidate;

use emotion_models::Weights;
use emotion_models::inference::{self, Precision};
use emotion_models::preprocess::{GreyRows, Part, Region};
use emotion_models::weights::{Task, WeightsId};

use crate::boxes::{suppress_overlapping, suppress_parts};
use crate::{DetectedFace, Error, Options};
use passes::{Pass, RELIABLE_SIZE, passes};
use runner::NetworkRunner;

/// Most candidates that are compared with each other: the most confident.
const MAX_CANDIDATES: usize = 2000;

/// The face detection network with its weights. It reuses its buffers from image to image.
#[derive(Debug)]
pub struct NetworkDetector {
    runner: NetworkRunner,
    weights_id: WeightsId,
    candidates: Vec<Candidate>,
}

impl NetworkDetector {
    /// The network with the built-in weights, on one thread, in the fastest precision.
    ///
    /// # Errors
    ///
    /// Never in practice: a test loads the built-in weights.
    #[cfg(feature = "built-in-weights")]
    pub fn built_in() -> Result<Self, Error> {
        Self::new(&Weights::detector()?)
    }

    /// The network with these weights, on one thread, in the [fastest precision](Weights::fastest_precision).
    ///
    /// # Errors
    ///
    /// If the weights are not those of a detector.
    pub fn new(weights: &Weights) -> Result<Self, Error> {
        Self::with_precision(weights, weights.fastest_precision())
    }

    /// The network with these weights, on one thread, in this precision.
    ///
    /// # Errors
    ///
    /// If the weights are not those of a detector, the machine has no instructions for the precision, or the weights are not
    /// quantised and the precision is [`Precision::Int8`].
    pub fn with_precision(weights: &Weights, precision: Precision) -> Result<Self, Error> {
        let weights = weights.expect(Task::Detection)?;
        let of_precision = weights.expect_precision(precision)?;
        if !precision.is_available() {
            return Err(inference::Error::Precision(precision).into());
        }
        Ok(Self {
            runner: NetworkRunner::new(of_precision.clone(), precision),
            weights_id: WeightsId::of(weights),
            candidates: Vec::new(),
        })
    }

    /// Runs on `threads` threads, at least one, of rayon's pool.
    #[cfg(feature = "rayon")]
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.runner.set_threads(threads);
        self
    }

    /// The instructions and the precision that the network runs with, such as `avx512 f32`.
    pub fn arithmetic(&self) -> String {
        self.runner.arithmetic()
    }

    /// The id of the weights, the same in every precision.
    pub fn weights_id(&self) -> &WeightsId {
        &self.weights_id
    }

    /// The metadata of the weights.
    pub fn metadata(&self) -> &emotion_models::Metadata {
        self.runner.metadata()
    }

    /// Detects the faces in `image`, the most confident first.
    ///
    /// # Errors
    ///
    /// If the network cannot run.
    pub fn detect(
        &mut self,
        image: &impl GreyRows,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        self.candidates(image, options)?;
        Ok(self.faces(options))
    }

    /// Detects the faces in `area` of `image`, the most confident first, in pixels of `image`. The network's input has
    /// `scale` pixels per pixel of the image, whatever the options say about the detection size and tiles.
    ///
    /// # Errors
    ///
    /// If the network cannot run.
    pub fn detect_in(
        &mut self,
        image: &impl GreyRows,
        area: Region,
        scale: f32,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        self.candidates.clear();
        if let Some(part) = Options::visible_part(Some(area), image) {
            self.run_pass(image, &Pass::new(part, scale), options)?;
        }
        self.keep_best(options);
        Ok(self.faces(options))
    }

    /// Detects the faces in `image` and returns their exact boxes, the most confident first, one for each face and
    /// without the limit of [`Options::max_faces`].
    ///
    /// # Errors
    ///
    /// If the network cannot run.
    pub fn candidates(
        &mut self,
        image: &impl GreyRows,
        options: &Options,
    ) -> Result<&[Candidate], Error> {
        self.candidates.clear();
        if let Some(part) = Options::visible_part(options.region, image) {
            for pass in passes(part, options) {
                self.run_pass(image, &pass, options)?;
            }
        }
        self.keep_best(options);
        Ok(&self.candidates)
    }

    /// Adds the candidates of one pass.
    fn run_pass(
        &mut self,
        image: &impl GreyRows,
        pass: &Pass,
        options: &Options,
    ) -> Result<(), Error> {
        let whole = Part::whole(image);
        let output = self.runner.run(image, pass, options.threshold)?;
        let is_reliable = |candidate: &Candidate| {
            let Region { width, height, .. } = candidate.region;
            let size = width.max(height);
            let is_large_enough = options.min_size_px > 0 || size >= RELIABLE_SIZE;
            is_large_enough && pass.sizes.contains(&size)
        };
        let candidates = output
            .candidates()
            .filter(is_reliable)
            .map(|candidate| pass.in_image(candidate))
            .filter(|candidate| {
                options.accepts(&candidate.region) && !pass.cuts_off(candidate, whole)
            });
        self.candidates.extend(candidates);
        Ok(())
    }

    /// Keeps one candidate for each face.
    fn keep_best(&mut self, options: &Options) {
        let falling = |a: &Candidate, b: &Candidate| b.confidence.total_cmp(&a.confidence);
        if self.candidates.len() > MAX_CANDIDATES {
            self.candidates
                .select_nth_unstable_by(MAX_CANDIDATES, falling);
            self.candidates.truncate(MAX_CANDIDATES);
        }
        self.candidates.sort_by(falling);
        suppress_overlapping(&mut self.candidates, options.nms_iou, Candidate::region);
        suppress_parts(&mut self.candidates, Candidate::region);
    }

    fn faces(&self, options: &Options) -> Vec<DetectedFace> {
        let mut faces = self.candidates.iter().map(Candidate::face).collect();
        options.keep_largest(&mut faces);
        faces
    }
}
