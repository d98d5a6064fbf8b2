//! Weights files: what is written is read back, and a file that does not fit its network is refused.

use std::fs;
use std::path::{Path, PathBuf};

use emotion_models::weights::{
    Architecture, Error, Head, Normalization, Task, WeightTensor, WeightTensors,
};
use emotion_models::{Classifier, Emotion, Metadata, Weights};
use half::f16;
use safetensors::tensor::{Dtype, TensorView, serialize};

fn metadata() -> Metadata {
    Metadata {
        name: "test".to_owned(),
        architecture: Architecture::MiniXception,
        labels: Emotion::names(),
        heads: vec![Head::Labels],
        threshold: None,
        input_size: 48,
        normalization: Normalization::SymmetricUnit,
        temperature: 1.25,
        training: "not at all".to_owned(),
    }
}

fn full(value: f32, shape: &[usize]) -> WeightTensor {
    WeightTensor {
        shape: shape.to_vec(),
        values: vec![value; shape.iter().product()],
    }
}

/// Every tensor of the network, with values that differ from tensor to tensor.
fn tensors() -> WeightTensors {
    tensors_of(&metadata())
}

fn tensors_of(metadata: &Metadata) -> WeightTensors {
    let parameters = metadata.graph().unwrap().parameters();
    let mut value = 0.0f32;
    parameters
        .into_iter()
        .map(|parameter| {
            value += 0.01;
            (parameter.name, full(value, &parameter.shape))
        })
        .collect()
}

fn saved(folder: &Path) -> PathBuf {
    let path = folder.join("weights.safetensors");
    Weights::new("memory", metadata(), tensors())
        .unwrap()
        .save(&path)
        .unwrap();
    path
}

#[test]
fn a_saved_file_is_read_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let read = Weights::load(&saved(folder.path())).unwrap();
    assert_eq!(*read.metadata(), metadata());
    assert_eq!(*read.tensors(), tensors());
    read.folded().unwrap();
    // The temporary file is gone.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// The contents of a file with these tensors in another type.
fn file_of(dtype: Dtype, bytes: impl Fn(f32) -> Vec<u8>) -> Vec<u8> {
    let data: Vec<(String, Vec<usize>, Vec<u8>)> = tensors()
        .into_iter()
        .map(|(name, tensor)| {
            let bytes = tensor.values.into_iter().flat_map(&bytes);
            (name, tensor.shape, bytes.collect())
        })
        .collect();
    let views = data.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(dtype, shape.clone(), bytes);
        (name, view.unwrap())
    });
    serialize(views, Some(metadata().to_map())).unwrap()
}

#[test]
fn a_file_in_half_precision_is_read_as_f32() {
    let half = |value| f16::from_f32(value).to_le_bytes().to_vec();
    let read = Weights::from_bytes("half", &file_of(Dtype::F16, half)).unwrap();
    assert_eq!(*read.metadata(), metadata());
    for (name, tensor) in tensors() {
        let found = &read.tensors()[&name];
        assert_eq!(found.shape, tensor.shape, "{name}");
        let rounded = f16::from_f32(tensor.values[0]).to_f32();
        assert!(found.values.iter().all(|&value| value == rounded), "{name}");
        assert!((rounded - tensor.values[0]).abs() < 1e-3, "{name}");
    }
    read.folded().unwrap();

    let double = |value: f32| f64::from(value).to_le_bytes().to_vec();
    let error = Weights::from_bytes("double", &file_of(Dtype::F64, double)).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("is F64, expected F32 or F16"), "{message}");
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_with_its_name() {
    let weights = Weights::new("memory", metadata(), tensors()).unwrap();
    let error = weights
        .save(Path::new("/nonexistent/folder/weights.safetensors"))
        .unwrap_err();
    assert!(matches!(error, Error::Write { .. }));
    assert!(
        error
            .to_string()
            .starts_with("/nonexistent/folder/weights.safetensors: cannot be written")
    );
}

#[test]
fn a_truncated_or_foreign_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path());
    let whole = fs::read(&path).unwrap();
    for bytes in [
        &whole[..whole.len() - 1],
        &whole[..100],
        &whole[..3],
        b"not weights at all",
        b"",
    ] {
        assert!(matches!(
            Weights::from_bytes("file", bytes).unwrap_err(),
            Error::Format { .. }
        ));
    }
    assert!(matches!(
        Weights::load(&folder.path().join("absent")).unwrap_err(),
        Error::Read { .. }
    ));
}

#[test]
fn a_tensor_of_another_shape_is_refused_with_both_shapes_and_the_labels() {
    let mut metadata = metadata();
    metadata.labels.push("contempt".to_owned());
    let error = Weights::new("weights.safetensors", metadata, tensors())
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("weights.safetensors: head.bias is [7], expected [8] for mini_xception"),
        "{error}"
    );
    assert!(
        error.contains("angry, disgust, fear, happy, sad, surprise, neutral, contempt"),
        "{error}"
    );
}

#[test]
fn missing_and_superfluous_tensors_are_refused_by_name() {
    let mut missing = tensors();
    missing.remove("modules.2.norm1.bias").unwrap();
    let error = Weights::new("file", metadata(), missing)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("modules.2.norm1.bias is missing, expected [64]"),
        "{error}"
    );

    let mut superfluous = tensors();
    superfluous.insert("modules.4.norm1.bias".to_owned(), full(0.0, &[3]));
    let error = Weights::new("file", metadata(), superfluous)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("modules.4.norm1.bias is [3], expected no such tensor"),
        "{error}"
    );
}

#[test]
fn values_that_are_not_finite_are_refused() {
    for value in [f32::NAN, f32::INFINITY] {
        let mut tensors = tensors();
        tensors.insert("conv2.weight".to_owned(), full(value, &[8, 8, 3, 3]));
        let error = Weights::new("file", metadata(), tensors).unwrap_err();
        assert!(matches!(error, Error::NotFinite { name, .. } if name == "conv2.weight"));
    }
}

/// The saved file with one text of its header replaced by another of the same length.
fn with_header(from: &str, to: &str) -> Error {
    assert_eq!(from.len(), to.len());
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(saved(folder.path())).unwrap();
    let at = bytes
        .windows(from.len())
        .position(|window| window == from.as_bytes())
        .expect("the text is in the header");
    let mut changed = bytes;
    changed[at..at + to.len()].copy_from_slice(to.as_bytes());
    Weights::from_bytes("file", &changed).unwrap_err()
}

#[test]
fn metadata_that_make_no_sense_are_refused_with_what_was_expected_and_found() {
    let cases = [
        (
            "mini_xception",
            "maxi_xception",
            "metadata architecture: expected one of mini_xception, residual_xception, residual_xception_large, face_net, found maxi_xception",
        ),
        (
            "[-1, 1]",
            "[0 , 1]",
            "metadata normalization: expected [-1, 1], found [0 , 1]",
        ),
        (
            "emotion-models 1",
            "emotion-models 2",
            "metadata format: expected emotion-models 1, found emotion-models 2",
        ),
        (
            "\"input_size\":\"48\"",
            "\"input_size\":\"-8\"",
            "metadata input_size: expected a whole number from 12 to 1024, found -8",
        ),
        (
            "1.25",
            "-1.2",
            "metadata temperature: expected a positive number, found -1.2",
        ),
        (
            "1.25",
            " NaN",
            "metadata temperature: expected a positive number, found  NaN",
        ),
        (
            "\"labels\"",
            "\"lobels\"",
            "metadata labels: expected a JSON array of different names, found nothing",
        ),
        ("disgust", "angry\\\"", "metadata labels"),
    ];
    for (from, to, expected) in cases {
        let error = with_header(from, to).to_string();
        assert!(
            error.starts_with("file: ") && error.contains(expected),
            "{from} → {to}: {error}"
        );
    }
}

#[test]
fn the_face_detector_is_no_classifier_and_a_classifier_no_detector() {
    let metadata = Metadata {
        architecture: Architecture::FaceNet,
        labels: vec!["face".to_owned()],
        input_size: 256,
        ..metadata()
    };
    let tensors = tensors_of(&metadata);
    let detector = Weights::new("detector", metadata, tensors).unwrap();
    detector.expect(Task::Detection).unwrap();
    let error = Classifier::new(&detector).err().unwrap();
    assert!(
        error
            .to_string()
            .contains("expected mini_xception or residual_xception"),
        "{error}"
    );
    assert!(error.to_string().contains("face_net"), "{error}");

    let classifier = Weights::new("classifier", self::metadata(), self::tensors()).unwrap();
    let error = classifier.expect(Task::Detection).err().unwrap();
    assert_eq!(
        error.to_string(),
        "classifier: holds a mini_xception, expected face_net; choose other weights"
    );
}

#[test]
fn heads_and_threshold_are_read_back_and_strange_ones_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heads.safetensors");
    let metadata = Metadata {
        heads: vec![Head::Labels, Head::Cover],
        threshold: Some(0.45),
        ..metadata()
    };
    let weights = Weights::new("heads", metadata.clone(), tensors_of(&metadata)).unwrap();
    weights.save(&path).unwrap();
    assert_eq!(Weights::load(&path).unwrap().metadata(), &metadata);

    let bytes = fs::read(&path).unwrap();
    let text = String::from_utf8_lossy(&bytes[..2000]).into_owned();
    for (from, to, key) in [
        (
            "cover",
            "lover",
            "metadata heads: expected a JSON array of different heads",
        ),
        (
            "0.45",
            "4.50",
            "metadata threshold: expected a number from 0 to 1, found 4.50",
        ),
    ] {
        let at = text
            .find(&format!("{from}\\\"]"))
            .or_else(|| text.find(from))
            .unwrap();
        let mut changed = bytes.clone();
        changed[at..at + to.len()].copy_from_slice(to.as_bytes());
        let error = Weights::from_bytes("file", &changed)
            .unwrap_err()
            .to_string();
        assert!(error.contains(key), "{error}");
    }
}

#[test]
fn half_precision_is_half_as_large_and_rounds_to_eleven_bits() {
    let weights = Weights::new("memory", metadata(), tensors()).unwrap();
    let single = file_size(&weights);
    let bytes = weights.to_half_precision().unwrap();
    assert!(
        bytes.len() * 100 < single * 56,
        "{} of {single}",
        bytes.len()
    );
    let read = Weights::from_bytes("half", &bytes).unwrap();
    assert_eq!(read.metadata(), weights.metadata());
    for (name, tensor) in weights.tensors() {
        for (found, expected) in read.tensors()[name].values.iter().zip(&tensor.values) {
            assert!(
                (found - expected).abs() <= expected.abs() / 2048.0,
                "{name}"
            );
        }
    }
    let mut large = tensors();
    large.get_mut("head.bias").unwrap().values[0] = 1e5;
    let weights = Weights::new("memory", metadata(), large).unwrap();
    let error = weights.to_half_precision().unwrap_err().to_string();
    assert!(
        error.contains("head.bias holds a value above 65504"),
        "{error}"
    );
}

/// The size of the file in single precision.
fn file_size(weights: &Weights) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    weights.save(&path).unwrap();
    fs::read(path).unwrap().len()
}
