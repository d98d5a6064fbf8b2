use super::*;
use crate::emotion::epoch::EmotionEpoch;
use crate::emotion::recipe::{FaceDataSummary, Recipe, Settings};

fn tensor(values: &[f32]) -> WeightTensor {
    WeightTensor {
        shape: vec![values.len()],
        values: values.to_vec(),
    }
}

fn checkpoint() -> Checkpoint<Settings> {
    let data = FaceDataSummary {
        data: "0123456789abcdef".to_owned(),
        teacher_files: Vec::new(),
        training_faces: 10,
        validation_faces: 5,
    };
    let mut run = Run::new(Recipe::Seed.settings(), data);
    // Thirds are what a lossy detour through text would change.
    let third = 1.0 / 3.0;
    run.log.push(EmotionEpoch {
        epoch: 1,
        acc: third,
        loss: third.exp(),
        val_acc: third,
        val_loss: third.sin(),
        lr: third.sqrt(),
        seconds: third,
        temperature: third.exp2(),
        val_loss_calibrated: third.ln_1p(),
        val_ece: third.atan(),
        val_macro_f1: third.cbrt(),
        val_people_acc: Some(third),
        threshold: Some(third.tan()),
        ..EmotionEpoch::default()
    });
    run.totals = EpochTotals {
        steps: 1,
        samples: 3,
        loss_sum: third,
        ..EpochTotals::default()
    };
    let mut checkpoint = Checkpoint::new(run);
    let tensor = tensor(&[1.0, third as f32]);
    checkpoint.insert(
        "network",
        WeightTensors::from([("conv.weight".to_owned(), tensor)]),
    );
    checkpoint
}

#[test]
fn a_saved_checkpoint_comes_back_to_the_last_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.ckpt.safetensors");
    checkpoint().save(&path).unwrap();
    let loaded = Checkpoint::load(&path).unwrap();
    assert_eq!(loaded.run, checkpoint().run);
    let weights = &loaded.group("network")["conv.weight"];
    assert_eq!(*weights, tensor(&[1.0, (1.0 / 3.0) as f32]));
    assert!(loaded.group("average").is_empty());
}

#[test]
fn a_truncated_checkpoint_is_an_error_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.ckpt.safetensors");
    checkpoint().save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let error = Checkpoint::<Settings>::load(&path).unwrap_err().to_string();
    assert!(
        error.ends_with("last.ckpt.safetensors is not a checkpoint to resume from"),
        "{error}"
    );
}

#[test]
fn a_checkpoint_of_another_format_is_refused_with_both_formats() {
    let run = r#"{"format":"emotion-trainer checkpoint 2","settings":{}}"#;
    let metadata = [(RUN, run), (LOG, ""), (TOTALS, "")];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let tensor = tensor(&[1.0]);
    let bytes = safetensors::serialize([("trained/a", &tensor)], Some(HashMap::from(metadata)));
    let error = Checkpoint::<Settings>::parse(&bytes.unwrap()).unwrap_err();
    let expected =
        "expected format `emotion-trainer checkpoint 3`, found `emotion-trainer checkpoint 2`";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[test]
fn a_value_that_is_not_finite_is_named() {
    let mut checkpoint = checkpoint();
    assert_eq!(checkpoint.not_finite(), None);
    let tensor = tensor(&[1.0, f32::NAN]);
    checkpoint.insert(
        "moments",
        WeightTensors::from([("first.a".to_owned(), tensor)]),
    );
    assert_eq!(checkpoint.not_finite(), Some("moments/first.a"));
}
