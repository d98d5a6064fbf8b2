use super::*;
use candle_core::DType;
use candle_nn::init::DEFAULT_KAIMING_NORMAL;
use emotion_models::weights::Architecture;

const UNIFORM: Init = Init::Uniform { lo: -0.5, up: 0.25 };

fn parameters(seed: u64) -> Parameters {
    let graph = Architecture::MiniXception.graph(48, 7).unwrap();
    Parameters::new(&TrainingExecutor::new(&graph).unwrap(), seed).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn drawn(init: Init) -> Vec<f32> {
    draw(init, &Shape::from(4000), 1, "a")
}

#[test]
fn first_values_depend_on_seed_and_name() {
    let snapshot = |seed| parameters(seed).snapshot().unwrap();
    let [first, again, other] = [1, 1, 2].map(snapshot);
    let (conv1, conv2) = (
        "modules.0.separable2.pointwise.weight",
        "modules.1.residual.conv.weight",
    );
    assert_eq!(values(&first[conv1]), values(&again[conv1]));
    assert_ne!(values(&first[conv1]), values(&other[conv1]));
    assert_ne!(values(&first[conv1])[..64], values(&first[conv2])[..64]);
}

#[test]
fn uniform_values_fill_their_range() {
    let (min, max) = drawn(UNIFORM)
        .iter()
        .fold((1f32, -1f32), |(lo, up), &v| (lo.min(v), up.max(v)));
    assert!(
        (-0.5..-0.49).contains(&min) && (0.24..=0.25).contains(&max),
        "{min} to {max}"
    );
}

#[test]
fn normal_values_have_the_mean_and_the_deviation_asked_for() {
    let values = drawn(Init::Randn {
        mean: 3.0,
        stdev: 0.5,
    });
    let mean = values.iter().sum::<f32>() / 4000.0;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 4000.0;
    assert!((mean - 3.0).abs() < 0.03, "{mean}");
    assert!((variance.sqrt() - 0.5).abs() < 0.02, "{variance}");
}

#[test]
fn kaiming_values_deviate_by_the_gain_over_the_root_of_the_fan() {
    let values = draw(DEFAULT_KAIMING_NORMAL, &Shape::from((100, 50)), 1, "a");
    let variance = values.iter().map(|v| v * v).sum::<f32>() / 5000.0;
    assert!((variance - 2.0 / 50.0).abs() < 0.002, "{variance}");
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
    let wrong = Tensor::zeros((2, 3), DType::F32, &Device::Cpu).unwrap();
    snapshot.insert("head.bias".to_owned(), wrong);
    let error = parameters.restore(&snapshot).unwrap_err().to_string();
    assert!(
        error.contains("head.bias is [2, 3], expected [7]"),
        "{error}"
    );
}
