//! The programs that the files are for, run by the Python that `EMOTION_PYTHON` names; `make test` makes one that has them.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::process::Command;

use emotion_models::Weights;
use emotion_models::inference::{InferenceExecutor, Precision};
use emotion_models::weights::Architecture;
use serde::Deserialize;

use super::{assert_close, quantized, random_faces, random_weights, reference};
use crate::emotion::metrics::argmax;

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
fn answers(
    python: &OsStr,
    model: Vec<u8>,
    size: usize,
    faces: &[f32],
    only: &[&str],
) -> HashMap<String, Answer> {
    let folder = tempfile::tempdir().unwrap();
    let (file, input) = (
        folder.path().join("model.onnx"),
        folder.path().join("faces"),
    );
    std::fs::write(&file, model).unwrap();
    let bytes: Vec<u8> = faces.iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(&input, bytes).unwrap();

    let output = Command::new(python)
        .args(["-c", include_str!("peers.py")])
        .args([&file, &input])
        .arg(size.to_string())
        .args(only)
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
    let model = super::super::encode(weights).unwrap();
    let answers = answers(python, model, weights.metadata().input_size, &faces, &[]);
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

/// The interpreter that has the programs.
fn python() -> Option<OsString> {
    let python = std::env::var_os("EMOTION_PYTHON").filter(|name| !name.is_empty());
    if python.is_none() {
        emotion_tests::skipped(
            "ONNX Runtime and OpenCV: EMOTION_PYTHON names no Python that has them",
        );
    }
    python
}

#[test]
fn onnx_runtime_gives_the_labels_of_our_integers() {
    let Some(python) = python() else {
        return;
    };
    let floats = random_weights(Architecture::ResidualXception, 48);
    let faces = random_faces(200, 48);
    let weights = quantized(&floats, &faces[..20 * 48 * 48]);
    let mut executor = InferenceExecutor::with_precision(&weights, Precision::Int8).unwrap();
    let classes = executor.classes();
    let mut logits = vec![0.0; 200 * classes];
    executor.run(&faces, &mut logits).unwrap();
    let model = super::super::encode_integers(&weights).unwrap();
    let answers = answers(&python, model, 48, &faces, &["onnxruntime"]);
    let found = &answers["onnxruntime"].together;
    let rows = logits.chunks_exact(classes).zip(found);
    let equal = rows.filter(|(ours, theirs)| argmax(ours) == argmax(theirs));
    let equal = equal.count();
    assert!(equal >= 199, "{equal} of 200 labels are equal");
}

#[test]
fn other_programs_compute_the_same_logits_for_every_architecture() {
    let Some(python) = python() else {
        return;
    };
    for architecture in Architecture::CLASSIFIERS {
        for size in [48, 45] {
            let weights = random_weights(architecture, size);
            assert_peers_agree(&python, &format!("{architecture} at {size}"), &weights);
        }
    }
}
