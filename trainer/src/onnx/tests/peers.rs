//! The programs that the files are for, run from Python where it has them: `EMOTION_PYTHON` names the interpreter.

use std::collections::HashMap;
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

/// The answers by the program's name; those that are not installed are left out.
fn answers(weights: &Weights, faces: &[f32]) -> HashMap<String, Answer> {
    let folder = tempfile::tempdir().unwrap();
    let (model, input) = (
        folder.path().join("model.onnx"),
        folder.path().join("faces"),
    );
    std::fs::write(&model, super::super::encode(weights).unwrap()).unwrap();
    let bytes: Vec<u8> = faces.iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(&input, bytes).unwrap();

    let named = std::env::var_os("EMOTION_PYTHON");
    let python = named.clone().unwrap_or_else(|| "python3".into());
    let output = Command::new(&python)
        .args(["-c", include_str!("peers.py")])
        .args([&model, &input])
        .arg(weights.metadata().input_size.to_string())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            assert!(named.is_none(), "{}: {error}", python.display());
            return HashMap::new();
        }
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answers: HashMap<String, Answer> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        named.is_none() || !answers.is_empty(),
        "{} has neither onnxruntime nor cv2",
        python.display()
    );
    answers
}

fn assert_peers_agree(name: &str, weights: &Weights) {
    let faces = random_faces(FACES, weights.metadata().input_size);
    let expected = reference(weights, &faces);
    let answers = answers(weights, &faces);
    for peer in ["onnxruntime", "opencv"] {
        let Some(answer) = answers.get(peer) else {
            eprintln!("skipped: Python has no {peer}");
            continue;
        };
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
    for architecture in Architecture::CLASSIFIERS {
        for size in [48, 45] {
            let weights = random_weights(architecture, size);
            assert_peers_agree(&format!("{architecture} at {size}"), &weights);
        }
    }
}
