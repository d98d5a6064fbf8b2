use super::*;
use crate::emotion::recipe::Recipe;
use crate::testing::random_faces;

fn plan(epoch: usize) -> BatchPlan {
    BatchPlan {
        seed: 5,
        batch: 8,
        ..Recipe::Seed.settings().batch_plan(epoch)
    }
}

fn values(batch: &FaceBatch) -> Vec<f32> {
    batch.faces.flatten_all().unwrap().to_vec1().unwrap()
}

fn batch(plan: &BatchPlan, faces: &Faces, index: usize, rows: &[usize]) -> FaceBatch {
    let targets = LabelTargets::new(faces, plan.targets);
    plan.prepare(faces, &targets, index, rows).unwrap()
}

fn epoch(faces: &Arc<Faces>, plan: BatchPlan) -> Vec<FaceBatch> {
    FaceBatches::new(Arc::clone(faces), plan, 0)
        .map(Result::unwrap)
        .collect()
}

#[test]
fn an_epoch_holds_every_face_once() {
    let faces = Arc::new(random_faces(21, 1));
    let batches = epoch(&faces, plan(1));
    assert_eq!(
        batches.iter().map(|b| b.labels.len()).collect::<Vec<_>>(),
        [8, 8, 5]
    );
    let count = |labels: &[Emotion]| {
        Emotion::ALL.map(|emotion| labels.iter().filter(|&&label| label == emotion).count())
    };
    let seen: Vec<_> = batches
        .iter()
        .flat_map(|batch| batch.labels.iter().copied().flatten())
        .collect();
    assert_eq!(count(&seen), count(faces.labels()));
}

#[test]
fn an_epoch_that_goes_on_holds_the_batches_that_are_left() {
    let faces = Arc::new(random_faces(21, 1));
    let left: Vec<_> = FaceBatches::new(Arc::clone(&faces), plan(1), 1)
        .map(|batch| values(&batch.unwrap()))
        .collect();
    let all: Vec<_> = epoch(&faces, plan(1)).iter().map(values).collect();
    assert_eq!(left, all[1..]);
    assert_eq!(FaceBatches::new(faces, plan(1), 3).count(), 0);
}

#[test]
fn batches_depend_on_seed_and_epoch_but_not_on_threads() {
    let faces = Arc::new(random_faces(16, 1));
    let rows: Vec<usize> = (0..16).collect();
    let with_threads = |threads, plan: BatchPlan| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        values(&pool.install(|| batch(&plan, &faces, 0, &rows)))
    };
    let one = with_threads(1, plan(1));
    assert_eq!(one, with_threads(3, plan(1)));
    assert_ne!(one, with_threads(1, plan(2)));
    assert_ne!(one, with_threads(1, BatchPlan { seed: 6, ..plan(1) }));
}

#[test]
fn faces_that_are_not_augmented_are_those_of_evaluation() {
    let faces = Arc::new(random_faces(3, 1));
    let still = BatchPlan {
        augmentation: Augmentation::NONE,
        ..plan(1)
    };
    let batch = batch(&still, &faces, 0, &[0, 1, 2]);
    assert_eq!(
        values(&batch),
        preprocessed(&faces, 0..3, &Preprocessor::new(FACE_SIZE))
    );
}

#[test]
fn teachers_see_the_same_faces_moved_and_otherwise_as_they_were() {
    let faces = random_faces(4, 1);
    let robust = Recipe::Robust.settings().augmentation;
    let changed = BatchPlan {
        augmentation: Augmentation {
            cover: 1.0,
            ..robust
        },
        mixing: Recipe::Best.settings().mixing,
        has_teachers: true,
        ..plan(1)
    };
    let moved = BatchPlan {
        augmentation: robust.only_moved(),
        ..changed
    };
    let made = |plan: &BatchPlan| batch(plan, &faces, 0, &[0, 1, 2, 3]);
    let (student, plain) = (made(&changed), made(&moved));
    assert!(plain.teacher_faces.is_none());
    let seen = student.teacher_faces.as_ref().unwrap();
    let seen: Vec<f32> = seen.flatten_all().unwrap().to_vec1().unwrap();
    assert_eq!(seen, values(&plain));
    assert_ne!(seen, values(&student));
    assert_eq!(student.labels, plain.labels);
    let untaught = BatchPlan {
        has_teachers: false,
        ..changed
    };
    assert!(made(&untaught).teacher_faces.is_none());
}

#[test]
fn views_repeat_the_movements_of_a_face_but_not_its_other_changes() {
    let faces = random_faces(2, 1);
    let plan = |epoch| BatchPlan {
        augmentation: Recipe::Best.settings().augmentation,
        has_teachers: true,
        views: Some(3),
        ..plan(epoch)
    };
    let made = |epoch| batch(&plan(epoch), &faces, 0, &[0, 1]);
    let moved = |batch: &FaceBatch| -> Vec<f32> {
        let faces = batch.teacher_faces.as_ref().unwrap();
        faces.flatten_all().unwrap().to_vec1().unwrap()
    };
    let [first, second, again] = [1, 2, 4].map(made);
    assert_eq!([first.view, second.view, again.view], [0, 1, 0]);
    assert_eq!(moved(&first), moved(&again));
    assert_ne!(moved(&first), moved(&second));
    assert_ne!(values(&first), values(&again));
}

#[test]
fn covered_faces_have_a_target_of_their_own() {
    let faces = random_faces(2, 1);
    let plan = |cover| BatchPlan {
        augmentation: Augmentation {
            cover,
            ..Augmentation::NONE
        },
        ..plan(1)
    };
    let covers = |cover| {
        let batch = batch(&plan(cover), &faces, 0, &[0, 1]);
        batch.covers.to_vec2::<f32>().unwrap()
    };
    assert_eq!(covers(1.0), [[1.0, 0.0]; 2]);
    assert_eq!(covers(0.0), [[0.0, 1.0]; 2]);
}

#[test]
fn mixed_faces_differ_from_batch_to_batch_and_the_targets_go_with_them() {
    let faces = random_faces(4, 1);
    let mixed = BatchPlan {
        augmentation: Augmentation::NONE,
        mixing: Mixing {
            mixup: 1.0,
            cutmix: 0.0,
        },
        ..plan(1)
    };
    let [first, again, second] = [0, 0, 1].map(|index| batch(&mixed, &faces, index, &[0, 1]));
    assert_eq!(values(&first), values(&again));
    assert_ne!(values(&first), values(&second));
    let sources = preprocessed(&faces, 0..2, &Preprocessor::new(FACE_SIZE));
    let targets = first.targets.to_vec2::<f32>().unwrap();
    let share = targets[0][faces.labels()[0].label_id()];
    for (value, source) in values(&first).iter().zip(&sources[..FACE_SIZE * FACE_SIZE]) {
        assert!((value - share * source).abs() <= 1.0 - share + 1e-5);
    }
}
