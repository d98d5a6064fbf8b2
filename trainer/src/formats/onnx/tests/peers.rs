//! The programs that the files are for, run by the Python that `EMOTION_PYTHON` names; `make test` makes one that has them.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::process::Command;

use emotion_models::Weights;
use emotion_models::weights::Architecture;
use serde::Deserialize;

use super::{assert_close, random_faces, random_weights, reference};

const FACES: usize = 3;

/// What one program said.
#[derive(Deserialize)]
struct Answer {
    /// Logits of all faces in one run.
    together: Vec<Vec<f32>>,
    /// Logits of each face in a run of its own.
    alone: Vec<Vec<f32>>,
    /// The model's metadata, if the program reads them.
    metadata: Option<HashMap<String, String>>,
}

/// The answers by the program's name.
fn answers(python: &OsStr, weights: &Weights, faces: &[f32]) -> HashMap<String, Answer> {
    let folder = tempfile::tempdir().unwrap();
    let (model, input) = (
        folder.path().join("model.onnx"),
        folder.path().join("faces"),
    );
    std::fs::write(&model, super::super::encode(weights).unwrap()).unwrap();
    let bytes: Vec<u8> = faces.iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(&input, bytes).unwrap();

    let output = Command::new(python)
        .args(["-c", include_str!("peers.py")])
        .args([&model, &input])
        .arg(weights.metadata().input_size.to_string())
        .output()
        .expect("EMOTION_PYTHON names an interpreter");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn assert_peers_agree(python: &OsStr, name: &str, weights: &Weights) {
    let faces = random_faces(FACES, weights.metadata().input_size);
    let expected = reference(&weights.folded().unwrap(), &faces);
    let answers = answers(python, weights, &faces);
    for peer in ["onnxruntime", "opencv"] {
        let answer = answers
            .get(peer)
            .unwrap_or_else(|| panic!("{} has no {peer}", python.display()));
        for found in [&answer.together, &answer.alone] {
            assert_eq!(found.len(), FACES, "{peer}, {name}");
            for (found, expected) in found.iter().zip(&expected) {
                assert_close(found, expected, &format!("{peer}, {name}"));
            }
        }
        if let Some(metadata) = &answer.metadata {
            assert_eq!(*metadata, weights.metadata().to_map(), "{peer}, {name}");
        }
    }
}

#[test]
fn other_programs_compute_the_same_logits_for_every_architecture() {
    let Some(python) = std::env::var_os("EMOTION_PYTHON").filter(|name| !name.is_empty()) else {
        emotion_tests::skipped(
            "ONNX Runtime and OpenCV: EMOTION_PYTHON names no Python that has them",
        );
        return;
    };
    for architecture in Architecture::CLASSIFIERS {
        for size in [48, 45] {
            let weights = random_weights(architecture, size);
            assert_peers_agree(&python, &format!("{architecture} at {size}"), &weights);
        }
    }
}
