//! The published Keras weights, converted: our network must compute what theirs does.

use emotion_models::inference::Precision;
use emotion_models::{Classifier, Metadata, Weights};
use emotion_tests::data;
use emotion_trainer::formats::keras;

use crate::common::published::{expected_logits, prepared, private_faces};

const TOLERANCE: f32 = 1e-3;

const PUBLISHED: &str = "peer/fer2013_mini_XCEPTION.102-0.66.hdf5";

/// The published weights for faces of `input_size`² pixels; they fit any.
fn published(input_size: usize) -> Classifier {
    let weights = keras::import(&data(PUBLISHED)).unwrap();
    let metadata = Metadata {
        input_size,
        ..weights.metadata().clone()
    };
    let weights = Weights::new("imported", metadata, weights.tensors().clone()).unwrap();
    Classifier::with_precision(&weights, Precision::F32).unwrap()
}

fn assert_logits_of_64_faces_agree(input_size: usize, name: &str) {
    let expected = expected_logits(name);
    assert_eq!(expected.len(), 64);
    let faces = private_faces(expected.len());
    let mut classifier = published(input_size);
    for (index, (face, expected)) in faces.iter().zip(&expected).enumerate() {
        let found = classifier
            .logits(&prepared(face, input_size))
            .unwrap()
            .remove(0);
        let worst = found
            .iter()
            .zip(expected)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(
            worst < TOLERANCE,
            "face {index}: {found:?}, expected {expected:?}"
        );
    }
}

#[test]
#[ignore = "needs EMOTION_DATA: peer/ and fer2013/"]
fn logits_of_faces_as_they_are_agree_with_an_independent_implementation() {
    assert_logits_of_64_faces_agree(48, "peer/logits_48.csv");
}

#[test]
#[ignore = "needs EMOTION_DATA: peer/ and fer2013/"]
fn logits_of_enlarged_faces_agree_with_an_independent_implementation() {
    assert_logits_of_64_faces_agree(64, "peer/logits_64.csv");
}

#[test]
#[ignore = "needs EMOTION_DATA: peer/"]
fn the_input_size_is_that_of_the_file() {
    let weights = keras::import(&data(PUBLISHED)).unwrap();
    assert_eq!(weights.metadata().input_size, 64);
}

#[test]
fn a_file_that_is_not_hdf5_is_an_error_that_says_so() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "no HDF5").unwrap();
    let error = format!("{:#}", keras::import(file.path()).unwrap_err());
    assert!(error.contains("not an HDF5 file"), "{error}");
}

#[test]
#[ignore = "needs EMOTION_DATA: peer/"]
fn a_kernel_of_another_shape_is_an_error_with_layer_and_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.hdf5");
    std::fs::copy(data(PUBLISHED), &path).unwrap();
    let file = hdf5::File::open_rw(&path).unwrap();
    let group = file.group("model_weights/conv2d_3/conv2d_3_1").unwrap();
    group.unlink("kernel:0").unwrap();
    let kernel = group
        .new_dataset::<f32>()
        .shape((3, 3, 8, 16))
        .create("kernel:0")
        .unwrap();
    kernel.write_raw(&vec![0f32; 3 * 3 * 8 * 16]).unwrap();
    file.close().unwrap();

    let error = format!("{:#}", keras::import(&path).unwrap_err());
    let expected = "conv2d_3: kernel is [3, 3, 8, 16], expected [1, 1, 8, 16] \
                    for modules.0.residual.conv.weight";
    assert!(error.ends_with(expected), "{error}");
}
