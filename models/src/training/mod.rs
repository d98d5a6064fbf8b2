//! Training as one operation of Candle: all steps of a network forward, then backward, without a tape.
//!
//! Candle differentiates layer by layer. Each operation stores its output, and each gradient is a new tensor that is
//! filled with zeros and added to; for networks of this size that moves more memory than the arithmetic needs. Here
//! the whole network is one operation with two arguments, the faces and all parameters in a row, so that the loss stays
//! Candle's business. Inside,
//!
//! - a convolution and its batch norm are one step, which stores the input of the norm; its readers normalise on the way;
//! - a sample passes through everything that a step does before the next sample follows, so that intermediate values stay
//!   in cache;
//! - the sums that the gradient of a norm needs are taken where the gradient is written;
//! - buffers are kept from step to step.
//!
//! A batch is computed in a fixed number of parts, so results do not depend on the number of threads.

mod backward;
mod convolution;
mod forward;
mod operations;
mod padding;
mod plan;
mod tensor;
mod workspace;

pub use plan::Slot;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use crate::graph::Graph;
use plan::TrainingPlan;
use tensor::{nhwc, read, values};
use workspace::Workspace;

/// A network in training. Its parameters are kept outside.
#[derive(Debug, Clone)]
pub struct TrainingExecutor {
    plan: Arc<TrainingPlan>,
    workspace: Arc<Mutex<Workspace>>,
}

impl TrainingExecutor {
    /// The steps of `graph`.
    ///
    /// # Errors
    ///
    /// If the operations are joined in a way that is not supported, such as a batch norm that does not follow a
    /// convolution.
    pub fn new(graph: &Graph) -> Result<Self> {
        Ok(Self {
            plan: Arc::new(TrainingPlan::new(graph)?),
            workspace: Arc::default(),
        })
    }

    /// The parameters that gradients move, and their places in a row.
    pub fn trained(&self) -> &[Slot] {
        &self.plan.trained
    }

    /// The running statistics, and their places in a row of their own.
    pub fn statistics(&self) -> &[Slot] {
        &self.plan.statistics
    }

    /// The logits `[N, classes]` of faces `[N, H, W, 1]` in training: norms use the statistics of the batch, and the
    /// gradient reaches `parameters`, which stand in a row as [`trained`](Self::trained) says. The backward pass must
    /// come before the next forward pass.
    ///
    /// # Errors
    ///
    /// If `faces` or `parameters` have another shape than this.
    pub fn forward(&self, faces: &Tensor, parameters: &Tensor) -> Result<Tensor> {
        let op = NetworkOp {
            network: self.clone(),
            pass: Mutex::default(),
        };
        faces.contiguous()?.apply_op2(parameters, op)
    }

    /// Moves running statistics, which stand in a row as [`statistics`](Self::statistics) says, by those of the last
    /// forward pass' batch.
    pub fn update_statistics(&self, statistics: &mut [f32]) {
        self.lock().update_statistics(&self.plan, statistics);
    }

    fn lock(&self) -> MutexGuard<'_, Workspace> {
        self.workspace
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

struct NetworkOp {
    network: TrainingExecutor,
    /// The forward pass whose values the backward pass needs.
    pass: Mutex<u64>,
}

impl NetworkOp {
    const NAME: &str = "network";
}

impl CustomOp2 for NetworkOp {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn cpu_fwd(
        &self,
        faces: &CpuStorage,
        fl: &Layout,
        parameters: &CpuStorage,
        pl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let plan = &self.network.plan;
        let (samples, height, width, channels) = nhwc(Self::NAME, fl)?;
        if [height, width, channels] != plan.steps[0].shape {
            bail!(
                "{}: expected faces [N, H, W, C] with {:?}, found {:?}",
                Self::NAME,
                plan.steps[0].shape,
                fl.dims()
            );
        }
        let faces = values(Self::NAME, faces, fl)?;
        let parameters = values(Self::NAME, parameters, pl)?;
        let expected = plan.trained.last().map_or(0, |slot| slot.range.end);
        if parameters.len() != expected {
            bail!(
                "{}: expected {expected} parameters, found {}",
                Self::NAME,
                parameters.len()
            );
        }
        let mut workspace = self.network.lock();
        workspace.forward(plan, faces, parameters);
        *self.pass.lock().unwrap_or_else(PoisonError::into_inner) = workspace.passes;
        let logits = workspace.logits(plan);
        let shape = (samples, logits.len() / samples);
        Ok((CpuStorage::F32(logits), shape.into()))
    }

    fn bwd(
        &self,
        _: &Tensor,
        parameters: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut workspace = self.network.lock();
        if workspace.passes != *self.pass.lock().unwrap_or_else(PoisonError::into_inner) {
            bail!(
                "{}: another forward pass came before the backward pass",
                Self::NAME
            );
        }
        let dy = dy.contiguous()?;
        let count = parameters.elem_count();
        let dyv = read(Self::NAME, &dy);
        let gradient = workspace.backward(&self.network.plan, dyv.get()?, count);
        let gradient = Tensor::from_vec(gradient, parameters.shape(), parameters.device())?;
        Ok((None, Some(gradient)))
    }
}
