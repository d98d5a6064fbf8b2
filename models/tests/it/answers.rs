//! What a classifier says about a face besides its logits, and which weights said it.

use emotion_models::Classifier;
use emotion_models::weights::{Architecture, Head, WeightsId};
use emotion_models::{Metadata, Weights};

use crate::common::{metadata, random_faces, random_values};

fn weights(heads: &[Head], seed: u64) -> Weights {
    let metadata = Metadata {
        heads: heads.to_vec(),
        ..metadata(Architecture::MiniXception, 48)
    };
    let values = random_values(&metadata.graph().unwrap().parameters(), seed);
    Weights::new("random", metadata, values).unwrap()
}

#[test]
fn the_cover_is_the_sigmoid_of_its_head_and_no_label() {
    let weights = weights(&[Head::Labels, Head::Cover], 1);
    let mut classifier = Classifier::new(&weights).unwrap();
    let faces = random_faces(3, 48);
    let outputs = classifier.outputs(&faces).unwrap();
    for (scores, outputs) in classifier.classify(&faces).unwrap().iter().zip(outputs) {
        assert_eq!((outputs.len(), scores.probabilities().len()), (8, 7));
        let expected = 1.0 / (1.0 + (-outputs[7]).exp());
        assert!((scores.cover().unwrap() - expected).abs() < 1e-6);
        assert!((scores.probabilities().iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }
}

#[test]
fn a_face_is_visible_that_is_neither_covered_nor_turned() {
    let heads = [Head::Labels, Head::Cover, Head::Turned];
    let mut classifier = Classifier::new(&weights(&heads, 1)).unwrap();
    for scores in classifier.classify(&random_faces(3, 48)).unwrap() {
        let [cover, turned] = [scores.cover(), scores.turned()].map(Option::unwrap);
        assert_ne!(cover, turned);
        let expected = (1.0 - cover) * (1.0 - turned);
        assert!((scores.visibility() - expected).abs() < 1e-6);
    }
}

#[test]
fn without_the_heads_every_face_is_visible() {
    let mut classifier = Classifier::new(&weights(&[Head::Labels], 1)).unwrap();
    let scores = classifier.classify(&random_faces(1, 48)).unwrap();
    assert_eq!((scores[0].cover(), scores[0].turned()), (None, None));
    assert_eq!(scores[0].visibility(), 1.0);
}

#[test]
fn the_id_of_weights_changes_with_a_single_value_and_not_with_their_file() {
    let first = weights(&[Head::Labels], 1);
    let id = WeightsId::of(&first);
    assert_eq!(id.name, "random");
    assert_eq!(id.fingerprint.len(), 16);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    first.save(&path).unwrap();
    assert_eq!(WeightsId::of(&Weights::load(&path).unwrap()), id);
    assert_eq!(*Classifier::load(&path).unwrap().weights_id(), id);

    let mut tensors = first.tensors().clone();
    tensors.get_mut("head.bias").unwrap().values[3] += 1e-3;
    let other = Weights::new("random", first.metadata().clone(), tensors).unwrap();
    assert_ne!(WeightsId::of(&other).fingerprint, id.fingerprint);
}
