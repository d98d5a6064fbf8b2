//! The description that a weights file carries.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::architecture::{Architecture, SMALLEST_INPUT};
use super::error::Error;
use super::head::Head;
use crate::graph::{self, Graph};

/// The value of the metadata key `format`.
const FORMAT: &str = "emotion-models 1";

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
    /// The heads, in the order of their outputs; [`Head::Labels`] is the first.
    pub heads: Vec<Head>,
    /// Width and height of the input.
    pub input_size: usize,
    /// How grey values become inputs.
    pub normalization: Normalization,
    /// Logits are divided by this before the softmax, so that confidences are calibrated. Positive.
    pub temperature: f32,
    /// The confidence from which a label is worth naming, 0 to 1, if the trainer has chosen one.
    pub threshold: Option<f32>,
    /// How the weights were made, for people.
    pub training: String,
}

impl Metadata {
    /// The network that the tensors belong to.
    ///
    /// # Errors
    ///
    /// If there are no labels, or the input size is too small.
    pub fn graph(&self) -> Result<Graph, graph::Error> {
        self.architecture
            .graph_with_heads(self.input_size, self.labels.len(), &self.heads)
    }

    /// The id of the label with this name; none if there is no such label.
    pub fn label_id(&self, name: &str) -> Option<usize> {
        self.labels.iter().position(|label| label == name)
    }

    /// Where the outputs of a head stand among those of a face; none if there is no such head.
    pub fn outputs(&self, head: Head) -> Option<Range<usize>> {
        let labels = self.labels.len();
        let index = self.heads.iter().position(|&known| known == head)?;
        let before = self.heads[..index].iter();
        let start = before.map(|head| head.outputs(labels)).sum();
        Some(start..start + head.outputs(labels))
    }

    /// The entries of a file's metadata, keys and texts.
    pub fn to_map(&self) -> HashMap<String, String> {
        let mut map = HashMap::from(
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
        );
        if self.heads != [Head::Labels] {
            let names: Vec<_> = self.heads.iter().map(|head| head.name()).collect();
            map.insert("heads".to_owned(), serde_json::json!(names).to_string());
        }
        if let Some(threshold) = self.threshold {
            map.insert("threshold".to_owned(), threshold.to_string());
        }
        map
    }

    pub(super) fn from_map(file: &str, map: &HashMap<String, String>) -> Result<Self, Error> {
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
        let architecture: Architecture = architecture.parse().map_err(|_| {
            invalid(
                file,
                "architecture",
                &format!(
                    "one of {}",
                    Architecture::ALL.map(Architecture::name).join(", ")
                ),
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
        let heads = match map.get("heads") {
            Some(text) => heads(text, architecture).ok_or_else(|| {
                let names: Vec<_> = architecture
                    .heads()
                    .iter()
                    .map(|head| head.name())
                    .collect();
                let names = names.join(", ");
                let expected = format!("a JSON array of different heads of {names}, head first");
                invalid(file, "heads", &expected, text)
            })?,
            None => vec![Head::Labels],
        };
        let threshold = map
            .contains_key("threshold")
            .then(|| {
                parse("threshold", "a number from 0 to 1", &|value| {
                    (0.0..=1.0).contains(&value)
                })
            })
            .transpose()?;
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
            heads,
            threshold,
            input_size: parse("input_size", "a whole number from 12 to 1024", &is_size)? as usize,
            normalization,
            temperature: parse("temperature", "a positive number", &|t| {
                t > 0.0 && t.is_finite()
            })?,
            training: get("training", "a text")?.to_owned(),
        })
    }
}

/// The heads of a network that a JSON array names; none if it does not begin with [`Head::Labels`], or one is unknown or
/// named twice.
fn heads(json: &str, architecture: Architecture) -> Option<Vec<Head>> {
    let names: Vec<String> = serde_json::from_str(json).ok()?;
    let known = architecture.heads().iter().copied();
    let head = |name: &String| known.clone().find(|head| head.name() == name);
    let heads: Vec<Head> = names.iter().map(head).collect::<Option<_>>()?;
    let is_new = |(index, head)| !heads[..index].contains(head);
    let differ = heads.iter().enumerate().all(is_new);
    (differ && heads.first() == Some(&Head::Labels)).then_some(heads)
}

fn invalid(file: &str, key: &'static str, expected: &str, found: &str) -> Error {
    Error::Metadata {
        file: file.to_owned(),
        key,
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}
