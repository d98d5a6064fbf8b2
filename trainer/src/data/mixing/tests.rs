use super::*;
use crate::random::{Purpose, generator};

const SIZE: usize = 8;
const LABELS: [Emotion; 3] = [Emotion::Angry, Emotion::Happy, Emotion::Neutral];

struct Batch {
    faces: Vec<f32>,
    targets: Vec<Target>,
    labels: Vec<Option<Emotion>>,
}

/// Three plain faces of the values 0, 1 and 2.
fn plain() -> Batch {
    Batch {
        faces: (0..3)
            .flat_map(|value| [value as f32; SIZE * SIZE])
            .collect(),
        targets: LABELS
            .map(|label| std::array::from_fn(|class| f32::from(class == label.label_id())))
            .to_vec(),
        labels: LABELS.map(Some).to_vec(),
    }
}

fn mixed(mixing: Mixing, stream: u64) -> Batch {
    let mut batch = plain();
    let mixture = MixedBatch {
        faces: &mut batch.faces,
        size: SIZE,
        targets: &mut batch.targets,
        labels: &mut batch.labels,
    };
    mixing.run(mixture, &mut generator(1, Purpose::Mixing, stream));
    batch
}

const MIXUP: Mixing = Mixing {
    mixup: 1.0,
    cutmix: 0.0,
};
const CUTMIX: Mixing = Mixing {
    mixup: 0.0,
    cutmix: 1.0,
};

/// Each face with its own value, that of the next one, and their places in the batch.
fn pairs(batch: &Batch) -> impl Iterator<Item = (&[f32], f32, f32, usize, usize)> {
    let faces = batch.faces.chunks(SIZE * SIZE).enumerate();
    faces.map(|(index, face)| {
        let next = (index + 1) % LABELS.len();
        (face, index as f32, next as f32, index, next)
    })
}

#[test]
fn mixup_blends_each_face_with_the_next_as_it_blends_their_targets() {
    for stream in 0..20 {
        let batch = mixed(MIXUP, stream);
        for (face, own, other, index, next) in pairs(&batch) {
            let share = batch.targets[index][LABELS[index].label_id()];
            let rest = batch.targets[index][LABELS[next].label_id()];
            assert!((share + rest - 1.0).abs() < 1e-6);
            let expected = share * own + rest * other;
            assert!(face.iter().all(|value| (value - expected).abs() < 1e-5));
        }
    }
}

#[test]
fn cutmix_shares_the_targets_by_area() {
    for stream in 0..20 {
        let batch = mixed(CUTMIX, stream);
        for (face, own, other, index, next) in pairs(&batch) {
            let own_pixels = face.iter().filter(|&&value| value == own).count();
            let other_pixels = face.iter().filter(|&&value| value == other).count();
            assert_eq!(own_pixels + other_pixels, SIZE * SIZE);
            let share = own_pixels as f32 / (SIZE * SIZE) as f32;
            let targets = batch.targets[index];
            assert!((targets[LABELS[index].label_id()] - share).abs() < 1e-6);
            assert!((targets[LABELS[next].label_id()] - (1.0 - share)).abs() < 1e-6);
        }
    }
}

#[test]
fn the_label_is_that_of_the_larger_share() {
    for stream in 0..40 {
        for mixing in [MIXUP, CUTMIX] {
            let batch = mixed(mixing, stream);
            let labels = batch.labels.iter().flatten();
            for (targets, label) in batch.targets.iter().zip(labels) {
                assert!(
                    targets[label.label_id()] >= 0.5 - 1e-6,
                    "{targets:?} {label}"
                );
            }
        }
    }
}

#[test]
fn with_both_set_a_batch_is_mixed_the_one_or_the_other_way() {
    let both = Mixing {
        mixup: 1.0,
        cutmix: 1.0,
    };
    let is_cut = |stream: &u64| {
        let whole = mixed(both, *stream).faces;
        whole.iter().all(|value| value.fract() == 0.0)
    };
    let cut = (0..200).filter(is_cut).count();
    assert!((70..130).contains(&cut), "{cut}");
}

#[test]
fn a_single_face_stays_as_it_is() {
    let mut faces = vec![0.3; SIZE * SIZE];
    let mixture = MixedBatch {
        faces: &mut faces,
        size: SIZE,
        targets: &mut [[1.0; _]],
        labels: &mut [Some(Emotion::Sad)],
    };
    MIXUP.run(mixture, &mut generator(1, Purpose::Mixing, 0));
    assert!(faces.iter().all(|value| (value - 0.3).abs() < 1e-6));
}

// Beta(α, α) has the mean 1/2 and the variance 1 / (4·(2α + 1)).
#[test]
fn shares_have_the_moments_of_their_distribution() {
    const COUNT: usize = 20_000;
    let mut generator = generator(1, Purpose::Mixing, 0);
    for alpha in [0.1, 0.4, 1.0, 2.0] {
        let shares: Vec<f64> = (0..COUNT)
            .map(|_| f64::from(beta(alpha, &mut generator)))
            .collect();
        let mean = shares.iter().sum::<f64>() / COUNT as f64;
        let variance = shares.iter().map(|s| (s - 0.5).powi(2)).sum::<f64>() / COUNT as f64;
        let expected = 1.0 / (4.0 * (2.0 * f64::from(alpha) + 1.0));
        assert!((mean - 0.5).abs() < 0.015, "α {alpha}: mean {mean}");
        assert!(
            (variance / expected - 1.0).abs() < 0.05,
            "α {alpha}: variance {variance}"
        );
    }
}
