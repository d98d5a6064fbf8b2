//! The steps of training and their order, found out once from the graph.

use std::ops::Range;

use candle_core::{Result, bail};

use super::convolution::ConvolutionGeometry;
use crate::graph::{Activation, BatchNormConfig, Graph, Op, Parameter};

/// A parameter's place among the values of its kind.
#[derive(Debug, Clone)]
pub struct Slot {
    /// The parameter.
    pub parameter: Parameter,
    /// Where its values stand.
    pub range: Range<usize>,
}

/// The steps of a network. A step is a convolution together with its batch norm, or another node by itself; its index
/// is that of its output.
#[derive(Debug)]
pub(super) struct TrainingPlan {
    pub(super) steps: Vec<TrainingStep>,
    /// The steps whose outputs, one after the other, are the logits.
    pub(super) outputs: Vec<usize>,
    pub(super) trained: Vec<Slot>,
    pub(super) statistics: Vec<Slot>,
    /// The number of buffers for gradients.
    pub(super) buffers: usize,
    /// The number of sums over gradients that all norms need together.
    pub(super) norm_sums: usize,
}

#[derive(Debug)]
pub(super) struct TrainingStep {
    pub(super) op: Op,
    /// Its shapes and parameters, if it is a convolution.
    pub(super) kernel: Option<Kernel>,
    pub(super) inputs: Vec<Input>,
    /// `[H, W, C]` of the output.
    pub(super) shape: [usize; 3],
    /// The buffer in which the gradient of the output is gathered.
    pub(super) buffer: usize,
    /// The steps whose gradient is whole as soon as that of this one is, because it is the same.
    pub(super) finishes: Vec<usize>,
}

/// A convolution and the places of its parameters.
#[derive(Debug)]
pub(super) struct Kernel {
    pub(super) shape: ConvolutionGeometry,
    pub(super) weights: Range<usize>,
    pub(super) bias: Option<Range<usize>>,
    pub(super) norm: Option<Norm>,
}

/// A batch norm. The workspace stores its input; a reader normalises it.
#[derive(Debug)]
pub(super) struct Norm {
    pub(super) weight: Range<usize>,
    pub(super) bias: Range<usize>,
    pub(super) mean: Range<usize>,
    pub(super) variance: Range<usize>,
    pub(super) config: BatchNormConfig,
    /// Where its two rows of sums begin.
    pub(super) sums: usize,
}

/// A step that another one reads.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) step: usize,
    /// Another reader has written a gradient already; this one adds to it.
    pub(super) accumulates: bool,
    /// No other reader comes after this one in the backward pass.
    pub(super) is_last: bool,
}

impl TrainingStep {
    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    pub(super) fn norm(&self) -> Option<&Norm> {
        self.kernel.as_ref()?.norm.as_ref()
    }

    /// Whether what is stored is the output of a ReLU.
    pub(super) fn is_rectified(&self) -> bool {
        self.op.activation() == Activation::Relu
    }
}

impl TrainingPlan {
    /// The number of logits of a sample.
    pub(super) fn logits(&self) -> usize {
        let lengths = self.outputs.iter().map(|&index| self.steps[index].len());
        lengths.sum()
    }

    pub(super) fn new(graph: &Graph) -> Result<Self> {
        let (trained, statistics): (Vec<_>, Vec<_>) = graph
            .parameters()
            .into_iter()
            .partition(|parameter| parameter.trained);
        let mut plan = Self {
            steps: Vec::new(),
            outputs: Vec::new(),
            trained: slots(trained),
            statistics: slots(statistics),
            buffers: 0,
            norm_sums: 0,
        };
        // The step that computes each node.
        let mut step_of = Vec::new();
        for (index, node) in graph.nodes().iter().enumerate() {
            let inputs: Vec<usize> = node.inputs.iter().map(|&input| step_of[input]).collect();
            if let Op::BatchNorm(config) = node.op {
                let is_alone = graph.reads(index, node.inputs[0]) == (1, 1);
                plan.join_norm(inputs[0], &node.name, config, is_alone)?;
                step_of.push(inputs[0]);
                continue;
            }
            let input = node.inputs.first().map(|&input| graph.nodes()[input].shape);
            let shape =
                input.and_then(|input| ConvolutionGeometry::new(&node.op, input, node.shape));
            let inputs = inputs.into_iter().map(|step| Input {
                step,
                accumulates: false,
                is_last: false,
            });
            plan.steps.push(TrainingStep {
                op: node.op,
                kernel: shape.map(|shape| plan.kernel(shape, &node.name)),
                inputs: inputs.collect(),
                shape: node.shape,
                buffer: usize::MAX,
                finishes: Vec::new(),
            });
            step_of.push(plan.steps.len() - 1);
        }
        plan.outputs = graph.outputs().iter().map(|&node| step_of[node]).collect();
        plan.order_gradients()?;
        Ok(plan)
    }

    /// The parameters of a convolution; its weights are one or two parameters in a row.
    fn kernel(&self, shape: ConvolutionGeometry, node: &str) -> Kernel {
        let of_node = |names: &[&str]| {
            let of_node = self.trained.iter().filter(|slot| {
                let name = slot.parameter.name.strip_prefix(node).unwrap_or_default();
                names.contains(&name)
            });
            let ranges: Vec<_> = of_node.map(|slot| slot.range.clone()).collect();
            Some(ranges.first()?.start..ranges.last()?.end)
        };
        let weights = [".weight", ".depthwise.weight", ".pointwise.weight"];
        Kernel {
            shape,
            weights: of_node(&weights).unwrap_or_default(),
            bias: of_node(&[".bias", ".pointwise.bias"]),
            norm: None,
        }
    }

    /// Makes a batch norm part of the convolution before it.
    fn join_norm(
        &mut self,
        step: usize,
        name: &str,
        config: BatchNormConfig,
        is_alone: bool,
    ) -> Result<()> {
        let range = |slots, part| find(slots, &format!("{name}.{part}"));
        let joined = Norm {
            weight: range(&self.trained, "weight"),
            bias: range(&self.trained, "bias"),
            mean: range(&self.statistics, "running_mean"),
            variance: range(&self.statistics, "running_var"),
            config,
            sums: self.norm_sums,
        };
        self.norm_sums += 2 * joined.weight.len();
        let step = &mut self.steps[step];
        let is_plain = is_alone && !step.is_rectified();
        match &mut step.kernel {
            Some(Kernel {
                norm: norm @ None,
                bias: None,
                ..
            }) if is_plain => {
                *norm = Some(joined);
                Ok(())
            }
            _ => bail!(
                "{name}: a batch norm must be the only reader of a convolution without bias and activation"
            ),
        }
    }

    /// Assigns buffers to gradients, and decides which reader of an output adds to its gradient first and last.
    fn order_gradients(&mut self) -> Result<()> {
        let mut readers = vec![Vec::new(); self.steps.len()];
        for (reader, step) in self.steps.iter().enumerate() {
            for input in &step.inputs {
                readers[input.step].push(reader);
            }
        }
        for reader in (1..self.steps.len()).rev() {
            if self.steps[reader].buffer == usize::MAX {
                self.steps[reader].buffer = self.buffers;
                self.buffers += 1;
            }
            for i in 0..self.steps[reader].inputs.len() {
                let step = self.steps[reader].inputs[i].step;
                let (first, last) = (readers[step].last(), readers[step].first());
                let input = &mut self.steps[reader].inputs[i];
                input.accumulates = first != Some(&reader);
                input.is_last = last == Some(&reader);
                if matches!(self.steps[reader].op, Op::Add(_)) {
                    self.share_buffer(reader, i, &readers)?;
                }
            }
        }
        let is_end = |&index: &usize| {
            let step = &self.steps[index];
            step.norm().is_none() && !step.is_rectified() && !matches!(step.op, Op::Add(_))
        };
        if !self.outputs.iter().all(is_end) {
            bail!("a network must not end in a norm, an activation or a sum");
        }
        for step in &self.steps {
            if let [a, b] = &step.inputs[..]
                && !matches!(step.op, Op::Add(_))
                && self.steps[a.step].buffer == self.steps[b.step].buffer
            {
                bail!("{}: both inputs have the same gradient", step.op.kind());
            }
        }
        Ok(())
    }

    /// Both inputs of a sum have its gradient: they share its buffer.
    fn share_buffer(&mut self, sum: usize, i: usize, readers: &[Vec<usize>]) -> Result<()> {
        let Input {
            step,
            accumulates,
            is_last,
        } = self.steps[sum].inputs[i];
        let other = self.steps[sum].inputs[1 - i].step;
        // Who adds to the buffer on behalf of the one input must come after the other input has read it.
        let is_safe = |&reader: &usize| reader == sum || reader < other;
        if accumulates || step == other || !readers[step].iter().all(is_safe) {
            bail!("the inputs of a sum must not be read between it and them");
        }
        self.steps[step].buffer = self.steps[sum].buffer;
        if is_last {
            self.steps[sum].finishes.push(step);
        }
        Ok(())
    }
}

fn slots(parameters: Vec<Parameter>) -> Vec<Slot> {
    let mut start = 0;
    parameters
        .into_iter()
        .map(|parameter| {
            let range = start..start + parameter.len();
            start = range.end;
            Slot { parameter, range }
        })
        .collect()
}

fn find(slots: &[Slot], name: &str) -> Range<usize> {
    slots
        .iter()
        .find(|slot| slot.parameter.name == name)
        .map_or(0..0, |slot| slot.range.clone())
}
