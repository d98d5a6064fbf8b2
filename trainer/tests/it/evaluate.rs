//! `evaluate` and `curves` as people run them.

use std::path::Path;
use std::process::Output;

use emotion_models::Weights;
use emotion_models::inference::Precision;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde_json::Value;

use crate::common::process::{emotion_trainer, stdout};

const NAMES: [&str; 7] = [
    "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral",
];

/// A folder with `fer2013.csv`: two faces of each emotion in each split, of which the first three
/// PrivateTest faces are Training faces too.
fn folder() -> tempfile::TempDir {
    let row = |face: usize, seed: usize, usage: &str| {
        let pixel = |position: usize| ((position * (seed + 3)) % 251).to_string();
        let pixels: Vec<String> = (0..48 * 48).map(pixel).collect();
        format!("{},{},{usage}\n", face % 7, pixels.join(" "))
    };
    let mut csv = "emotion,pixels,Usage\n".to_owned();
    for face in 0..14 {
        csv += &row(face, face, "Training");
        csv += &row(face, face + 20, "PublicTest");
        let copied = if face < 3 { face } else { face + 40 };
        csv += &row(face, copied, "PrivateTest");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fer2013.csv"), csv).unwrap();
    folder
}

fn evaluate(options: &[&str], folder: &Path) -> Output {
    let arguments = [&["evaluate", "--data", "fer2013.csv"], options].concat();
    emotion_trainer(&arguments, folder)
}

fn json(options: &[&str], folder: &Path) -> Value {
    let output = evaluate(&[&["--json"], options].concat(), folder);
    serde_json::from_str(&stdout(&output)).unwrap()
}

#[test]
fn json_holds_every_figure_with_and_without_mirror_images() {
    let folder = folder();
    let mini = ["--no-plots", "--weights", "mini_xception"];
    let result = json(&mini, folder.path());
    assert_eq!(result["count"], 14);
    assert_eq!(result["copies"], 3);
    // The published network at 48×48.
    assert_eq!(result["parameters"], 58_423);
    assert_eq!(result["macs"], 5_520_448);
    for (object, figures) in [
        (
            &result,
            &["accuracy", "macro_f1", "ece", "accuracy_without_copies"][..],
        ),
        (
            &result["flip"],
            &["accuracy", "macro_f1", "ece", "accuracy_without_copies"],
        ),
    ] {
        for figure in figures {
            let value = object[figure].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&value), "{figure} is {value}");
        }
        assert!(object["loss"].as_f64().unwrap() > 0.0);
    }
    for figure in ["recall", "precision", "f1"] {
        let labels: Vec<_> = result[figure].as_object().unwrap().keys().collect();
        assert_eq!(labels, NAMES);
    }
    assert!(!folder.path().join("runs").exists());
}

/// The votes for [`folder`]: nine of ten for the label, but for nobody at the first face of each split.
fn write_votes(folder: &Path) {
    let mut csv = "Usage,Image name,anger,disgust,fear,happiness,sadness,surprise,neutral,contempt,unknown,NF\n".to_owned();
    for face in 0..14 {
        for usage in ["Training", "PublicTest", "PrivateTest"] {
            let mut counts = [0; 10];
            match face {
                0 => counts[9] = 10,
                _ => (counts[face % 7], counts[8]) = (9, 1),
            }
            let counts = counts.map(|count| count.to_string());
            csv += &format!("{usage},,{}\n", counts.join(","));
        }
    }
    std::fs::write(folder.join("votes.csv"), csv).unwrap();
}

#[test]
fn votes_add_what_people_see_and_two_figures() {
    let folder = folder();
    write_votes(folder.path());
    let plain = json(&["--no-plots"], folder.path());
    assert!(plain.get("people_accuracy").is_none());
    let result = json(&["--votes", "votes.csv", "--plots", "plots"], folder.path());
    assert_eq!(result["accuracy"], plain["accuracy"]);
    assert_eq!(result["people_count"], 13);
    for figure in ["people_accuracy", "people_macro_recall", "people_ece"] {
        let value = result[figure].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&value), "{figure} is {value}");
    }
    let interval = &result["people_accuracy_interval"];
    let [low, high] = [0, 1].map(|end| interval[end].as_f64().unwrap());
    let accuracy = result["people_accuracy"].as_f64().unwrap();
    assert!(low <= accuracy && accuracy <= high && low < high);
    let labels: Vec<_> = result["people_recall"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(labels, NAMES);
    for figure in ["people-confusion.svg", "people-reliability.svg"] {
        assert!(
            folder.path().join("plots").join(figure).exists(),
            "{figure}"
        );
    }
    let table = stdout(&evaluate(
        &["--votes", "votes.csv", "--no-plots"],
        folder.path(),
    ));
    assert!(
        table.contains("the majority of the votes on 13 faces"),
        "{table}"
    );
}

#[test]
fn the_robustness_table_begins_with_the_faces_as_they_are() {
    let folder = folder();
    let result = json(&["--no-plots", "--robust"], folder.path());
    let rows = result["robust"].as_object().unwrap();
    assert_eq!(rows.keys().next().unwrap(), "as it is");
    assert_eq!(rows["as it is"]["accuracy"], result["accuracy"]);
    assert_eq!(rows["as it is"]["kept"], 1.0);
    for (name, row) in rows {
        let kept = row["kept"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&kept), "{name}: {kept}");
    }
    assert!(rows["16 pixels"]["kept"].as_f64().unwrap() < 1.0);
    let table = stdout(&evaluate(&["--no-plots", "--robust"], folder.path()));
    assert!(table.contains("\nroll 20°"), "{table}");
}

#[test]
fn of_a_folder_without_splits_all_pictures_are_evaluated_unless_a_split_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let emotion = folder.path().join("faces").join(name);
        std::fs::create_dir_all(&emotion).unwrap();
        for seed in 0..6u32 {
            let pixel =
                |x, y| image::Luma([((x * 3 + y * (seed + 5)) % 200) as u8 + name.len() as u8]);
            let picture = image::GrayImage::from_fn(48, 48, pixel);
            picture.save(emotion.join(format!("{seed}.png"))).unwrap();
        }
    }
    let run = |options: &[&str]| {
        let arguments = [
            &["evaluate", "--data", "faces", "--json", "--no-plots"],
            options,
        ]
        .concat();
        let output = emotion_trainer(&arguments, folder.path());
        let messages = String::from_utf8(output.stderr.clone()).unwrap();
        let result: Value = serde_json::from_str(&stdout(&output)).unwrap();
        (result["count"].as_u64().unwrap(), messages)
    };
    let (all, messages) = run(&[]);
    assert_eq!(all, 42);
    assert!(messages.contains("not divided into splits"), "{messages}");
    let (held_out, messages) = run(&["--split", "training"]);
    assert!(
        held_out < 42 && !messages.contains("not divided"),
        "{held_out}"
    );
}

#[test]
fn the_numbers_to_compute_with_are_the_plugins_unless_others_are_asked_for() {
    let folder = folder();
    let fastest = Weights::embedded().unwrap().fastest_precision();
    let result = json(&["--no-plots"], folder.path());
    assert_eq!(result["dtype"], fastest.name());
    let exact = json(&["--no-plots", "--dtype", "f32"], folder.path());
    assert_eq!(exact["dtype"], "f32");
    let losses = [&result, &exact].map(|result| result["loss"].as_f64().unwrap());
    // The pictures are no faces: integers round most where nothing was seen in training.
    let allowed = match fastest {
        Precision::Int8 => 0.3,
        Precision::F32 | Precision::Bf16 => 0.05,
    };
    assert!((losses[0] - losses[1]).abs() < allowed, "{losses:?}");
    let is_exact = fastest == Precision::F32;
    assert_eq!(losses[0] == losses[1], is_exact);
}

#[test]
fn quantised_weights_are_evaluated_and_exported_in_integers_and_not_quantised_again() {
    let folder = folder();
    let quantize = |weights: &str| {
        let arguments = [
            "quantize",
            weights,
            "--data",
            "fer2013.csv",
            "--out",
            "integers.safetensors",
            "--json",
        ];
        emotion_trainer(&arguments, folder.path())
    };
    let report: Value = serde_json::from_str(&stdout(&quantize("mini_xception"))).unwrap();
    for split in ["PublicTest", "PrivateTest"] {
        for name in ["labels", "calibration error", "kept labels"] {
            let figures = report["figures"].as_array().unwrap().iter();
            let mut found = figures.filter(|it| it["split"] == split && it["name"] == name);
            let figure = found.next().unwrap();
            assert!(figure["after"].as_f64().unwrap() <= 100.0, "{figure}");
        }
    }
    let bytes = std::fs::read(folder.path().join("integers.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    for (name, tensor) in tensors.iter() {
        let is_weight = tensor.shape().len() > 1;
        assert_ne!(is_weight, tensor.dtype() == Dtype::F32, "{name}");
    }
    let weights = ["--no-plots", "--weights", "integers.safetensors"];
    let with = |precision: &str| {
        let result = json(
            &[&weights[..], &["--precision", precision]].concat(),
            folder.path(),
        );
        assert_eq!(result["dtype"], precision);
        result["loss"].as_f64().unwrap()
    };
    let losses = [with("f32"), with("int8")];
    // The rows are no faces, so the network is far from sure and rounding counts for more.
    assert!(
        (losses[0] - losses[1]).abs() < 0.15 * losses[0],
        "{losses:?}"
    );
    assert_ne!(losses[0], losses[1]);

    let arguments = [
        "export",
        "--weights",
        "integers.safetensors",
        "--precision",
        "int8",
        "--out",
        "model.onnx",
    ];
    let exported = stdout(&emotion_trainer(&arguments, folder.path()));
    assert!(exported.contains("with integers (QDQ)"), "{exported}");

    let again = quantize("integers.safetensors");
    assert_eq!(again.status.code(), Some(1));
    let error = String::from_utf8(again.stderr).unwrap();
    assert!(error.contains("holds a quantised network"), "{error}");
}

#[test]
fn the_table_of_light_has_a_row_for_each_correction_and_a_column_for_each_light() {
    let folder = folder();
    let plain = json(&["--no-plots"], folder.path());
    assert_eq!(plain["light_correction"], "none");
    assert!(plain.get("light").is_none());

    let result = json(&["--no-plots", "--light"], folder.path());
    let rows = result["light"].as_object().unwrap();
    let corrections: Vec<_> = rows.keys().collect();
    assert_eq!(corrections, ["none", "equalize", "clahe", "exposure"]);
    for (correction, row) in rows {
        for accuracies in [&row["accuracy"], &row["flip"]["accuracy"]] {
            let accuracies = accuracies.as_object().unwrap();
            let lights: Vec<_> = accuracies.keys().collect();
            assert_eq!(
                lights,
                ["as it is", "darkened", "brightened", "from the side"]
            );
            let shares = accuracies.values().map(|share| share.as_f64().unwrap());
            assert!(shares.clone().all(|share| (0.0..=1.0).contains(&share)));
        }
        // What the main figures say with that correction.
        let alone = json(
            &["--no-plots", "--light-correction", correction],
            folder.path(),
        );
        assert_eq!(alone["accuracy"], row["accuracy"]["as it is"]);
        assert_eq!(alone["light_correction"], correction.as_str());
    }

    let table = stdout(&evaluate(&["--no-plots", "--light"], folder.path()));
    assert!(table.contains("accuracy by light"), "{table}");
    let row = table.lines().find(|line| line.starts_with("exposure"));
    assert_eq!(row.unwrap().matches('%').count(), 8, "{table}");
}

#[test]
fn the_accuracy_without_copies_leaves_their_rows_out() {
    let folder = folder();
    let result = json(&["--no-plots"], folder.path());
    // Faces are counted: 14 with and 11 without the copies.
    let right = |figure: &str, count: f64| result[figure].as_f64().unwrap() * count;
    let (all, others) = (
        right("accuracy", 14.0),
        right("accuracy_without_copies", 11.0),
    );
    assert!((others - others.round()).abs() < 1e-9);
    assert!((-1e-9..3.0 + 1e-9).contains(&(all - others)));
    // Within Training everything would be a copy.
    let training = json(&["--no-plots", "--split", "training"], folder.path());
    assert_eq!(training["copies"], Value::Null);
    assert_eq!(training["accuracy_without_copies"], Value::Null);
}

#[test]
fn the_mean_of_a_network_and_itself_is_that_network() {
    let folder = folder();
    let once = ["--no-plots", "--weights", "mini_xception"];
    let one = json(&once, folder.path());
    let twice = "mini_xception,mini_xception";
    let two = json(&["--no-plots", "--weights", twice], folder.path());
    assert_eq!(one["accuracy"], two["accuracy"]);
    assert_eq!(two["macs"], 2 * 5_520_448);
    let loss = |result: &Value| result["loss"].as_f64().unwrap();
    assert!((loss(&one) - loss(&two)).abs() < 1e-12);

    let table = stdout(&evaluate(
        &["--no-plots", "--weights", twice],
        folder.path(),
    ));
    assert!(
        table.starts_with("mean of the probabilities of 2 networks:\n"),
        "{table}"
    );
}

#[test]
fn the_table_names_every_figure_and_the_figures_are_drawn() {
    let folder = folder();
    let output = evaluate(&["--split", "public"], folder.path());
    let table = stdout(&output);
    for words in [
        "14 faces of PublicTest, 0 of them copies of Training faces",
        "accuracy without the copies",
        "macro F1",
        "cross-entropy",
        "expected calibration error",
        "precision   recall       F1",
    ] {
        assert!(table.contains(words), "{words} in {table}");
    }
    let told = String::from_utf8(output.stderr).unwrap();
    for figure in ["confusion.svg", "reliability.svg"] {
        let path = format!("runs/evaluation/residual_xception-PublicTest/{figure}");
        assert!(told.contains(&path), "{told}");
        let svg = std::fs::read_to_string(folder.path().join(path)).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert!(svg.contains("residual_xception on PublicTest"));
    }
}

#[test]
fn the_figures_go_where_they_are_wanted() {
    let folder = folder();
    json(&["--plots", "figures"], folder.path());
    assert!(folder.path().join("figures/confusion.svg").exists());
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn the_curves_of_a_log_are_drawn_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = "epoch,acc,loss,val_acc,val_loss,lr,seconds,temperature,val_loss_calibrated,val_ece,val_macro_f1\n\
               1,0.25,1.8,0.2,1.9,0.001,3,1.1,1.88,0.05,0.18\n2,0.4,1.5,0.375,1.6,0.002,3,1.1,1.58,0.04,0.35\n";
    std::fs::write(folder.path().join("net.log.csv"), log).unwrap();
    let output = emotion_trainer(
        &["curves", "net.log.csv", "--title", "my run"],
        folder.path(),
    );
    assert_eq!(stdout(&output), "net.curves.svg\n");
    let svg = std::fs::read_to_string(folder.path().join("net.curves.svg")).unwrap();
    for words in ["my run", "37.50 % in epoch 2", "1.6000 in epoch 2"] {
        assert!(svg.contains(words), "{words}");
    }
}

#[test]
fn a_file_that_is_no_log_is_an_error_with_its_path() {
    let folder = folder();
    let output = emotion_trainer(&["curves", "fer2013.csv"], folder.path());
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("fer2013.csv is not a training log"),
        "{message}"
    );
    assert!(!folder.path().join("fer2013.svg").exists());
}
