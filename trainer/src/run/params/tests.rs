use super::*;
use candle_core::DType;
use emotion_models::weights::Architecture;

fn parameters(seed: u64) -> Parameters {
    let graph = Architecture::MiniXception.graph(48, 7).unwrap();
    Parameters::new(&TrainingExecutor::new(&graph).unwrap(), seed).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn first_values_depend_on_seed_and_name() {
    let snapshot = |seed| parameters(seed).snapshot().unwrap();
    let [first, again, other] = [1, 1, 2].map(snapshot);
    let (conv1, conv2) = (
        "modules.0.separable2.pointwise.weight",
        "modules.1.residual.conv.weight",
    );
    assert_eq!(first[conv1], again[conv1]);
    assert_ne!(first[conv1], other[conv1]);
    assert_ne!(first[conv1].values[..64], first[conv2].values[..64]);
}

#[test]
fn uniform_values_fill_their_range() {
    let parameter = Parameter {
        name: "a".to_owned(),
        shape: vec![4000],
        init: Initialization::Uniform { limit: 0.5 },
        trained: true,
    };
    let (min, max) = draw(&parameter, 1)
        .iter()
        .fold((1f32, -1f32), |(lo, up), &v| (lo.min(v), up.max(v)));
    assert!(
        (-0.5..-0.49).contains(&min) && (0.49..=0.5).contains(&max),
        "{min} to {max}"
    );
}

#[test]
fn statistics_stand_apart_from_what_is_trained() {
    let parameters = parameters(1);
    assert_eq!(parameters.count(), 58_423);
    assert_eq!(parameters.trained.elem_count(), 56_951);
    let running = |slot: &&Slot| slot.parameter.name.contains("running");
    assert_eq!(parameters.slots().iter().filter(running).count(), 0);
}

#[test]
fn restoring_puts_back_what_the_snapshot_held() {
    let parameters = parameters(1);
    let before = values(&parameters.trained);
    let snapshot = parameters.snapshot().unwrap();
    let zeros = Tensor::zeros(before.len(), DType::F32, &Device::Cpu).unwrap();
    parameters.trained.set(&zeros).unwrap();
    parameters.restore(&snapshot).unwrap();
    assert_eq!(values(&parameters.trained), before);
}

#[test]
fn restoring_a_wrong_shape_names_the_parameter_and_both_shapes() {
    let parameters = parameters(1);
    let mut snapshot = parameters.snapshot().unwrap();
    let wrong = WeightTensor {
        shape: vec![2, 3],
        values: vec![0.0; 6],
    };
    snapshot.insert("head.bias".to_owned(), wrong);
    let error = parameters.restore(&snapshot).unwrap_err().to_string();
    assert!(
        error.contains("head.bias is [2, 3], expected [7]"),
        "{error}"
    );
}
