//! Reads mini_XCEPTION as Keras 2 saves it (`src/models/cnn.py` of oarriaga/face_classification).
//!
//! Keras numbers layers (`batch_normalization_9`), so they are matched by order and kind. Every shape is checked.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use candle_core::{Device, Tensor};
use emotion_models::weights::{Architecture, Head, Normalization, WeightTensor, WeightTensors};
use emotion_models::{Emotion, Metadata, Weights};
use hdf5::types::{FixedAscii, VarLenAscii, VarLenUnicode};
use hdf5::{File, Group};

/// A layer or weight name.
type Name = FixedAscii<128>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Conv,
    Separable,
    Norm,
}

/// A tensor of a layer: Keras' name, our name, and the permutation of its dimensions.
type Part = (&'static str, &'static str, &'static [usize]);

impl Kind {
    fn parts(self) -> &'static [Part] {
        // Keras stores kernels as [kh, kw, in, out] and depthwise ones as [kh, kw, channels, 1].
        match self {
            Kind::Conv => &[("kernel", "weight", &[3, 2, 0, 1]), ("bias", "bias", &[0])],
            Kind::Separable => &[
                ("depthwise_kernel", "depthwise.weight", &[2, 3, 0, 1]),
                ("pointwise_kernel", "pointwise.weight", &[3, 2, 0, 1]),
            ],
            Kind::Norm => &[
                ("gamma", "weight", &[0]),
                ("beta", "bias", &[0]),
                ("moving_mean", "running_mean", &[0]),
                ("moving_variance", "running_var", &[0]),
            ],
        }
    }
}

/// The layers that have parameters, in Keras' order.
fn layers() -> Vec<(String, Kind)> {
    let mut layers: Vec<(String, Kind)> = [
        ("conv1", Kind::Conv),
        ("norm1", Kind::Norm),
        ("conv2", Kind::Conv),
        ("norm2", Kind::Norm),
    ]
    .map(|(path, kind)| (path.to_owned(), kind))
    .to_vec();
    for module in 0..4 {
        layers.extend(
            [
                ("separable1", Kind::Separable),
                ("norm1", Kind::Norm),
                ("separable2", Kind::Separable),
                ("norm2", Kind::Norm),
                ("residual.conv", Kind::Conv),
                ("residual.norm", Kind::Norm),
            ]
            .map(|(path, kind)| (format!("modules.{module}.{path}"), kind)),
        );
    }
    layers.push(("head".to_owned(), Kind::Conv));
    layers
}

/// A layer of the file with its tensors by the last part of their names.
struct KerasLayer {
    name: String,
    tensors: BTreeMap<String, Tensor>,
}

/// Reads the network in the HDF5 file at `path`; the temperature is 1.
///
/// # Errors
///
/// When the file is not HDF5, or its layers are not those of mini_XCEPTION.
pub fn import(path: &Path) -> Result<Weights> {
    let name = path.display().to_string();
    import_file(path, &name).with_context(|| format!("cannot import {name}"))
}

fn import_file(path: &Path, name: &str) -> Result<Weights> {
    // libhdf5 prints its call stack for a missing file.
    std::fs::File::open(path)?;
    let file = File::open(path).context("not an HDF5 file")?;
    let metadata = metadata(&file, name)?;
    let parameters = metadata
        .graph()?
        .parameters()
        .into_iter()
        .map(|parameter| (parameter.name, parameter.shape))
        .collect();
    let found = read_layers(&file)?;
    let expected = layers();
    ensure!(
        found.len() == expected.len(),
        "expected the {} layers with parameters of mini_XCEPTION, found {}",
        expected.len(),
        found.len(),
    );
    let mut tensors = WeightTensors::new();
    for ((path, kind), layer) in expected.iter().zip(&found) {
        tensors.extend(convert(path, *kind, layer, &parameters)?);
    }
    Ok(Weights::new(name, metadata, tensors)?)
}

fn metadata(file: &File, name: &str) -> Result<Metadata> {
    let source = Path::new(name)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let version = text(file, "keras_version").map_or(String::new(), |v| format!(" (Keras {v})"));
    Ok(Metadata {
        heads: vec![Head::Labels],
        threshold: None,
        name: Architecture::MiniXception.name().to_owned(),
        architecture: Architecture::MiniXception,
        labels: Emotion::names(),
        input_size: input_size(file)?,
        normalization: Normalization::SymmetricUnit,
        temperature: 1.0,
        training: format!("imported from {source}{version}"),
    })
}

/// From the `batch_input_shape` [null, size, size, 1] of the first layer.
fn input_size(file: &File) -> Result<usize> {
    let config: serde_json::Value = serde_json::from_str(&text(file, "model_config")?)?;
    let shape = &config["config"]["layers"][0]["config"]["batch_input_shape"];
    let sizes = [1, 2, 3].map(|dimension| shape[dimension].as_u64());
    match sizes {
        [Some(height), Some(width), Some(1)] if height == width => Ok(usize::try_from(height)?),
        _ => bail!("expected a square grey input [null, size, size, 1], found {shape}"),
    }
}

fn text(file: &File, attribute: &str) -> Result<String> {
    let attribute = file
        .attr(attribute)
        .with_context(|| format!("no attribute {attribute}"))?;
    // The type depends on the version of h5py.
    Ok(match attribute.read_scalar::<VarLenAscii>() {
        Ok(text) => text.to_string(),
        Err(_) => attribute.read_scalar::<VarLenUnicode>()?.to_string(),
    })
}

/// The layers with parameters, in the order of the file.
fn read_layers(file: &File) -> Result<Vec<KerasLayer>> {
    let weights = file
        .group("model_weights")
        .context("expected a whole Keras model")?;
    let mut layers = Vec::new();
    for name in names(&weights, "layer_names")? {
        let group = weights.group(&name)?;
        let tensors = names(&group, "weight_names")?
            .iter()
            .map(|weight| read_tensor(&group, weight))
            .collect::<Result<BTreeMap<_, _>>>()?;
        if !tensors.is_empty() {
            layers.push(KerasLayer { name, tensors });
        }
    }
    Ok(layers)
}

fn names(group: &Group, list: &str) -> Result<Vec<String>> {
    let unreadable = || format!("{} has no readable {list}", group.name());
    let attribute = group.attr(list).with_context(unreadable)?;
    // h5py writes an empty list as numbers.
    if attribute.size() == 0 {
        return Ok(Vec::new());
    }
    let names = attribute.read_raw::<Name>().with_context(unreadable)?;
    Ok(names.iter().map(ToString::to_string).collect())
}

/// `conv2d_1_1/kernel:0` is the tensor `kernel`.
fn read_tensor(group: &Group, weight: &str) -> Result<(String, Tensor)> {
    let dataset = group.dataset(weight)?;
    let tensor = Tensor::from_vec(dataset.read_raw::<f32>()?, dataset.shape(), &Device::Cpu)?;
    let name = weight.rsplit('/').next().unwrap_or(weight);
    Ok((name.trim_end_matches(":0").to_owned(), tensor))
}

/// The tensors of one layer with our names and our order of dimensions.
fn convert(
    path: &str,
    kind: Kind,
    layer: &KerasLayer,
    parameters: &BTreeMap<String, Vec<usize>>,
) -> Result<Vec<(String, WeightTensor)>> {
    let mut converted = Vec::new();
    for (theirs, ours, order) in kind.parts() {
        let name = format!("{path}.{ours}");
        let (expected, found) = match (parameters.get(&name), layer.tensors.get(*theirs)) {
            (Some(expected), Some(found)) => (expected, found),
            (None, None) => continue,
            (Some(_), None) => bail!("{}: {theirs} is missing, needed for {name}", layer.name),
            (None, Some(_)) => bail!("{}: has {theirs}, but {path} takes none", layer.name),
        };
        let their_shape = |ours: &[usize]| {
            let mut shape = vec![0; ours.len()];
            order
                .iter()
                .zip(ours)
                .for_each(|(&theirs, &size)| shape[theirs] = size);
            shape
        };
        ensure!(
            found.dims() == their_shape(expected),
            "{}: {theirs} is {:?}, expected {:?} for {name}",
            layer.name,
            found.dims(),
            their_shape(expected),
        );
        let permuted = found.permute(*order)?;
        let tensor = WeightTensor {
            shape: permuted.dims().to_vec(),
            values: permuted.flatten_all()?.to_vec1()?,
        };
        converted.push((name, tensor));
    }
    let known = |name: &String| kind.parts().iter().any(|(theirs, ..)| theirs == name);
    if let Some(unknown) = layer.tensors.keys().find(|name| !known(name)) {
        bail!("{}: has {unknown}, but {path} is a {kind:?}", layer.name);
    }
    Ok(converted)
}
