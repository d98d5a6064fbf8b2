//! Batch norms folded into the convolutions in front of them, as a trained network is served and exported.
//!
//! The result is exact but for rounding.

use std::collections::HashMap;

use super::nodes::{Error, Graph, Node};
use super::operation::{Activation, BatchNormConfig, Op};
use super::quantization::Quantization;

/// A trained network without batch norms: its convolutions have biases and activations instead.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldedNetwork {
    graph: Graph,
    values: HashMap<String, Vec<f32>>,
    quantization: Option<Quantization>,
}

impl FoldedNetwork {
    /// A network without batch norms, with the values of each parameter by name, and perhaps its integers.
    ///
    /// # Errors
    ///
    /// If a parameter is missing, or a scale that the integers need.
    pub fn new<'a>(
        graph: Graph,
        values: impl Fn(&str) -> Option<&'a [f32]>,
        quantization: Option<Quantization>,
    ) -> Result<Self, Error> {
        let parameters = graph.parameters().into_iter();
        let values = parameters.map(|parameter| match values(&parameter.name) {
            Some(values) => Ok((parameter.name, values.to_vec())),
            None => Err(Error::Parameter(parameter.name)),
        });
        let values = values.collect::<Result<_, _>>()?;
        if let Some(quantization) = &quantization {
            quantization.check(&graph)?;
        }
        Ok(Self {
            graph,
            values,
            quantization,
        })
    }

    /// The operations.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The values of a parameter of `node`, such as `weight`, row-major in the shape that [`Graph::parameters_of`] gives;
    /// empty if the node has no such parameter.
    pub fn values(&self, node: &Node, parameter: &str) -> &[f32] {
        let values = self.values.get(&format!("{}.{parameter}", node.name));
        values.map_or(&[], Vec::as_slice)
    }

    /// Its integers, if it has some.
    pub fn quantization(&self) -> Option<&Quantization> {
        self.quantization.as_ref()
    }
}

impl Graph {
    /// The same without batch norms: the convolutions in front of them have a bias and their activation.
    ///
    /// # Errors
    ///
    /// If a batch norm does not follow a convolution of its own without activation.
    pub fn without_norms(&self) -> Result<Self, Error> {
        Ok(self.split_norms()?.0)
    }

    /// The graph without batch norms, and for each node its index there; a norm has that of its convolution.
    fn split_norms(&self) -> Result<(Self, Vec<usize>), Error> {
        let mut graph = Self::new(self.input_shape());
        let mut places = vec![0];
        for (index, node) in self.nodes().iter().enumerate().skip(1) {
            let inputs: Vec<usize> = node.inputs.iter().map(|&input| places[input]).collect();
            let Op::BatchNorm(config) = node.op else {
                places.push(graph.push(&node.name, node.op, &inputs)?);
                continue;
            };
            let is_foldable = self.reads(index, node.inputs[0]) == (1, 1);
            if !is_foldable || !take_up(&mut graph.nodes[inputs[0]].op, config) {
                return Err(Error::BatchNorm(node.name.clone()));
            }
            places.push(inputs[0]);
        }
        Ok((graph, places))
    }

    /// Folds the batch norms, with the values of each parameter by name.
    ///
    /// # Errors
    ///
    /// If a parameter is missing, or a batch norm does not follow a convolution of its own without activation.
    pub fn fold<'a>(
        &self,
        values: impl Fn(&str) -> Option<&'a [f32]>,
    ) -> Result<FoldedNetwork, Error> {
        let get = |name: String| match values(&name) {
            Some(values) => Ok((name, values.to_vec())),
            None => Err(Error::Parameter(name)),
        };
        let (graph, places) = self.split_norms()?;
        let mut folded = HashMap::new();
        for (index, node) in self.nodes().iter().enumerate() {
            let Op::BatchNorm(config) = node.op else {
                for parameter in self.parameters_of(index) {
                    let (name, values) = get(parameter.name)?;
                    folded.insert(name, values);
                }
                continue;
            };
            let before = &graph.nodes[places[index]];
            let path = |parameter: &str| before.op.kernel(&before.name, parameter);
            let parameter = |part: &str| Ok(get(format!("{}.{part}", node.name))?.1);
            let norm = Norm {
                weight: parameter("weight")?,
                bias: parameter("bias")?,
                mean: parameter("running_mean")?,
                variance: parameter("running_var")?,
                eps: config.eps,
            };
            let mut bias = folded.remove(&path("bias")).unwrap_or_default();
            if let Some(weight) = folded.get_mut(&path("weight")) {
                norm.fold_into(weight, &mut bias);
            }
            folded.insert(path("bias"), bias);
        }
        Ok(FoldedNetwork {
            graph,
            values: folded,
            quantization: None,
        })
    }
}

/// Gives a convolution the bias and the activation of the batch norm behind it, or returns false: it is no convolution, or
/// has an activation already.
fn take_up(op: &mut Op, norm: BatchNormConfig) -> bool {
    if op.activation() != Activation::Linear {
        return false;
    }
    match op {
        Op::Conv2d(config) => (config.bias, config.activation) = (true, norm.activation),
        Op::SeparableConv2d(config) => (config.bias, config.activation) = (true, norm.activation),
        _ => return false,
    }
    true
}

/// The parameters of a batch norm in inference, each `[channels]`.
struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    mean: Vec<f32>,
    variance: Vec<f32>,
    eps: f64,
}

impl Norm {
    /// Makes a convolution with `weight` `[channels, …]` and `bias` (empty: zeros) give what the norm gives behind it: with
    /// `s = weight / √(variance + ε)`, its weights are `s · w` and its biases `s · (b − mean) + bias`, in double precision
    /// until they are stored.
    fn fold_into(&self, weight: &mut [f32], bias: &mut Vec<f32>) {
        let channels = self.weight.len();
        bias.resize(channels, 0.0);
        let filters = weight.chunks_exact_mut(weight.len() / channels);
        for (c, (filter, bias)) in filters.zip(bias).enumerate() {
            let deviation = (f64::from(self.variance[c]) + self.eps).sqrt();
            let scale = f64::from(self.weight[c]) / deviation;
            for weight in filter {
                *weight = (f64::from(*weight) * scale) as f32;
            }
            let centred = f64::from(*bias) - f64::from(self.mean[c]);
            *bias = (scale * centred + f64::from(self.bias[c])) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::operation::Conv2dConfig;
    use super::*;

    #[test]
    fn the_folded_kernel_gives_the_norm_of_the_kernels_result() {
        let (mut weight, mut bias) = (vec![1.0, 2.0, 3.0, 4.0], vec![0.5, -1.0]);
        let norm = Norm {
            weight: vec![3.0, 1.0],
            bias: vec![0.0, 10.0],
            mean: vec![0.5, 1.0],
            variance: vec![3.0, 15.0],
            eps: 1.0,
        };
        norm.fold_into(&mut weight, &mut bias);
        // Scales: 3 / √4 and 1 / √16.
        assert_eq!(weight, [1.5, 3.0, 0.75, 1.0]);
        assert_eq!(bias, [0.0, 9.5]);
    }

    fn fold(graph: &Graph) -> Result<FoldedNetwork, Error> {
        graph.fold(|_| Some(&[1.0; 4]))
    }

    #[test]
    fn a_folded_network_is_a_graph_whose_convolutions_have_biases_and_activations() {
        let mut graph = Graph::new([8, 8, 1]);
        let conv = Conv2dConfig {
            bias: false,
            ..Conv2dConfig::pointwise(4)
        };
        let xs = graph.conv("conv", 0, conv).unwrap();
        let xs = graph.norm("norm", xs, Activation::Relu).unwrap();
        graph.push("average", Op::GlobalAverage, &[xs]).unwrap();
        let folded = fold(&graph).unwrap();
        let [_, conv, average] = folded.graph().nodes() else {
            panic!("{folded:?}");
        };
        let expected = Conv2dConfig {
            activation: Activation::Relu,
            ..Conv2dConfig::pointwise(4)
        };
        assert_eq!(conv.op, Op::Conv2d(expected));
        assert_eq!(average.inputs, [1]);
        for parameter in folded.graph().parameters() {
            let name = parameter.name.strip_prefix("conv.").unwrap();
            assert_eq!(folded.values(conv, name).len(), parameter.len());
        }
        assert!(folded.values(average, "weight").is_empty());
    }

    #[test]
    fn a_norm_of_anything_but_a_convolution_of_its_own_is_refused() {
        let mut graph = Graph::new([8, 8, 4]);
        graph.norm("norm", 0, Activation::Relu).unwrap();
        let error = fold(&graph).unwrap_err();
        let expected = "norm: a batch norm must follow a convolution of its own";
        assert_eq!(error.to_string(), expected);

        let mut graph = Graph::new([8, 8, 1]);
        let conv = Conv2dConfig {
            activation: Activation::Relu,
            ..Conv2dConfig::pointwise(4)
        };
        let conv = graph.conv("conv", 0, conv).unwrap();
        graph.norm("norm", conv, Activation::Linear).unwrap();
        assert_eq!(fold(&graph), Err(Error::BatchNorm("norm".to_owned())));
    }
}
