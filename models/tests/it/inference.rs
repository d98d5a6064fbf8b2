//! The inference executor's promises besides its logits.

use allocation_counter::measure;
use emotion_models::graph::FoldedNetwork;
use emotion_models::inference::{Error, InferenceExecutor, Precision};
use emotion_models::weights::Architecture;
use emotion_models::{Instructions, Weights, face_net};

use crate::common::{fold, random_faces, random_values, random_weights, run, uniform};

const CLASSES: usize = 7;

/// The detector's network with random parameters, and a picture.
fn detector([height, width]: [usize; 2]) -> (FoldedNetwork, Vec<f32>) {
    let graph = face_net::graph(height, width, true).unwrap();
    let values = random_values(&graph.parameters(), 1);
    let picture = uniform(height * width, -1.0, 1.0, 7);
    (fold(&graph, &values), picture)
}

#[test]
fn threads_share_the_rows_of_a_picture_and_give_what_one_gives() {
    let (network, picture) = detector([160, 224]);
    for precision in Precision::ALL {
        let executor = InferenceExecutor::from_network(&network, Instructions::best(), precision);
        let expected = run(&mut executor.clone(), &picture);
        for threads in [0, 2, 3, 7] {
            let mut executor = executor.clone().with_threads_each(threads);
            let found = run(&mut executor, &picture);
            assert_eq!(found, expected, "{threads} threads in {precision}");
        }
    }
}

#[test]
fn a_picture_may_be_put_where_the_executor_reads_it() {
    let (network, picture) = detector([64, 96]);
    let mut executor =
        InferenceExecutor::from_network(&network, Instructions::best(), Precision::F32);
    let expected = run(&mut executor, &picture);
    let mut executor = executor.clone();
    let mut found = vec![f32::NAN; executor.classes()];
    run_picture(&mut executor, &picture, &mut found, usize::MAX, |_, _| true);
    assert_eq!(found, expected);
    let short = executor.run_picture(&mut found[1..]);
    assert!(matches!(short, Err(Error::Logits { .. })));
}

#[test]
fn outputs_that_nobody_wants_are_zero_and_the_others_as_ever() {
    let (network, picture) = detector([64, 96]);
    let maps = face_net::STRIDES.map(|stride| 64 / stride * (96 / stride));
    let sizes = [face_net::VALUES, face_net::LANDMARK_VALUES]
        .into_iter()
        .flat_map(|values| maps.map(|cells| cells * values));
    let sizes: Vec<usize> = sizes.collect();
    for precision in Precision::ALL {
        let executor = InferenceExecutor::from_network(&network, Instructions::best(), precision);
        let mut expected = vec![f32::NAN; executor.classes()];
        run_picture(
            &mut executor.clone(),
            &picture,
            &mut expected,
            usize::MAX,
            |_, _| true,
        );
        for wanted in 0..8 {
            let mut found = vec![f32::NAN; executor.classes()];
            let is_wanted = |index: usize, values: &[f32]| {
                assert_eq!(
                    values,
                    &expected[..sizes[..3].iter().sum()],
                    "before output {index}"
                );
                wanted >> (index - 3) & 1 == 1
            };
            run_picture(&mut executor.clone(), &picture, &mut found, 3, is_wanted);
            let mut start = 0;
            for (index, size) in sizes.iter().enumerate() {
                let place = start..start + size;
                start = place.end;
                let is_computed = index < 3 || wanted >> (index - 3) & 1 == 1;
                let what = format!("output {index} of {wanted:b} in {precision}");
                if is_computed {
                    assert_eq!(found[place.clone()], expected[place], "{what}");
                } else {
                    assert!(found[place].iter().all(|value| *value == 0.0), "{what}");
                }
            }
        }
    }
}

fn run_picture(
    executor: &mut InferenceExecutor,
    picture: &[f32],
    logits: &mut [f32],
    always: usize,
    is_wanted: impl Fn(usize, &[f32]) -> bool,
) {
    let [_, width, _] = executor.input_shape();
    let (values, stride) = executor.picture_mut();
    for (to, from) in values.chunks_mut(stride).zip(picture.chunks_exact(width)) {
        to[..width].copy_from_slice(from);
    }
    executor
        .run_picture_wanted(logits, always, is_wanted)
        .unwrap();
}

#[test]
fn a_precision_that_the_machine_lacks_is_refused() {
    let weights = Weights::embedded().unwrap();
    for precision in [Precision::F32, Precision::Bf16] {
        let made = InferenceExecutor::with_precision(&weights, precision);
        assert_eq!(made.is_ok(), precision.is_available(), "{precision}");
    }
    assert!(Precision::fastest().is_available());
}

#[test]
fn what_one_call_leaves_behind_does_not_change_the_next() {
    for architecture in Architecture::CLASSIFIERS {
        let weights = random_weights(architecture, 48, 1);
        let mut executor = InferenceExecutor::new(&weights).unwrap();
        let faces = random_faces(3, 48);
        let first = run(&mut executor, &faces);
        run(&mut executor, &vec![1e6; 48 * 48]);
        assert_eq!(run(&mut executor, &faces), first);
        let face = &faces[48 * 48..][..48 * 48];
        let alone = run(&mut executor.clone(), face);
        assert_eq!(alone, first[CLASSES..][..CLASSES]);
    }
}

#[test]
fn threads_share_the_faces_whatever_their_number() {
    let weights = random_weights(Architecture::MiniXception, 48, 1);
    let faces = random_faces(5, 48);
    let executor = InferenceExecutor::new(&weights).unwrap();
    let expected = run(&mut executor.clone(), &faces);
    for threads in [0, 2, 3, 8] {
        let mut executor = executor.clone().with_threads(threads);
        assert_eq!(run(&mut executor, &faces), expected, "{threads} threads");
        assert!(run(&mut executor, &[]).is_empty());
    }
}

#[test]
fn nothing_is_allocated_from_face_to_face() {
    for architecture in Architecture::CLASSIFIERS {
        let weights = random_weights(architecture, 48, 1);
        let mut executor = InferenceExecutor::new(&weights).unwrap();
        let faces = random_faces(8, 48);
        let mut logits = [0.0; 8 * CLASSES];
        let counted = measure(|| executor.run(&faces, &mut logits).unwrap());
        assert_eq!(counted.count_total, 0, "{architecture}");
    }
}

#[test]
fn an_instance_takes_a_few_mebibytes_besides_the_weights() {
    for architecture in Architecture::CLASSIFIERS {
        let limit = match architecture {
            Architecture::ResidualXceptionLarge => 3 << 20,
            _ => 2 << 20,
        };
        let weights = random_weights(architecture, 48, 1);
        let executor = InferenceExecutor::new(&weights).unwrap();
        let memory = executor.memory();
        assert!(memory < limit, "{architecture}: {memory} bytes");
        // A clone shares the weights, which are more than nothing but counted once.
        let counted = measure(|| drop(std::hint::black_box(executor.clone())));
        assert!(counted.bytes_total < (memory + 4096) as u64, "{counted:?}");
    }
}

#[test]
fn faces_and_logits_of_other_lengths_are_refused() {
    let weights = random_weights(Architecture::MiniXception, 48, 1);
    let mut executor = InferenceExecutor::new(&weights).unwrap();
    let error = executor.run(&[0.0; 2303], &mut [0.0; 7]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a multiple of 2304 values (48×48 a face), found 2303"
    );
    let error = executor.run(&[0.0; 2304], &mut [0.0; 14]).unwrap_err();
    assert!(matches!(
        error,
        Error::Logits {
            expected: 7,
            found: 14
        }
    ));
}
