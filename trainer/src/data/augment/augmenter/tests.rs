use super::*;
use crate::data::faces::FACE_SIZE;
use crate::random::generator;
use crate::testing::random_faces;

fn augmented(augmentation: Augmentation, stream: u64) -> Vec<u8> {
    let faces = random_faces(1, 1);
    let mut augmenter = Augmenter::new(augmentation, FACE_SIZE);
    let face = augmenter.run(faces.pixels(0), |purpose| generator(1, purpose, stream));
    face.pixels.to_vec()
}

#[test]
fn no_augmentation_leaves_every_pixel() {
    let faces = random_faces(1, 1);
    assert_eq!(augmented(Augmentation::NONE, 0), faces.pixels(0));
}

#[test]
fn each_change_is_decided_by_the_generator_alone() {
    for (name, augmentation) in [
        (
            "warp",
            Augmentation {
                shift: 0.1,
                ..Augmentation::NONE
            },
        ),
        (
            "exposure",
            Augmentation {
                exposure: 2.0,
                ..Augmentation::NONE
            },
        ),
        (
            "light",
            Augmentation {
                light: 0.3,
                ..Augmentation::NONE
            },
        ),
        (
            "noise",
            Augmentation {
                noise: 8.0,
                ..Augmentation::NONE
            },
        ),
        (
            "cover",
            Augmentation {
                cover: 1.0,
                ..Augmentation::NONE
            },
        ),
        (
            "blur",
            Augmentation {
                blur: 1.0,
                ..Augmentation::NONE
            },
        ),
        (
            "reduction",
            Augmentation {
                reduce: 1.0,
                ..Augmentation::NONE
            },
        ),
        (
            "compression",
            Augmentation {
                compress: 1.0,
                ..Augmentation::NONE
            },
        ),
        (
            "erasing",
            Augmentation {
                erasing: 1.0,
                ..Augmentation::NONE
            },
        ),
    ] {
        assert_eq!(
            augmented(augmentation, 1),
            augmented(augmentation, 1),
            "{name}"
        );
        assert_ne!(
            augmented(augmentation, 1),
            augmented(augmentation, 2),
            "{name}"
        );
    }
}

#[test]
fn without_another_exposure_all_else_is_the_same() {
    let warp = Augmentation {
        shift: 0.1,
        erasing: 1.0,
        ..Augmentation::NONE
    };
    let exposed = Augmentation {
        exposure: 2.0,
        ..warp
    };
    let same = |stream| {
        let (plain, exposed) = (augmented(warp, stream), augmented(exposed, stream));
        plain.iter().zip(&exposed).filter(|(a, b)| a == b).count()
    };
    let same: Vec<_> = (0..20).map(same).collect();
    // What is covered is so whatever the light was; two faces in five keep theirs.
    assert!(same.iter().all(|&same| same > 0), "{same:?}");
    let all = augmented(warp, 0).len();
    let kept = same.iter().filter(|&&same| same == all).count();
    assert!((3..16).contains(&kept), "{same:?}");
}

#[test]
fn a_change_that_comes_later_does_not_move_the_ones_before() {
    let warp = Augmentation {
        shift: 0.1,
        ..Augmentation::NONE
    };
    let covered = Augmentation {
        erasing: 1.0,
        ..warp
    };
    let (plain, covered) = (augmented(warp, 3), augmented(covered, 3));
    let same = plain.iter().zip(&covered).filter(|(a, b)| a == b).count();
    assert!(same > plain.len() / 2 && same < plain.len(), "{same}");
}

#[test]
fn erasing_covers_its_share_of_the_faces() {
    let half = Augmentation {
        erasing: 0.5,
        ..Augmentation::NONE
    };
    let faces = random_faces(1, 1);
    let covered = (0..400)
        .filter(|&stream| augmented(half, stream) != faces.pixels(0))
        .count();
    assert!((160..240).contains(&covered), "{covered}");
}
