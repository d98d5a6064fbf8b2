//! Trained weights as a file: safetensors whose metadata say what the tensors are.
//!
//! Names, order of the labels, input size and normalisation travel with the weights, so that nothing can be served
//! otherwise than it was trained. The metadata keys are those of [`Metadata`] and `format`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};

use crate::atomic_file;
use crate::graph::Graph;
use crate::graph::folding::Folded;
use crate::graph::{face_net, mini_xception, residual_xception};
use crate::network::Network;

/// The weights that are compiled in; the first are the default.
const BUILT_IN: [(&str, &[u8]); 2] = [
    (
        "mini_xception",
        include_bytes!("../../weights/mini_xception.safetensors"),
    ),
    (
        "residual_xception",
        include_bytes!("../../weights/residual_xception.safetensors"),
    ),
];

/// Those of the face detector.
const DETECTOR: (&str, &[u8]) = (
    "face_net",
    include_bytes!("../../weights/face_net.safetensors"),
);

/// The value of the metadata key `format`.
const FORMAT: &str = "emotion-models 1";
/// Below this width and height the layers of a network run out of pixels.
const SMALLEST_INPUT: usize = 12;

/// What is wrong with a weights file. Each message names the file.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum Error {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {source}")]
    Read { file: String, source: io::Error },
    /// The file cannot be written; an older one of that name is as it was.
    #[error("{file}: cannot be written: {source}")]
    Write { file: String, source: io::Error },
    /// No weights of this name are compiled in.
    #[error("{name}: there are no built-in weights of that name, only {known}")]
    NotBuiltIn {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The file is not safetensors, or is cut off.
    #[error("{file}: not a whole safetensors file: {source}; export the weights again")]
    Format {
        file: String,
        source: safetensors::SafeTensorError,
    },
    /// A metadata entry is missing or makes no sense.
    #[error("{file}: metadata {key}: expected {expected}, found {found}")]
    Metadata {
        file: String,
        key: &'static str,
        expected: String,
        found: String,
    },
    /// A tensor is missing, superfluous, or has another shape or type than the network needs.
    #[error("{file}: {name} is {found}, expected {expected}; choose other weights or retrain")]
    Tensor {
        file: String,
        name: String,
        found: String,
        expected: String,
    },
    /// A tensor holds NaN or infinity.
    #[error("{file}: {name} holds a value that is not finite; the training that made it failed")]
    NotFinite { file: String, name: String },
    /// The weights are of a network for something else.
    #[error("{file}: holds a {found}, expected {expected}; choose other weights")]
    Task {
        file: String,
        found: Architecture,
        expected: String,
    },
    /// The network cannot be built.
    #[error("{file}: {source}")]
    Network {
        file: String,
        source: candle_core::Error,
    },
}

/// The networks that weights may belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// mini_XCEPTION of Arriaga, Plöger and Valdenegro: 58 thousand parameters.
    MiniXception,
    /// Separable convolutions in residual blocks: half a million parameters, more accurate.
    ResidualXception,
    /// The [face detector](face_net).
    FaceNet,
}

/// What a network is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// To tell emotions apart.
    Classification,
    /// To find faces.
    Detection,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::MiniXception, Self::ResidualXception, Self::FaceNet];
    /// Those for [`Task::Classification`].
    pub const CLASSIFIERS: [Self; 2] = [Self::MiniXception, Self::ResidualXception];

    /// The name in metadata and on command lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MiniXception => "mini_xception",
            Self::ResidualXception => "residual_xception",
            Self::FaceNet => "face_net",
        }
    }

    /// What it is for.
    pub const fn task(self) -> Task {
        match self {
            Self::MiniXception | Self::ResidualXception => Task::Classification,
            Self::FaceNet => Task::Detection,
        }
    }

    /// The network for grey pictures of `input_size`² pixels; a detector takes pictures of other sizes as well.
    ///
    /// # Errors
    ///
    /// If there are no classes, or the input is too small to pass all layers.
    pub fn graph(self, input_size: usize, classes: usize) -> candle_core::Result<Graph> {
        if input_size < SMALLEST_INPUT || classes == 0 {
            candle_core::bail!(
                "{self}: expected an input size of at least {SMALLEST_INPUT} and at least one class, found {input_size} and {classes}"
            );
        }
        Ok(match self {
            Self::MiniXception => mini_xception::graph(input_size, classes),
            Self::ResidualXception => residual_xception::graph(input_size, classes),
            Self::FaceNet => face_net::graph(input_size, input_size)?,
        })
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Architecture {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = Self::ALL.map(Self::name);
        Self::ALL
            .into_iter()
            .find(|architecture| architecture.name() == name)
            .ok_or_else(|| format!("expected one of {}, found {name}", all.join(", ")))
    }
}

/// How grey values were mapped to the network's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalization {
    /// 0 to 255 becomes -1 to 1, as [`crate::preprocess`] does it.
    SymmetricUnit,
}

impl Normalization {
    const fn name(self) -> &'static str {
        match self {
            Self::SymmetricUnit => "[-1, 1]",
        }
    }
}

/// What a weights file says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    /// The name of the model in metadata and records, such as `mini_xception`.
    pub name: String,
    /// The network that the tensors belong to.
    pub architecture: Architecture,
    /// The names of the classes, by label id.
    pub labels: Vec<String>,
    /// Width and height of the input.
    pub input_size: usize,
    /// How grey values become inputs.
    pub normalization: Normalization,
    /// Logits are divided by this before the softmax, so that confidences are calibrated. Positive.
    pub temperature: f32,
    /// How the weights were made, for people.
    pub training: String,
}

impl Metadata {
    /// The network that the tensors belong to.
    ///
    /// # Errors
    ///
    /// If there are no labels, or the input size is too small.
    pub fn graph(&self) -> candle_core::Result<Graph> {
        self.architecture.graph(self.input_size, self.labels.len())
    }

    /// The entries of a file's metadata, keys and texts.
    pub fn to_map(&self) -> HashMap<String, String> {
        HashMap::from(
            [
                ("format", FORMAT.to_owned()),
                ("name", self.name.clone()),
                ("architecture", self.architecture.to_string()),
                ("labels", serde_json::json!(self.labels).to_string()),
                ("input_size", self.input_size.to_string()),
                ("normalization", self.normalization.name().to_owned()),
                ("temperature", self.temperature.to_string()),
                ("training", self.training.clone()),
            ]
            .map(|(key, value)| (key.to_owned(), value)),
        )
    }

    fn from_map(file: &str, map: &HashMap<String, String>) -> Result<Self, Error> {
        let get = |key: &'static str, expected: &str| {
            map.get(key)
                .map(String::as_str)
                .ok_or_else(|| invalid(file, key, expected, "nothing"))
        };
        let parse = |key: &'static str, expected: &str, valid: &dyn Fn(f32) -> bool| {
            let text = get(key, expected)?;
            text.parse::<f32>()
                .ok()
                .filter(|&value| valid(value))
                .ok_or_else(|| invalid(file, key, expected, text))
        };

        let format = get("format", FORMAT)?;
        if format != FORMAT {
            return Err(invalid(file, "format", FORMAT, format));
        }
        let architecture = get("architecture", "the name of a network")?;
        let architecture = architecture.parse().map_err(|_| {
            invalid(
                file,
                "architecture",
                &Architecture::ALL.map(Architecture::name).join(" or "),
                architecture,
            )
        })?;
        let expected = "a JSON array of different names";
        let text = get("labels", expected)?;
        let labels = serde_json::from_str(text)
            .ok()
            .filter(|labels: &Vec<String>| {
                !labels.is_empty() && labels.iter().collect::<BTreeSet<_>>().len() == labels.len()
            })
            .ok_or_else(|| invalid(file, "labels", expected, text))?;
        let normalization = Normalization::SymmetricUnit;
        let found = get("normalization", normalization.name())?;
        if found != normalization.name() {
            return Err(invalid(file, "normalization", normalization.name(), found));
        }
        let is_size =
            |size: f32| size.fract() == 0.0 && (SMALLEST_INPUT as f32..=1024.0).contains(&size);
        Ok(Self {
            name: get("name", "a name")?.to_owned(),
            architecture,
            labels,
            input_size: parse("input_size", "a whole number from 12 to 1024", &is_size)? as usize,
            normalization,
            temperature: parse("temperature", "a positive number", &|t| {
                t > 0.0 && t.is_finite()
            })?,
            training: get("training", "a text")?.to_owned(),
        })
    }
}

fn invalid(file: &str, key: &'static str, expected: &str, found: &str) -> Error {
    Error::Metadata {
        file: file.to_owned(),
        key,
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}

/// Weights that fit their network: every parameter is there, in its shape, finite.
#[derive(Debug, Clone)]
pub struct Weights {
    metadata: Metadata,
    tensors: HashMap<String, Tensor>,
    file: String,
}

impl Weights {
    /// Weights from memory; `file` names them in errors.
    ///
    /// # Errors
    ///
    /// If a tensor is missing, superfluous, of another shape than the network's, or not finite.
    pub fn new(
        file: &str,
        metadata: Metadata,
        tensors: HashMap<String, Tensor>,
    ) -> Result<Self, Error> {
        let weights = Self {
            metadata,
            tensors,
            file: file.to_owned(),
        };
        weights.check()?;
        Ok(weights)
    }

    /// The weights that are compiled in and serve where nobody chooses: those of mini_XCEPTION.
    ///
    /// # Errors
    ///
    /// Never in practice: a test loads them.
    pub fn embedded() -> Result<Self, Error> {
        let [(name, bytes), _] = BUILT_IN;
        Self::from_bytes(name, bytes)
    }

    /// The weights of the face detector that are compiled in.
    ///
    /// # Errors
    ///
    /// Never in practice: a test loads them.
    pub fn detector() -> Result<Self, Error> {
        let (name, bytes) = DETECTOR;
        Self::from_bytes(name, bytes)
    }

    /// The weights of this name that are compiled in.
    ///
    /// # Errors
    ///
    /// If there are none of this name.
    pub fn built_in(name: &str) -> Result<Self, Error> {
        match BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((_, bytes)) => Self::from_bytes(name, bytes),
            None => Err(Error::NotBuiltIn {
                name: name.to_owned(),
                known: Self::built_in_names().join(" and "),
            }),
        }
    }

    /// The names of the weights that are compiled in, the default first.
    pub fn built_in_names() -> [&'static str; 2] {
        BUILT_IN.map(|(name, _)| name)
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or as [`from_bytes`](Self::from_bytes).
    pub fn load(path: &Path) -> Result<Self, Error> {
        let file = path.display().to_string();
        let bytes = fs::read(path).map_err(|source| Error::Read {
            file: file.clone(),
            source,
        })?;
        Self::from_bytes(&file, &bytes)
    }

    /// Reads the contents of a file; `file` names it in errors.
    ///
    /// # Errors
    ///
    /// If it is no weights file, or its tensors do not fit the network that its metadata name.
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Self, Error> {
        let format = |source| Error::Format {
            file: file.to_owned(),
            source,
        };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
        let metadata =
            Metadata::from_map(file, header.metadata().as_ref().unwrap_or(&HashMap::new()))?;
        let views = SafeTensors::deserialize(bytes).map_err(format)?;
        let mut tensors = HashMap::new();
        for (name, view) in views.iter() {
            if view.dtype() != Dtype::F32 {
                return Err(mismatch(
                    file,
                    &metadata,
                    name,
                    &view.dtype().to_string(),
                    "F32",
                ));
            }
            let values: Vec<f32> = view
                .data()
                .as_chunks()
                .0
                .iter()
                .map(|&bytes| f32::from_le_bytes(bytes))
                .collect();
            let tensor =
                Tensor::from_vec(values, view.shape(), &Device::Cpu).map_err(|source| {
                    Error::Network {
                        file: file.to_owned(),
                        source,
                    }
                })?;
            tensors.insert(name.to_owned(), tensor);
        }
        Self::new(file, metadata, tensors)
    }

    /// Writes the file with [`atomic_file::write`].
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let write = |source| Error::Write {
            file: path.display().to_string(),
            source,
        };
        let bytes = self
            .to_bytes()
            .map_err(|error| write(io::Error::other(error)))?;
        atomic_file::write(path, &bytes).map_err(write)
    }

    fn to_bytes(&self) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let mut data = BTreeMap::new();
        for (name, tensor) in &self.tensors {
            let values = tensor.flatten_all()?.to_vec1::<f32>()?;
            let bytes: Vec<u8> = values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            data.insert(name, (tensor.dims().to_vec(), bytes));
        }
        let views = data
            .iter()
            .map(|(name, (shape, bytes))| {
                Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?))
            })
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
        Ok(serialize(views, Some(self.metadata.to_map()))?)
    }

    /// Passes on weights of a network for this task.
    ///
    /// # Errors
    ///
    /// If they are of a network for another one.
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

    /// What the file says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The tensors by name.
    pub fn tensors(&self) -> &HashMap<String, Tensor> {
        &self.tensors
    }

    /// The network with these weights.
    ///
    /// # Errors
    ///
    /// Never in practice: the weights were checked.
    pub fn network(&self) -> Result<Network, Error> {
        let vb = VarBuilder::from_tensors(self.tensors.clone(), DType::F32, &Device::Cpu);
        self.metadata
            .graph()
            .and_then(|graph| Network::new(graph, vb))
            .map_err(|source| self.network_error(source))
    }

    /// The network with these weights as it is served, batch norms folded.
    ///
    /// # Errors
    ///
    /// Never in practice: the weights were checked.
    pub fn folded(&self) -> Result<Folded, Error> {
        self.metadata
            .graph()
            .and_then(|graph| Folded::new(&graph, &self.tensors))
            .map_err(|source| self.network_error(source))
    }

    /// The [face detector](face_net) with these weights as it is served, for pictures of this height and width.
    ///
    /// # Errors
    ///
    /// If the weights are of another network, or the height or the width is no multiple of its coarsest stride.
    pub fn folded_detector(&self, height: usize, width: usize) -> Result<Folded, Error> {
        self.expect(Task::Detection)?;
        face_net::graph(height, width)
            .and_then(|graph| Folded::new(&graph, &self.tensors))
            .map_err(|source| self.network_error(source))
    }

    fn network_error(&self, source: candle_core::Error) -> Error {
        Error::Network {
            file: self.file.clone(),
            source,
        }
    }

    fn check(&self) -> Result<(), Error> {
        let graph = self.metadata.graph();
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
            if tensor.dims() != shape {
                return mismatch(name, &format!("{:?}", tensor.dims()), &format!("{shape:?}"));
            }
            let values = tensor.flatten_all().and_then(|flat| flat.to_vec1::<f32>());
            if values
                .map_err(|source| self.network_error(source))?
                .iter()
                .any(|value| !value.is_finite())
            {
                return Err(Error::NotFinite {
                    file: self.file.clone(),
                    name: name.clone(),
                });
            }
        }
        match self
            .tensors
            .iter()
            .find(|(name, _)| !expected.contains_key(*name))
        {
            Some((name, tensor)) => {
                mismatch(name, &format!("{:?}", tensor.dims()), "no such tensor")
            }
            None => Ok(()),
        }
    }
}

fn mismatch(file: &str, metadata: &Metadata, name: &str, found: &str, expected: &str) -> Error {
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
