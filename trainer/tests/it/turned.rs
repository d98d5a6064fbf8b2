//! `train-turned` as people run it.

use std::fs;
use std::path::Path;

use emotion_models::Weights;
use emotion_models::weights::Head;

use crate::common::process::{emotion_trainer, stdout};

/// The portrait as a picture to learn from and one to validate on.
fn write_portraits(folder: &Path) {
    let portrait = emotion_tests::repository("tests/media/astronaut.png");
    let mut lines = String::new();
    for split in ["train", "val"] {
        fs::copy(&portrait, folder.join(format!("{split}.png"))).unwrap();
        lines += &format!(
            "{{\"image\":\"{split}.png\",\"width\":512,\"height\":512,\"split\":\"{split}\",\"boxes\":[[181,60,90,114]]}}\n"
        );
    }
    fs::write(folder.join("boxes.jsonl"), lines).unwrap();
}

#[test]
fn a_network_learns_what_is_turned_and_stays_as_it_is_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    write_portraits(folder.path());
    let train = ["train-turned", "residual_xception", "--data", "."];
    let options = ["--views", "100", "--out", "turned.safetensors"];
    let printed = stdout(&emotion_trainer(&[train, options].concat(), folder.path()));
    let val = printed
        .lines()
        .find(|line| line.starts_with("val: 100 crops"))
        .unwrap();
    let percents: Vec<f64> = val
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .skip(1)
        .collect();
    let [of_turned, of_upright] = percents[..] else {
        panic!("{val}")
    };
    assert!(of_turned > 80.0 && of_upright < 10.0, "{val}");

    let before = Weights::built_in("residual_xception").unwrap();
    let after = Weights::load(&folder.path().join("turned.safetensors")).unwrap();
    assert!(after.metadata().heads.contains(&Head::Turned));
    for (name, tensor) in before.tensors() {
        assert!(
            name.starts_with("turned.") || *tensor == after.tensors()[name],
            "{name}"
        );
    }
}

#[test]
fn pictures_without_large_faces_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_portraits(folder.path());
    let lines = fs::read_to_string(folder.path().join("boxes.jsonl")).unwrap();
    fs::write(
        folder.path().join("boxes.jsonl"),
        lines.replace("90,114", "18,20"),
    )
    .unwrap();
    let train = [
        "train-turned",
        "residual_xception",
        "--data",
        ".",
        "--out",
        "w",
    ];
    let output = emotion_trainer(&train, folder.path());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("expected pictures of the split train with faces of at least 22 pixels"),
        "{said}"
    );
    assert!(!folder.path().join("w").exists());
}
