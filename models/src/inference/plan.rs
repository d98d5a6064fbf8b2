//! From a folded network to the steps that compute it.

use aligned_vec::{AVec, avec};

use super::fuse::{Layer, Tail, fuse};
use super::steps::{Dense, Head, Separable, Step, Work};
use super::{Buffers, Precision, Scratch};
use crate::Instructions;
use crate::graph::folding::{Folded, FoldedNode, FoldedOp, Kernel};
use crate::kernels::bf16::PairedWeights;
use crate::kernels::map::Map;
use crate::kernels::{PackedWeights, TAPS};
use crate::layers::Padding;
use crate::training::convolution::taps_first;

/// Values that lie between the halves of a separable convolution: a third of a usual innermost cache, so that weights
/// and the rows that they meet fit as well.
const SCRATCH: usize = 4096;

/// The steps of a network, and what memory they need.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) instructions: Instructions,
    pub(super) precision: Precision,
    /// `[H, W, C]` of a face.
    pub(super) input: [usize; 3],
    /// Values of all outputs.
    pub(super) logits: usize,
    steps: Vec<Step>,
    /// What each slot holds; the first holds the face.
    slots: Vec<Map>,
    /// What the outputs are and the slots that hold them.
    outputs: Vec<(Map, usize)>,
    scratch: usize,
    pairs: usize,
}

impl Plan {
    pub(super) fn new(network: &Folded, instructions: Instructions, precision: Precision) -> Self {
        let nodes = network.nodes();
        let layers = fuse(nodes);
        let mut memory = Memory::default();
        // Where the output of each node is.
        let mut places = vec![0; nodes.len()];
        places[0] = memory.take(Map(nodes[0].shape));
        let mut steps = Vec::with_capacity(layers.len());
        for (index, layer) in layers.iter().enumerate() {
            let output = Map(nodes[layer.output].shape);
            places[layer.output] = memory.take(output);
            steps.push(Step {
                name: nodes[layer.output].name.clone(),
                multiply_adds: multiply_adds(layer, nodes),
                work: work(layer, nodes, instructions, precision),
                input: Map(nodes[layer.input].shape),
                from: places[layer.input],
                add: layer.add.map(|other| places[other]),
                relu: layer.relu,
                output,
                to: places[layer.output],
            });
            for read in layer.reads() {
                if !layers[index + 1..]
                    .iter()
                    .any(|later| later.reads().any(|r| r == read))
                {
                    memory.give_back(places[read]);
                }
            }
        }
        let outputs = network.outputs().into_iter();
        let outputs: Vec<_> = outputs
            .map(|index| (Map(nodes[index].shape), places[index]))
            .collect();
        Self {
            instructions,
            precision,
            input: nodes[0].shape,
            logits: outputs.iter().map(|(map, _)| map.size()).sum(),
            scratch: steps.iter().map(Step::scratch).max().unwrap_or(0),
            pairs: steps.iter().map(Step::pairs).max().unwrap_or(0),
            steps,
            slots: memory.slots,
            outputs,
        }
    }

    /// Room for one face.
    pub(super) fn buffers(&self) -> Buffers {
        Buffers {
            slots: self.slots.iter().map(|map| avec![0.0; map.len()]).collect(),
            scratch: vec![self.scratch()],
        }
    }

    /// What a thread needs for itself.
    pub(super) fn scratch(&self) -> Scratch {
        Scratch {
            values: avec![0.0; self.scratch],
            pairs: avec![0; self.pairs],
        }
    }

    /// The steps in their order, to be run one by one.
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Computes the logits of one face.
    pub(super) fn run(&self, buffers: &mut Buffers, face: &[f32], logits: &mut [f32]) {
        let input = Map(self.input);
        let rows = face.chunks_exact(input.row());
        for (to, from) in input.rows_mut(&mut buffers.slots[0]).zip(rows) {
            to.copy_from_slice(from);
        }
        self.run_prepared(buffers, logits);
    }

    /// The same of the face in the first slot.
    pub(super) fn run_prepared(&self, buffers: &mut Buffers, logits: &mut [f32]) {
        for step in &self.steps {
            step.run(self.instructions, buffers);
        }
        let mut logits = logits;
        for &(map, slot) in &self.outputs {
            for row in map.rows(&buffers.slots[slot]) {
                let (here, rest) = logits.split_at_mut(row.len());
                here.copy_from_slice(row);
                logits = rest;
            }
        }
    }
}

fn multiply_adds(layer: &Layer<'_>, nodes: &[FoldedNode]) -> u64 {
    let [height, width, channels] = layer.node.shape;
    let channels_in = nodes[layer.input].shape[2];
    let per_pixel = match layer.node.op {
        FoldedOp::Conv2d { kernel, .. } => kernel * kernel * channels_in * channels,
        FoldedOp::SeparableConv2d { .. } => (TAPS + channels) * channels_in,
        _ => 0,
    };
    (height * width * per_pixel) as u64
}

/// What a layer has to do, with its weights in the order in which the loops read them.
fn work(
    layer: &Layer<'_>,
    nodes: &[FoldedNode],
    instructions: Instructions,
    precision: Precision,
) -> Work {
    let channels_in = nodes[layer.input].shape[2];
    let [height, width, channels] = layer.node.shape;
    let dense = |kernel: &Kernel, taps, stride, before| {
        let channels = [channels, channels_in];
        let weights = if stride == 1 {
            PackedWeights::for_rows(instructions, &kernel.weight, channels, taps, width)
        } else {
            PackedWeights::new(instructions, &kernel.weight, channels, taps)
        };
        // With larger strides most of the rounded inputs would meet no weight.
        let is_paired = stride == 1 && precision == Precision::Bf16;
        Dense {
            bias: weights.pad_bias(&kernel.bias),
            pairs: is_paired.then(|| PairedWeights::new(&weights)).flatten(),
            weights,
            stride,
            before,
        }
    };
    match &layer.node.op {
        FoldedOp::Conv2d {
            kernel,
            stride,
            padding,
            weights,
            ..
        } => {
            if layer.tail == Some(Tail::Average) {
                return Work::Head(Head::new(
                    weights,
                    *kernel,
                    [channels, channels_in],
                    instructions,
                ));
            }
            let before = match padding {
                Padding::Valid => 0,
                Padding::Same => (kernel - 1) / 2,
            };
            Work::Dense(dense(weights, *kernel, *stride, before))
        }
        FoldedOp::SeparableConv2d {
            stride,
            depthwise,
            pointwise,
            ..
        } => Work::Separable(Separable {
            taps: AVec::from_slice(0, &taps_first(depthwise)),
            stride: *stride,
            rows: (SCRATCH / (width * channels_in)).clamp(1, height),
            pointwise: dense(pointwise, 1, 1, 0),
        }),
        FoldedOp::MaxPool => Work::MaxPool,
        FoldedOp::Upsample => Work::Upsample,
        FoldedOp::GlobalAverage => Work::Average,
        // The input is a layer of nothing.
        FoldedOp::Add(_) | FoldedOp::Input => Work::Add,
    }
}

/// Slots that are taken and given back.
#[derive(Default)]
struct Memory {
    slots: Vec<Map>,
    free: Vec<usize>,
}

impl Memory {
    /// A slot for maps of this shape: what others have left there, the border of zeros above all, fits.
    fn take(&mut self, map: Map) -> usize {
        match self.free.iter().position(|&slot| self.slots[slot] == map) {
            Some(place) => self.free.swap_remove(place),
            None => {
                self.slots.push(map);
                self.slots.len() - 1
            }
        }
    }

    fn give_back(&mut self, slot: usize) {
        self.free.push(slot);
    }
}
