use super::*;

use crate::detector::annotations::Annotation;
use crate::random::{Purpose, generator};

/// Nothing changes the light.
const DARK: PhotometricAugmentation = PhotometricAugmentation {
    exposure: (0.0, 0.0),
    contrast: (0.0, 0.0),
    side: (0.0, 0.0),
    blur: (0.0, 0.0),
    noise: (0.0, 0.0),
    jpeg: (0.0, 25),
};

const SAMPLING: Sampling = Sampling {
    light: DARK,
    ..Sampling::DEFAULT
};

const FACE: u8 = 255;
const WALL: u8 = 30;

/// A dark wall with bright discs as faces: what is bright is a face, however it is turned.
fn made_image(labels: LabelSource, faces: &[[f32; 3]], ignored: &[Region]) -> TrainingImage {
    let (width, height) = (320, 240);
    let is_face = |x: usize, y: usize| {
        faces.iter().any(|&[left, top, side]| {
            let middle = side / 2.0;
            let (x, y) = (
                x as f32 + 0.5 - left - middle,
                y as f32 + 0.5 - top - middle,
            );
            x.hypot(y) <= middle
        })
    };
    let pixels: Vec<u8> = (0..width * height)
        .map(|index| match is_face(index % width, index / width) {
            true => FACE,
            false => WALL,
        })
        .collect();
    let boxes = faces.iter().map(|&[x, y, side]| Region {
        x,
        y,
        width: side,
        height: side,
    });
    let annotation = Annotation {
        image: "made.png".into(),
        split: None,
        labels,
        boxes: boxes.collect(),
        landmarks: faces.iter().map(|&face| Some(points(face))).collect(),
        ignored: ignored.to_vec(),
        hard_negatives: vec![],
        source: None,
    };
    let image = GrayImage::from_raw(width as u32, height as u32, pixels).unwrap();
    TrainingImage::new(image, &annotation)
}

/// The landmarks of a disc: eyes, nose and mouth.
fn points([left, top, side]: [f32; 3]) -> Landmarks {
    let points = [[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]];
    Landmarks(points).map(|[x, y]| [left + x * side, top + y * side])
}

fn wall_with_faces() -> TrainingImage {
    let faces = [
        [40.0, 30.0, 60.0],
        [180.0, 90.0, 36.0],
        [250.0, 180.0, 20.0],
    ];
    made_image(LabelSource::Human, &faces, &[])
}

fn draw(sampling: Sampling, images: &[TrainingImage], stream: u64) -> Sample {
    let images = TrainingImages::new(images.to_vec());
    sampling.draw(&images, &mut generator(1, Purpose::Sampling, stream))
}

/// Whether `[x, y]` lies in the region or at most `room` pixels beside it.
fn holds(region: &Region, [x, y]: [f32; 2], room: f32) -> bool {
    let within = |at: f32, start: f32, len: f32| (start - room..=start + len + room).contains(&at);
    within(x, region.x, region.width) && within(y, region.y, region.height)
}

fn centres(sample: &Sample) -> impl Iterator<Item = ([f32; 2], u8)> {
    let size = sample.size;
    let centre = move |(index, &pixel): (usize, &u8)| {
        (
            [(index % size) as f32 + 0.5, (index / size) as f32 + 0.5],
            pixel,
        )
    };
    sample.pixels.iter().enumerate().map(centre)
}

/// Checks that what is bright lies in labelled boxes and that whole boxes are as bright as discs are, and returns the
/// number of faces.
fn assert_labels_lie_on_faces(sample: &Sample, name: &str) -> usize {
    for (at, pixel) in centres(sample) {
        let bright = pixel > 200;
        let faces = sample.faces.iter().map(|face| &face.region);
        let labelled = faces
            .chain(&sample.ignored)
            .any(|region| holds(region, at, 1.5));
        assert!(labelled || !bright, "{name}: a face at {at:?} has no box");
    }
    for SampleFace { region, .. } in &sample.faces {
        let values: Vec<u8> = centres(sample)
            .filter(|&(at, _)| holds(region, at, 0.0))
            .map(|(_, pixel)| pixel)
            .collect();
        let bright = values.iter().filter(|&&pixel| pixel > 140).count();
        let share = bright as f32 / values.len() as f32;
        // π/4 of a whole disc; where a box is cut off, more or less of it is left.
        assert!(share > 0.55, "{name}: {share} of {region:?} is a face");
        assert!(region.width.max(region.height) >= TOO_SMALL);
        assert!(region.x >= 0.0 && region.y >= 0.0);
        let size = sample.size as f32 + 1e-3;
        assert!(region.x + region.width <= size && region.y + region.height <= size);
    }
    sample.faces.len()
}

#[test]
fn boxes_stay_on_their_faces_however_the_picture_is_cut_turned_mirrored_and_scaled() {
    let still = Sampling {
        mosaic: (0.0, 2),
        rotation: (0.0, 0.0),
        aspect: 0.0,
        ..SAMPLING
    };
    for (name, sampling) in [
        ("still", still),
        (
            "turned",
            Sampling {
                rotation: (1.0, 20.0),
                ..still
            },
        ),
        (
            "tilted far",
            Sampling {
                rotation: (1.0, 60.0),
                ..still
            },
        ),
        (
            "close-ups",
            Sampling {
                close_ups: 1.0,
                ..still
            },
        ),
        (
            "stretched",
            Sampling {
                aspect: 0.12,
                ..still
            },
        ),
        (
            "mosaic",
            Sampling {
                mosaic: (1.0, 4),
                ..still
            },
        ),
        ("as trained", SAMPLING),
    ] {
        let images = [wall_with_faces()];
        let faces: usize = (0..60)
            .map(|stream| {
                let sample = draw(sampling, &images, stream);
                assert_labels_lie_on_faces(&sample, &format!("{name}, {stream}"))
            })
            .sum();
        assert!(faces >= 60, "{name}: {faces}");
    }
}

#[test]
fn faces_fill_and_overfill_close_ups_on_grey() {
    let images = [wall_with_faces()];
    let sampling = Sampling {
        close_ups: 1.0,
        enlargement: 20.0,
        ..SAMPLING
    };
    let size = SAMPLING.size;
    let mut largest = [0.0f32; 2];
    for stream in 0..60 {
        let sample = draw(sampling, &images, stream);
        let count = sample.faces.len();
        assert!([1, 4].contains(&count), "{stream}: {count} faces");
        let cell = size / if count == 1 { 1 } else { 2 };
        for row in (0..size).step_by(cell) {
            let border = &sample.pixels[row * size..][..size];
            assert!(border.iter().all(|&pixel| pixel == OUTSIDE), "{stream}");
        }
        for SampleFace { region, .. } in &sample.faces {
            let side = region.width.max(region.height) / cell as f32;
            assert!(side > 0.25, "{stream}: {region:?}");
            let largest = &mut largest[usize::from(count == 4)];
            *largest = largest.max(side);
        }
    }
    // As large as a cell whose borders are the least ones.
    assert!(
        largest.iter().all(|side| (0.8..=0.93).contains(side)),
        "{largest:?}"
    );
    let usual = Sampling {
        close_ups: 0.0,
        mosaic: (0.0, 2),
        rotation: (0.0, 0.0),
        aspect: 0.0,
        ..sampling
    };
    let mut faces = (0..60).flat_map(|stream| draw(usual, &images, stream).faces);
    assert!(faces.all(|face| face.region.width.max(face.region.height) < FILL * size as f32 + 1.0));
}

#[test]
fn a_hard_negative_fills_a_close_up_too() {
    let mut image = wall_with_faces();
    let emblem = Region::new(100.0, 180.0, 40.0, 40.0);
    image.hard_negatives = vec![emblem];
    let sampling = Sampling {
        close_ups: 1.0,
        hard_negatives: 1.0,
        enlargement: 20.0,
        ..SAMPLING
    };
    for stream in 0..30 {
        let sample = draw(sampling, std::slice::from_ref(&image), stream);
        // The nearest face is 66 pixels away, and the crop at most twice as wide as the emblem.
        assert!(sample.faces.is_empty(), "{stream}: {:?}", sample.faces);
        assert!(sample.pixels.contains(&WALL), "{stream}");
    }
}

#[test]
fn half_of_the_samples_are_mirrored() {
    // One face, and a larger one always to the right of it.
    let images = [made_image(
        LabelSource::Human,
        &[[60.0, 100.0, 30.0], [110.0, 95.0, 40.0]],
        &[],
    )];
    let sampling = Sampling {
        mosaic: (0.0, 2),
        rotation: (0.0, 0.0),
        ..SAMPLING
    };
    let (mut mirrored, mut straight) = (0, 0);
    for stream in 0..200 {
        let sample = draw(sampling, &images, stream);
        let [a, b] = &sample.faces[..] else { continue };
        let (small, large) = if a.region.height < b.region.height {
            (a, b)
        } else {
            (b, a)
        };
        if large.region.x < small.region.x {
            mirrored += 1;
        } else {
            straight += 1;
        }
    }
    let all = mirrored + straight;
    assert!(
        all >= 50 && mirrored * 3 > all && straight * 3 > all,
        "{mirrored} of {all}"
    );
}

#[test]
fn landmarks_move_with_their_face_and_right_stays_the_side_of_the_person() {
    let images = [wall_with_faces()];
    let sampling = Sampling {
        rotation: (1.0, 60.0),
        mosaic: (0.0, 2),
        ..SAMPLING
    };
    let mut tilted = 0;
    for stream in 0..100 {
        for face in draw(sampling, &images, stream).faces {
            let Region { width, height, .. } = face.region;
            // Cut off at the border.
            if (width - height).abs() > 0.3 * width.max(height) {
                continue;
            }
            let landmarks = face.landmarks.unwrap();
            let roll = landmarks.roll_degrees();
            assert!(roll.abs() < 62.0, "{roll}");
            tilted += usize::from(roll.abs() > 30.0);
            let [nose_x, nose_y] = landmarks.0[2];
            let (x, y) = face.region.centre();
            let apart = (nose_x - x as f32).hypot(nose_y - y as f32);
            assert!(
                apart < 0.35 * width.max(height),
                "{apart} of {width}×{height}"
            );
        }
    }
    assert!(tilted > 20, "{tilted}");
}

#[test]
fn crops_show_hard_negatives_as_often_as_asked_for() {
    // What was taken for a face is as bright as one.
    let mut image = made_image(LabelSource::Human, &[[140.0, 100.0, 40.0]], &[]);
    image.hard_negatives = std::mem::take(&mut image.faces);
    image.landmarks.clear();
    let images = [image, wall_with_faces()];
    let shows = |share: f32| {
        let sampling = Sampling {
            hard_negatives: share,
            mosaic: (0.0, 2),
            ..SAMPLING
        };
        let sample = |stream| draw(sampling, &images, stream);
        let empty = (0..100)
            .map(sample)
            .filter(|sample| sample.faces.is_empty());
        let empty: Vec<Sample> = empty.collect();
        let is_bright = |sample: &&Sample| sample.pixels.iter().any(|&pixel| pixel > 200);
        (empty.len(), empty.iter().filter(is_bright).count())
    };
    assert_eq!(shows(1.0), (100, 100));
    let (half, shown) = shows(0.0);
    assert!((20..80).contains(&half), "{half}");
    assert!(shown < half, "{shown} of {half}");
}

#[test]
fn faces_of_all_sizes_are_learnt_from_a_picture_in_which_all_are_of_one() {
    let images = [made_image(LabelSource::Human, &[[100.0, 80.0, 60.0]], &[])];
    let mut sizes: Vec<f32> = (0..300)
        .flat_map(|stream| draw(SAMPLING, &images, stream).faces)
        .map(|face| face.region.width.max(face.region.height))
        .collect();
    sizes.sort_by(f32::total_cmp);
    let (least, middle, most) = (sizes[0], sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
    assert!(least < 16.0 && most > 100.0, "{least} to {most}");
    assert!((16.0..80.0).contains(&middle), "{middle}");
}

#[test]
fn a_picture_is_not_blown_up_beyond_what_it_holds() {
    let images = [made_image(LabelSource::Human, &[[100.0, 80.0, 20.0]], &[])];
    let sampling = Sampling {
        mosaic: (0.0, 2),
        aspect: 0.0,
        ..SAMPLING
    };
    let sizes = (0..100).flat_map(|stream| draw(sampling, &images, stream).faces);
    let largest = sizes.map(|face| face.region.width).fold(0.0, f32::max);
    assert!((40.0..=50.01).contains(&largest), "{largest}");
}

#[test]
fn faces_too_small_or_cut_off_are_neither_faces_nor_background() {
    // Beside a large face one of which nothing is left when that is reduced.
    let images = [made_image(
        LabelSource::Human,
        &[[40.0, 20.0, 200.0], [260.0, 10.0, 12.0]],
        &[],
    )];
    let mut small = 0;
    for stream in 0..100 {
        let sample = draw(SAMPLING, &images, stream);
        let too_small = |region: &&Region| region.width.max(region.height) < TOO_SMALL;
        small += sample.ignored.iter().filter(too_small).count();
    }
    assert!(small > 10, "{small}");

    let mut cut = 0;
    let sampling = Sampling {
        mosaic: (0.0, 2),
        covered: 0.0,
        rotation: (0.0, 0.0),
        aspect: 0.0,
        ..SAMPLING
    };
    for stream in 0..300 {
        let sample = draw(sampling, &images, stream);
        for region in &sample.ignored {
            let at_border = region.x == 0.0
                || region.y == 0.0
                || region.x + region.width > sample.size as f32 - 0.01
                || region.y + region.height > sample.size as f32 - 0.01;
            let small = region.width.max(region.height) < TOO_SMALL;
            assert!(at_border || small, "{region:?}");
            cut += usize::from(at_border && !small);
        }
    }
    assert!(cut > 0);
}

#[test]
fn ignored_regions_move_with_the_picture() {
    // On the face, so that it can be found again.
    let face = [100.0, 80.0, 60.0];
    let place = Region {
        x: 100.0,
        y: 80.0,
        width: 60.0,
        height: 60.0,
    };
    let images = [made_image(LabelSource::Human, &[face], &[place])];
    let mut found = 0;
    for stream in 0..50 {
        let sample = draw(SAMPLING, &images, stream);
        for face in &sample.faces {
            assert!(sample.ignored.contains(&face.region), "{stream}");
            found += 1;
        }
    }
    assert!(found > 50);
}

#[test]
fn the_background_of_pictures_that_a_detector_labelled_is_doubtful_and_that_of_others_is_not() {
    let faces = [[100.0, 80.0, 60.0]];
    let [human, model] =
        [LabelSource::Human, LabelSource::Model].map(|labels| made_image(labels, &faces, &[]));
    let whole = Sampling {
        mosaic: (0.0, 2),
        ..SAMPLING
    };
    let sample = draw(whole, std::slice::from_ref(&model), 1);
    let size = sample.size as f32;
    let all = Region {
        x: 0.0,
        y: 0.0,
        width: size,
        height: size,
    };
    assert_eq!(sample.doubtful, [all]);
    assert!(
        sample
            .faces
            .iter()
            .all(|face| face.labels == LabelSource::Model)
    );
    assert!(
        draw(SAMPLING, std::slice::from_ref(&human), 1)
            .doubtful
            .is_empty()
    );

    let mosaic = Sampling {
        mosaic: (1.0, 4),
        ..SAMPLING
    };
    for stream in 0..20 {
        let sample = draw(mosaic, &[human.clone(), model.clone()], stream);
        for face in &sample.faces {
            let Region {
                x,
                y,
                width,
                height,
            } = face.region;
            let centre = [x + width / 2.0, y + height / 2.0];
            let doubtful = sample.doubtful.iter().any(|tile| holds(tile, centre, 0.0));
            assert_eq!(doubtful, face.labels == LabelSource::Model, "{stream}");
        }
    }
}

#[test]
fn pictures_without_faces_fill_samples_too() {
    let images = [made_image(LabelSource::Human, &[], &[])];
    for stream in 0..20 {
        let sample = draw(SAMPLING, &images, stream);
        assert!(sample.faces.is_empty());
        let wall = sample.pixels.iter().filter(|&&pixel| pixel == WALL).count();
        assert!(wall > sample.pixels.len() / 4, "{wall}");
    }
}

#[test]
fn the_tiles_of_a_mosaic_cover_the_sample_once() {
    let sampling = Sampling {
        mosaic: (1.0, 4),
        ..SAMPLING
    };
    for stream in 0..20 {
        let tiles = sampling.tiles(&mut generator(1, Purpose::Sampling, stream));
        assert!([4, 9, 16].contains(&tiles.len()));
        let mut covered = vec![0; sampling.size * sampling.size];
        for tile in tiles {
            for y in tile.top..tile.bottom {
                for x in tile.left..tile.right {
                    covered[y * sampling.size + x] += 1;
                }
            }
        }
        assert!(covered.iter().all(|&count| count == 1));
    }
}

#[test]
fn the_same_numbers_draw_the_same_sample() {
    let images = [wall_with_faces()];
    let [first, again] = [7, 7].map(|stream| draw(Sampling::DEFAULT, &images, stream));
    assert_eq!(first.pixels, again.pixels);
    assert_eq!(first.faces, again.faces);
    assert_ne!(draw(Sampling::DEFAULT, &images, 8).pixels, first.pixels);
}
