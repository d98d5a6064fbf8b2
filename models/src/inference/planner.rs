//! From a folded network to its steps: which slots they read and write, and which of them compute in integers.

use super::convolution::Convolution;
use super::fuse::{Group, groups};
use super::integer::{IntegerStep, Places, Scales, can_be_integer};
use super::step::{Conversion, FloatStep, Rounding, Step, Work};
use crate::Instructions;
use crate::graph::{ActivationScale, FoldedNetwork, Graph, Node, Op, Quantization};
use crate::kernels::Map;
use crate::precision::Precision;

/// The slots of a node's output, as floats and as integers.
#[derive(Debug, Default, Clone, Copy)]
struct Place {
    float: Option<usize>,
    bytes: Option<usize>,
}

/// A plan in the making.
pub(super) struct Planner<'a> {
    network: &'a FoldedNetwork,
    /// None where nothing is to be computed in integers.
    quantization: Option<&'a Quantization>,
    instructions: Instructions,
    /// That of the floats.
    precision: Precision,
    pub(super) floats: SlotPool<Map>,
    /// Each with the zero point of its border.
    pub(super) bytes: SlotPool<(Map, u8)>,
    places: Vec<Place>,
    pub(super) steps: Vec<Step>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        network: &'a FoldedNetwork,
        instructions: Instructions,
        precision: Precision,
    ) -> Self {
        let nodes = network.graph().nodes();
        let is_integer = precision == Precision::Int8;
        let mut planner = Self {
            network,
            quantization: network.quantization().filter(|_| is_integer),
            instructions,
            // Where a network of integers computes in floats, it is for their precision.
            precision: if is_integer {
                Precision::F32
            } else {
                precision
            },
            floats: SlotPool::default(),
            bytes: SlotPool::default(),
            places: vec![Place::default(); nodes.len()],
            steps: Vec::new(),
        };
        planner.places[0].float = Some(planner.floats.take(Map::bordered(nodes[0].shape)));
        planner
    }

    /// Adds the steps of all groups.
    pub(super) fn push_all(&mut self) {
        let graph = self.network.graph();
        let groups = groups(graph);
        for (index, group) in groups.iter().enumerate() {
            let later = &groups[index + 1..];
            self.push(group, later);
            for read in reads(graph, group) {
                let mut later = later.iter();
                if !later.any(|later| reads(graph, later).any(|other| other == read)) {
                    self.give_back(read);
                }
            }
        }
    }

    /// Adds the step of a group.
    fn push(&mut self, group: &Group, later: &[Group]) {
        if self.push_integer(group).is_none() {
            self.push_float(group, later);
        }
    }

    /// Adds a step on integers; none if the group is none, or lacks a scale.
    fn push_integer(&mut self, group: &Group) -> Option<()> {
        let scales = self.scales(group)?;
        let network = self.network;
        let node = &network.graph().nodes()[group.node];
        let factors = match node.op {
            Op::ScaleChannels => Some(self.float(node.inputs[1])),
            _ => None,
        };
        let add = match node.op {
            Op::Add(_) => Some(node.inputs[1]),
            _ => group.add,
        };
        let places = Places {
            from: self.bytes(node.inputs[0]),
            factors,
            add: add.map(|add| self.bytes(add)),
            to: self.byte_slot(group.output, scales.output),
        };
        let step = IntegerStep::new(network, node, scales, places, self.instructions);
        self.add(group, Work::Integer(step?));
        Some(())
    }

    /// The scales of a group that can be computed in integers.
    fn scales(&self, group: &Group) -> Option<Scales> {
        let quantization = self.quantization?;
        let nodes = self.network.graph().nodes();
        let node = &nodes[group.node];
        let scale = |index: usize| quantization.activations.get(&nodes[index].name).copied();
        let is_integer = match node.op {
            Op::Conv2d(_) => quantization.is_integer(node) && !group.averages,
            Op::SeparableConv2d(_) => {
                let between = Quantization::between(node);
                quantization.is_integer(node) && quantization.activations.contains_key(&between)
            }
            ref op => can_be_integer(op) && self.places[node.inputs[0]].bytes.is_some(),
        };
        let add = match node.op {
            Op::Add(_) => Some(node.inputs[1]),
            _ => group.add,
        };
        let add = match add {
            Some(add) => Some(scale(add)?),
            None => None,
        };
        is_integer.then_some(Scales {
            input: scale(node.inputs[0])?,
            add,
            output: scale(group.output)?,
        })
    }

    /// Adds a step on floats.
    fn push_float(&mut self, group: &Group, later: &[Group]) {
        let network = self.network;
        let graph = network.graph();
        let nodes = graph.nodes();
        let node = &nodes[group.node];
        let output = Map::bordered(nodes[group.output].shape);
        if node.op == Op::GlobalAverage
            && let Some(from) = self.places[node.inputs[0]].bytes
            && let Some(scale) = self.scale(node.inputs[0])
        {
            let to = self.floats.take(output);
            self.places[group.output].float = Some(to);
            let map = Map::bordered(nodes[node.inputs[0]].shape);
            let means = Conversion {
                from,
                to,
                map,
                scale,
            };
            self.add(group, Work::Means(means));
            return;
        }
        let from = node.inputs.iter().map(|&input| self.float(input)).collect();
        let add = group.add.map(|other| self.float(other));
        let convolution = Convolution::new(
            network,
            node,
            group.averages,
            self.instructions,
            self.precision,
        );
        // A result that only integers are computed from is rounded before it leaves the cache.
        let rounding = self.scale(group.output).filter(|_| {
            let mut readers = later
                .iter()
                .filter(|later| reads(graph, later).any(|read| read == group.output))
                .peekable();
            let reads_integers = |reader: &Group| {
                let Node { op, inputs, .. } = &nodes[reader.node];
                let is_factor = *op == Op::ScaleChannels && inputs[1] == group.output;
                self.scales(reader).is_some() && !is_factor
            };
            readers.peek().is_some() && readers.all(reads_integers)
        });
        let rounding = rounding.map(|scale| Rounding {
            to: self.byte_slot(group.output, scale),
            scale,
        });
        let to = match rounding {
            Some(_) => None,
            None => Some(self.floats.take(output)),
        };
        self.places[group.output].float = to;
        let step = FloatStep {
            node: node.name.clone(),
            op: node.op,
            convolution,
            input: Map::bordered(nodes[node.inputs[0]].shape),
            from,
            add,
            relu: group.relu,
            output,
            to,
            rounding,
        };
        self.add(group, Work::Float(Box::new(step)));
    }

    fn add(&mut self, group: &Group, work: Work) {
        let graph = self.network.graph();
        self.steps.push(Step {
            name: graph.nodes()[group.output].name.clone(),
            multiply_adds: graph.multiply_adds_of(group.node),
            work,
        });
    }

    fn scale(&self, node: usize) -> Option<ActivationScale> {
        let name = &self.network.graph().nodes()[node].name;
        self.quantization?.activations.get(name).copied()
    }

    /// The slot of floats with a node's output, which is converted if need be.
    pub(super) fn float(&mut self, node: usize) -> usize {
        if let Some(slot) = self.places[node].float {
            return slot;
        }
        let map = self.map(node);
        let to = self.floats.take(map);
        self.places[node].float = Some(to);
        if let (Some(from), Some(scale)) = (self.places[node].bytes, self.scale(node)) {
            self.convert(node, Work::Dequantize, from, to, scale);
        }
        to
    }

    /// The slot of bytes with a node's output, which is converted if need be.
    fn bytes(&mut self, node: usize) -> usize {
        if let Some(slot) = self.places[node].bytes {
            return slot;
        }
        let scale = self.scale(node).unwrap_or(ActivationScale {
            scale: 1.0,
            zero_point: 0,
        });
        let from = self.float(node);
        let to = self.byte_slot(node, scale);
        self.convert(node, Work::Quantize, from, to, scale);
        to
    }

    fn convert(
        &mut self,
        node: usize,
        work: impl Fn(Conversion) -> Work,
        from: usize,
        to: usize,
        scale: ActivationScale,
    ) {
        let conversion = Conversion {
            from,
            to,
            map: self.map(node),
            scale,
        };
        self.steps.push(Step {
            name: self.network.graph().nodes()[node].name.clone(),
            multiply_adds: 0,
            work: work(conversion),
        });
    }

    /// Takes a slot of bytes for a node's output.
    fn byte_slot(&mut self, node: usize, scale: ActivationScale) -> usize {
        let slot = self.bytes.take((self.map(node), scale.zero_point));
        self.places[node].bytes = Some(slot);
        slot
    }

    fn map(&self, node: usize) -> Map {
        Map::bordered(self.network.graph().nodes()[node].shape)
    }

    /// Gives back the slots of a node's output.
    fn give_back(&mut self, node: usize) {
        let Place { float, bytes } = self.places[node];
        if let Some(slot) = float {
            self.floats.give_back(slot);
        }
        if let Some(slot) = bytes {
            self.bytes.give_back(slot);
        }
    }
}

/// The nodes whose outputs a group reads.
fn reads(graph: &Graph, group: &Group) -> impl Iterator<Item = usize> {
    let inputs = &graph.nodes()[group.node].inputs;
    inputs.iter().copied().chain(group.add)
}

/// SlotPool that are taken and given back, each for values of one kind `K`.
pub(super) struct SlotPool<K> {
    pub(super) slots: Vec<K>,
    free: Vec<usize>,
}

impl<K> Default for SlotPool<K> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<K: Copy + PartialEq> SlotPool<K> {
    /// A slot for maps of this kind: what others have left there, the border above all, fits.
    fn take(&mut self, kind: K) -> usize {
        match self.free.iter().position(|&slot| self.slots[slot] == kind) {
            Some(place) => self.free.swap_remove(place),
            None => {
                self.slots.push(kind);
                self.slots.len() - 1
            }
        }
    }

    fn give_back(&mut self, slot: usize) {
        // An operation may read a node twice.
        if !self.free.contains(&slot) {
            self.free.push(slot);
        }
    }
}
