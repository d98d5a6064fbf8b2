use super::*;
use crate::emotion::epoch::EmotionEpoch;
use crate::emotion::recipe::{FaceDataSummary, Recipe, Settings};

const FORMAT: &str = Settings::FORMATS[0];

fn checkpoint() -> Checkpoint<Settings> {
    let source = FaceDataSummary {
        data: None,
        teacher_files: Vec::new(),
        training_faces: 10,
        validation_faces: 5,
    };
    let mut run = Run::new(Recipe::Seed.settings(), source);
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
        temperature: Some(third.exp2()),
        val_loss_calibrated: Some(third.ln_1p()),
        val_ece: Some(third.atan()),
        val_macro_f1: Some(third.cbrt()),
    });
    run.totals = EpochTotals {
        steps: 1,
        samples: 3,
        loss_sum: third,
        ..EpochTotals::default()
    };
    let mut checkpoint = Checkpoint::new(run);
    let tensor = Tensor::new(&[1.0f32, third as f32], &Device::Cpu).unwrap();
    checkpoint.insert(
        "network",
        HashMap::from([("conv.weight".to_owned(), tensor)]),
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
    let weights = loaded.group("network")["conv.weight"]
        .to_vec1::<f32>()
        .unwrap();
    assert_eq!(weights, [1.0, (1.0 / 3.0) as f32]);
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

/// What the first version wrote: no totals, and nothing about architecture, name or teachers.
fn checkpoint_1(format: &str) -> Vec<u8> {
    let run = r#"{"format":"FORMAT","settings":{"recipe":"best","seed":1,"input_size":48,
        "epochs":60,"early_stop":null,"batch":64,"learning_rate":0.004,
        "schedule":{"one_cycle":{"warmup":0.3}},
        "optimizer":{"beta1":0.9,"beta2":0.999,"epsilon":1e-8,"weight_decay":0.0001},
        "label_smoothing":0.0,"average":0.999,
        "augmentation":{"rotation_degrees":10.0,"shift":0.1,"zoom":0.1,"flip":true},
        "choice":"accuracy"},"training_faces":100,"validation_faces":10}"#
        .replace("FORMAT", format);
    let log = "epoch,acc,loss,val_acc,val_loss,lr,seconds\n1,0.5,1.25,0.5,1.5,0.001,2.0\n";
    let metadata = [(RUN, run), (LOG, log.to_owned())];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value));
    let tensor = Tensor::new(&[1.0f32], &Device::Cpu).unwrap();
    safetensors::serialize([("trained/a", tensor)], Some(HashMap::from(metadata))).unwrap()
}

fn parse(bytes: &[u8]) -> Result<Checkpoint<Settings>> {
    Checkpoint::parse(bytes)
}

#[test]
fn a_checkpoint_of_the_first_format_is_at_the_end_of_an_epoch() {
    let Checkpoint { run, .. } = parse(&checkpoint_1(Settings::FORMATS[1])).unwrap();
    assert_eq!((run.log.len(), run.totals), (1, EpochTotals::default()));
    assert_eq!(run.settings.name(), "mini_xception");
    assert_eq!((run.steps_per_epoch(), run.steps()), (2, 2));
}

#[test]
fn a_checkpoint_of_a_later_format_is_refused_with_both_formats() {
    let later = "emotion-trainer checkpoint 3";
    let error = parse(&checkpoint_1(later)).unwrap_err();
    let expected = format!("expected format `{FORMAT}`, found `{later}`");
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[test]
fn a_value_that_is_not_finite_is_named() {
    let mut checkpoint = checkpoint();
    assert_eq!(checkpoint.not_finite().unwrap(), None);
    let tensor = Tensor::new(&[1.0, f32::NAN], &Device::Cpu).unwrap();
    checkpoint.insert("moments", HashMap::from([("first.a".to_owned(), tensor)]));
    assert_eq!(checkpoint.not_finite().unwrap(), Some("moments/first.a"));
}
