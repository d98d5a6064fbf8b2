//! Our own network: one look at the whole picture.

mod candidate;
mod passes;
mod runner;
mod suppression;

pub use candidate::Candidate;

use emotion_models::Weights;
use emotion_models::inference::Precision;
use emotion_models::preprocess::{GreyRows, Part, Region};
use emotion_models::weights::Task;

use crate::{DetectedFace, Error, Options};
use passes::{Look, SURE_FACE, looks};
use runner::Sizes;
use suppression::suppress;

/// Candidates that are compared with each other at most: the surest.
const MOST_CANDIDATES: usize = 2000;

/// The face detector with its weights, ready to look. It keeps its buffers from picture to picture.
#[derive(Debug)]
pub struct NetworkDetector {
    sizes: Sizes,
    candidates: Vec<Candidate>,
}

impl NetworkDetector {
    /// The weights that are compiled in, on one thread in the fastest precision.
    ///
    /// # Errors
    ///
    /// Never in practice: a test loads them.
    pub fn embedded() -> Result<Self, Error> {
        Self::new(Weights::detector()?)
    }

    /// The same with other weights.
    ///
    /// # Errors
    ///
    /// If the weights are not those of a detector.
    pub fn new(weights: Weights) -> Result<Self, Error> {
        Self::with_precision(weights, Precision::fastest())
    }

    /// The same in this precision.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and if the machine has no instructions for the precision.
    pub fn with_precision(weights: Weights, precision: Precision) -> Result<Self, Error> {
        weights.expect(Task::Detection)?;
        Ok(Self {
            sizes: Sizes::new(weights, precision),
            candidates: Vec::new(),
        })
    }

    /// Works on a picture with so many threads, at least one, of rayon's pool.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.sizes.set_threads(threads);
        self
    }

    /// What the weights say about themselves.
    pub fn metadata(&self) -> &emotion_models::Metadata {
        self.sizes.metadata()
    }

    /// The faces in `picture`, the surest first.
    ///
    /// # Errors
    ///
    /// If the network cannot be run.
    pub fn detect(
        &mut self,
        picture: &impl GreyRows,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        self.candidates(picture, options)?;
        Ok(self.faces(options))
    }

    /// The faces in `area` of `picture`, the surest first, in pixels of the picture. The network sees the area at
    /// `scale`, its pixels per pixel of the picture, whatever the options say about the detection size and tiles.
    ///
    /// # Errors
    ///
    /// If the network cannot be run.
    pub fn detect_in(
        &mut self,
        picture: &impl GreyRows,
        area: Region,
        scale: f32,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        self.candidates.clear();
        if let Some(part) = Options::part(Some(area), picture) {
            let look = Look::at(part, scale);
            self.look(picture, &look, options)?;
        }
        self.choose(options);
        Ok(self.faces(options))
    }

    /// The boxes in `picture` as exact as the network says them, the surest first; two of one face count once. How many
    /// there may be is not limited.
    ///
    /// # Errors
    ///
    /// If the network cannot be run.
    pub fn candidates(
        &mut self,
        picture: &impl GreyRows,
        options: &Options,
    ) -> Result<&[Candidate], Error> {
        self.candidates.clear();
        if let Some(part) = Options::part(options.region, picture) {
            for look in looks(part, options) {
                self.look(picture, &look, options)?;
            }
        }
        self.choose(options);
        Ok(&self.candidates)
    }

    /// Adds what the network sees.
    fn look(
        &mut self,
        picture: &impl GreyRows,
        look: &Look,
        options: &Options,
    ) -> Result<(), Error> {
        let whole = Part::whole(picture);
        let seen = self.sizes.look(picture, look)?;
        let found = seen.candidates(options.threshold);
        let is_sure = |candidate: &Candidate| {
            let Region { width, height, .. } = candidate.region;
            options.min_size_px > 0 || width.max(height) >= SURE_FACE
        };
        let found = found
            .filter(is_sure)
            .map(|candidate| look.in_picture(candidate));
        self.candidates.extend(
            found.filter(|candidate| {
                options.wants(&candidate.region) && !look.cuts(candidate, whole)
            }),
        );
        Ok(())
    }

    /// Leaves one candidate for each face.
    fn choose(&mut self, options: &Options) {
        let surest = |a: &Candidate, b: &Candidate| b.confidence.total_cmp(&a.confidence);
        if self.candidates.len() > MOST_CANDIDATES {
            self.candidates
                .select_nth_unstable_by(MOST_CANDIDATES, surest);
            self.candidates.truncate(MOST_CANDIDATES);
        }
        self.candidates.sort_by(surest);
        suppress(&mut self.candidates, options.overlap);
    }

    fn faces(&self, options: &Options) -> Vec<DetectedFace> {
        let mut faces = self.candidates.iter().map(Candidate::face).collect();
        options.limit(&mut faces);
        faces
    }
}
