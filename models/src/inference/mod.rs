//! Inference without tensors: faces in, logits out, nothing allocated between.
//!
//! When weights are loaded, the network becomes a list of steps. Batch norms are [folded](crate::graph::Graph::fold) into
//! the convolutions in front of them; activations and additions happen where an operation stores its output; the two
//! halves of a separable convolution take turns row by row, so that the values between them stay in the innermost cache; a
//! convolution in front of the global average becomes a product of sums. Every activation has a border of zeros around
//! it, and shapes that recur share their memory.
//!
//! The loops run on the [instructions](crate::Instructions) of the machine. On all of them the logits agree to 1e-4 with
//! plain Candle operations, the oracle of the tests, in [`Precision::F32`].

mod convolution;
mod fuse;
mod integer;
mod memory;
mod operations;
mod plan;
mod planner;
mod step;

pub use crate::precision::Precision;

use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(feature = "rayon")]
use rayon::prelude::*;

use crate::Instructions;
use crate::graph::FoldedNetwork;
use crate::kernels::Map;
use crate::weights::{self, Weights};
use memory::Buffers;
use plan::Plan;

/// Why an executor could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The weights are unusable.
    #[error(transparent)]
    Weights(#[from] weights::Error),
    /// The input does not consist of whole faces.
    #[error("expected a multiple of {face} values ({height}×{width} a face), found {found}")]
    Faces {
        /// Height of a face.
        height: usize,
        /// Width of a face.
        width: usize,
        /// Values of a face.
        face: usize,
        /// Values given.
        found: usize,
    },
    /// The values grew beyond what a number can hold.
    #[error(
        "the network's answer is not a number: its weights are finite, but too large to compute with; choose other weights or retrain"
    )]
    NotFinite,
    /// The machine has no instructions for the precision.
    #[error("this machine cannot compute in {0}: choose f32")]
    Precision(Precision),
    /// The output has the wrong length.
    #[error("expected room for {expected} logits, found {found}")]
    Logits {
        /// Logits of all faces.
        expected: usize,
        /// Values given.
        found: usize,
    },
}

/// A network ready to run. A clone shares the weights and has buffers of its own.
#[derive(Debug, Clone)]
pub struct InferenceExecutor {
    plan: Arc<Plan>,
    /// Those of each thread.
    buffers: Vec<Buffers>,
}

/// A step and its time, from [`InferenceExecutor::profile`].
#[derive(Debug, Clone)]
pub struct StepTime {
    /// The node whose output it stores.
    pub name: String,
    /// Multiplications of a weight with an activation.
    pub multiply_adds: u64,
    /// The shortest time.
    pub time: Duration,
}

impl InferenceExecutor {
    /// The network of `weights` on the fastest instructions in the fastest precision, on one thread.
    ///
    /// # Errors
    ///
    /// If the weights cannot be put together.
    pub fn new(weights: &Weights) -> Result<Self, Error> {
        Self::with_precision(weights, weights.fastest_precision())
    }

    /// The same in this precision.
    ///
    /// # Errors
    ///
    /// As [`InferenceExecutor::new`], and if the machine has no instructions for the precision.
    pub fn with_precision(weights: &Weights, precision: Precision) -> Result<Self, Error> {
        if !precision.is_available() {
            return Err(Error::Precision(precision));
        }
        Self::planned(weights, Instructions::best(), precision)
    }

    /// The same on other instructions, in [`Precision::F32`].
    ///
    /// # Errors
    ///
    /// As [`InferenceExecutor::new`].
    pub fn with_instructions(weights: &Weights, instructions: Instructions) -> Result<Self, Error> {
        Self::planned(weights, instructions, Precision::F32)
    }

    fn planned(
        weights: &Weights,
        instructions: Instructions,
        precision: Precision,
    ) -> Result<Self, Error> {
        let network = weights.expect_precision(precision)?.folded()?;
        Ok(Self::from_network(&network, instructions, precision))
    }

    /// A network of any kind and size on these instructions. A precision that the machine or the network lacks becomes
    /// [`Precision::F32`].
    pub fn from_network(
        network: &FoldedNetwork,
        instructions: Instructions,
        precision: Precision,
    ) -> Self {
        let is_there = match precision {
            Precision::Int8 => network.quantization().is_some(),
            other => other.is_available(),
        };
        let precision = if is_there { precision } else { Precision::F32 };
        let plan = Plan::new(network, instructions, precision);
        Self {
            buffers: vec![plan.buffers()],
            plan: Arc::new(plan),
        }
    }

    /// Shares the faces of a call between this many threads of rayon's pool, at least one.
    #[cfg(feature = "rayon")]
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.buffers
            .resize_with(threads.max(1), || self.plan.buffers());
        self
    }

    /// Shares the rows of each face between this many threads of rayon's pool, at least one, which pays off for large
    /// pictures. The logits do not depend on their number.
    #[cfg(feature = "rayon")]
    #[must_use]
    pub fn with_threads_each(mut self, threads: usize) -> Self {
        for buffers in &mut self.buffers {
            let plan = &self.plan;
            buffers
                .scratch
                .resize_with(threads.max(1), || plan.scratch());
        }
        self
    }

    /// The instructions that it runs on.
    pub fn instructions(&self) -> Instructions {
        self.plan.instructions
    }

    /// The precision of its products.
    pub fn precision(&self) -> Precision {
        self.plan.precision
    }

    /// `[H, W, C]` of a face.
    pub fn input_shape(&self) -> [usize; 3] {
        self.plan.input
    }

    /// Logits of each face.
    pub fn classes(&self) -> usize {
        self.plan.logits
    }

    /// Bytes that the buffers of this instance take, without the weights, which clones share.
    pub fn memory(&self) -> usize {
        self.buffers.iter().map(Buffers::size).sum()
    }

    /// The time of each step for the face that was computed last, the shortest of `times` runs.
    pub fn profile(&mut self, times: usize) -> Vec<StepTime> {
        let plan = &*self.plan;
        let buffers = &mut self.buffers[0];
        let mut shortest = vec![Duration::MAX; plan.steps().len()];
        for _ in 0..times {
            for (step, shortest) in plan.steps().iter().zip(&mut shortest) {
                let started = Instant::now();
                step.run(plan.instructions, buffers);
                *shortest = started.elapsed().min(*shortest);
            }
        }
        let steps = plan.steps().iter().zip(shortest);
        steps
            .map(|(step, time)| StepTime {
                name: step.name.clone(),
                multiply_adds: step.multiply_adds,
                time,
            })
            .collect()
    }

    /// Computes a face, `[H, W, C]` in [-1, 1], and shows each activation that is stored on the way: the name that
    /// [`Quantization::activations`](crate::graph::Quantization::activations) has for it, its channels, and its values
    /// `[pixels, channels]`. Only in floats.
    ///
    /// # Errors
    ///
    /// If it is not one face.
    pub fn observe(
        &mut self,
        face: &[f32],
        mut see: impl FnMut(&str, usize, &[f32]),
    ) -> Result<(), Error> {
        let [height, width, channels] = self.plan.input;
        if face.len() != height * width * channels {
            return Err(Error::Faces {
                height,
                width,
                face: height * width * channels,
                found: face.len(),
            });
        }
        self.plan.observe(&mut self.buffers[0], face, &mut see);
        Ok(())
    }

    /// Where [`run_picture`](Self::run_picture) finds its picture: the values from its first pixel on, and the number of
    /// values from one row to the next. The values between the rows must stay zero.
    pub fn picture_mut(&mut self) -> (&mut [f32], usize) {
        let map = Map::bordered(self.plan.input);
        let [height, ..] = self.plan.input;
        let values = &mut self.buffers[0].slots[0][map.span(0, height)];
        (values, map.stride())
    }

    /// Writes the logits of the picture in [`picture_mut`](Self::picture_mut), which may be overwritten.
    ///
    /// # Errors
    ///
    /// If `logits` has another length than [`classes`](Self::classes).
    pub fn run_picture(&mut self, logits: &mut [f32]) -> Result<(), Error> {
        self.run_picture_wanted(logits, usize::MAX, |_, _| true)
    }

    /// The same for the first `always` outputs of the graph. `is_wanted` decides about the next eight, by the index of each
    /// and the logits of the first ones; those of an output that is not wanted are zero.
    ///
    /// # Errors
    ///
    /// As [`run_picture`](Self::run_picture).
    pub fn run_picture_wanted(
        &mut self,
        logits: &mut [f32],
        always: usize,
        is_wanted: impl Fn(usize, &[f32]) -> bool,
    ) -> Result<(), Error> {
        if logits.len() != self.plan.logits {
            return Err(Error::Logits {
                expected: self.plan.logits,
                found: logits.len(),
            });
        }
        let always = always.min(self.plan.outputs());
        let buffers = &mut self.buffers[0];
        self.plan.run_wanted(buffers, logits, always, is_wanted);
        Ok(())
    }

    /// Writes the logits, `[N, classes]`, of faces `[N, H, W, 1]` in [-1, 1]. On one thread nothing is allocated.
    ///
    /// # Errors
    ///
    /// If `faces` do not consist of whole faces, or `logits` has another length.
    pub fn run(&mut self, faces: &[f32], logits: &mut [f32]) -> Result<(), Error> {
        let [height, width, channels] = self.plan.input;
        let face = height * width * channels;
        if !faces.len().is_multiple_of(face) {
            return Err(Error::Faces {
                height,
                width,
                face,
                found: faces.len(),
            });
        }
        let (count, classes) = (faces.len() / face, self.plan.logits);
        if logits.len() != count * classes {
            return Err(Error::Logits {
                expected: count * classes,
                found: logits.len(),
            });
        }
        let plan = &*self.plan;
        let run = |buffers: &mut Buffers, faces: &[f32], logits: &mut [f32]| {
            let faces = faces.chunks_exact(face);
            for (face, logits) in faces.zip(logits.chunks_exact_mut(classes)) {
                plan.run(buffers, face, logits);
            }
        };
        #[cfg(feature = "rayon")]
        if self.buffers.len() > 1 {
            let share = count.div_ceil(self.buffers.len()).max(1);
            self.buffers
                .par_iter_mut()
                .zip(faces.par_chunks(share * face))
                .zip(logits.par_chunks_mut(share * classes))
                .for_each(|((buffers, faces), logits)| run(buffers, faces, logits));
            return Ok(());
        }
        run(&mut self.buffers[0], faces, logits);
        Ok(())
    }
}
