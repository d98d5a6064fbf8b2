//! Weights in memory.

use std::collections::BTreeMap;

use super::architecture::{Architecture, Task};
use super::error::Error;
use super::head::Head;
use super::metadata::Metadata;
use super::quantization_report::QuantizationReport;
use super::tensor::WeightTensors;
use crate::Instructions;
use crate::graph::{self, FoldedNetwork, Graph, Quantization, face_net};
use crate::precision::Precision;

/// Weights that fit their network: every parameter is there, in its shape, finite.
#[derive(Debug, Clone)]
pub struct Weights {
    metadata: Metadata,
    /// Of a quantised network those of the folded one, as floats.
    tensors: WeightTensors,
    pub(super) quantized: Option<(Quantization, QuantizationReport)>,
    /// The same network in integers, which [`Precision::Int8`] computes with.
    integers: Option<Box<Weights>>,
    file: String,
}

impl Weights {
    /// Weights from memory; `file` names them in errors.
    ///
    /// # Errors
    ///
    /// If a tensor is missing, superfluous, of another shape than the network's, or not finite.
    pub fn new(file: &str, metadata: Metadata, tensors: WeightTensors) -> Result<Self, Error> {
        let weights = Self {
            metadata,
            tensors,
            quantized: None,
            integers: None,
            file: file.to_owned(),
        };
        weights.check()?;
        Ok(weights)
    }

    /// Weights of a network in integers: the tensors are those of the folded network, those with integers in the values that
    /// these stand for.
    ///
    /// # Errors
    ///
    /// As [`Weights::new`], and if the integers do not fit the network.
    pub fn quantized(
        file: &str,
        metadata: Metadata,
        tensors: WeightTensors,
        quantization: Quantization,
        report: QuantizationReport,
    ) -> Result<Self, Error> {
        let weights = Self {
            metadata,
            tensors,
            quantized: Some((quantization, report)),
            integers: None,
            file: file.to_owned(),
        };
        weights.check()?;
        weights.folded()?;
        Ok(weights)
    }

    /// These weights for floats, and `integers`, which they were quantised to, for [`Precision::Int8`].
    pub(super) fn with_integers(self, integers: Self) -> Self {
        Self {
            integers: Some(Box::new(integers)),
            ..self
        }
    }

    /// Passes on weights of a network for this task.
    ///
    /// # Errors
    ///
    /// If they are of a network for another task.
    pub fn expect(&self, task: Task) -> Result<&Self, Error> {
        let found = self.metadata.architecture;
        if found.task() == task {
            return Ok(self);
        }
        let fitting = Architecture::ALL
            .into_iter()
            .filter(|architecture| architecture.task() == task);
        let names: Vec<&str> = fitting.map(Architecture::name).collect();
        Err(Error::Task {
            file: self.file.clone(),
            found,
            expected: names.join(" or "),
        })
    }

    /// The name of the file in errors.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// The description of the weights.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The tensors by name.
    pub fn tensors(&self) -> &WeightTensors {
        &self.tensors
    }

    /// The integers, if the network is quantised.
    pub fn quantization(&self) -> Option<&Quantization> {
        self.quantized
            .as_ref()
            .map(|(quantization, _)| quantization)
    }

    /// What quantising has changed, if the network is quantised.
    pub fn quantization_report(&self) -> Option<&QuantizationReport> {
        self.quantized.as_ref().map(|(_, report)| report)
    }

    /// The fastest precision for them on this machine. [`Precision::Int8`] only where the machine has instructions that make it
    /// the fastest, and where their [report](QuantizationReport) holds.
    pub fn fastest_precision(&self) -> Precision {
        let integers = self.expect_precision(Precision::Int8);
        let report = integers.ok().and_then(Self::quantization_report);
        let is_close = report.is_some_and(QuantizationReport::holds);
        if is_close && Instructions::best().multiplies_integers() {
            Precision::Int8
        } else {
            Precision::fastest()
        }
    }

    /// The weights to compute with in this precision: these or, for [`Precision::Int8`], the integers that they were quantised
    /// to.
    ///
    /// # Errors
    ///
    /// If it is [`Precision::Int8`] and there are no integers.
    pub fn expect_precision(&self, precision: Precision) -> Result<&Self, Error> {
        match (precision, &self.integers) {
            (Precision::Int8, Some(integers)) => Ok(integers),
            (Precision::Int8, None) if self.quantized.is_none() => Err(Error::NotQuantized {
                file: self.file.clone(),
            }),
            _ => Ok(self),
        }
    }

    /// Passes on weights that can be trained or quantised.
    ///
    /// # Errors
    ///
    /// If the network is quantised.
    pub fn expect_floats(&self) -> Result<&Self, Error> {
        match self.quantized {
            None => Ok(self),
            Some(_) => Err(Error::Quantized {
                file: self.file.clone(),
            }),
        }
    }

    /// The network with these weights as it is served, batch norms folded.
    ///
    /// # Errors
    ///
    /// Never in practice: the weights were checked.
    pub fn folded(&self) -> Result<FoldedNetwork, Error> {
        self.fold(self.metadata.graph())
    }

    /// The [face detector](face_net) with these weights as it is served, for pictures of this height and width.
    ///
    /// # Errors
    ///
    /// If the weights are of another network, or the height or the width is no multiple of its coarsest stride.
    pub fn folded_detector(&self, height: usize, width: usize) -> Result<FoldedNetwork, Error> {
        self.expect(Task::Detection)?;
        let has_landmarks = self.metadata.heads.contains(&Head::Landmarks);
        self.fold(face_net::graph(height, width, has_landmarks))
    }

    fn fold(&self, graph: Result<Graph, graph::Error>) -> Result<FoldedNetwork, Error> {
        let values = |name: &str| Some(&self.tensors.get(name)?.values[..]);
        let folded = graph.and_then(|graph| match self.quantization() {
            None => graph.fold(values),
            Some(quantization) => {
                FoldedNetwork::new(graph.without_norms()?, values, Some(quantization.clone()))
            }
        });
        folded.map_err(|source| self.network_error(source))
    }

    fn network_error(&self, source: graph::Error) -> Error {
        Error::Network {
            file: self.file.clone(),
            source,
        }
    }

    fn check(&self) -> Result<(), Error> {
        let graph = self
            .metadata
            .graph()
            .and_then(|graph| match self.quantized {
                None => Ok(graph),
                Some(_) => graph.without_norms(),
            });
        let graph = graph.map_err(|source| self.network_error(source))?;
        let expected: BTreeMap<String, Vec<usize>> = graph
            .parameters()
            .into_iter()
            .map(|parameter| (parameter.name, parameter.shape))
            .collect();
        let mismatch = |name: &str, found: &str, expected: &str| {
            Err(mismatch(&self.file, &self.metadata, name, found, expected))
        };
        for (name, shape) in &expected {
            let Some(tensor) = self.tensors.get(name) else {
                return mismatch(name, "missing", &format!("{shape:?}"));
            };
            let count: usize = shape.iter().product();
            if (&tensor.shape, tensor.values.len()) != (shape, count) {
                let found = format!("{:?}", tensor.shape);
                return mismatch(name, &found, &format!("{shape:?}"));
            }
            if !tensor.values.iter().all(|value| value.is_finite()) {
                return Err(Error::NotFinite {
                    file: self.file.clone(),
                    name: name.clone(),
                });
            }
        }
        let mut tensors = self.tensors.iter();
        match tensors.find(|(name, _)| !expected.contains_key(*name)) {
            Some((name, tensor)) => {
                mismatch(name, &format!("{:?}", tensor.shape), "no such tensor")
            }
            None => Ok(()),
        }
    }
}

/// The error for a tensor that does not fit.
pub(super) fn mismatch(
    file: &str,
    metadata: &Metadata,
    name: &str,
    found: &str,
    expected: &str,
) -> Error {
    let Metadata {
        architecture,
        labels,
        ..
    } = metadata;
    Error::Tensor {
        file: file.to_owned(),
        name: name.to_owned(),
        found: found.to_owned(),
        expected: format!(
            "{expected} for {architecture} with the labels {}",
            labels.join(", ")
        ),
    }
}
