use emotion_models::preprocess::Landmarks;
use gst_video::VideoFormat;
use gst_video::ffi::GstVideoRectangle;

use super::*;
use crate::face::{
    CANDIDATE_TYPE, DetectedFace, Passage, ROI_TYPE, add_candidates, add_detected, candidates,
    faces, lost_regions, mark_detected,
};

const FRAME: (u32, u32) = (200, 100);
const UNIT: [f32; 9] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];

fn info((width, height): (u32, u32)) -> VideoInfo {
    gst::init().unwrap();
    VideoInfo::builder(VideoFormat::I420, width, height)
        .build()
        .unwrap()
}

fn matrix(
    infos: &[VideoInfo; 2],
    [from, to]: [[i32; 4]; 2],
    matrix: [f32; 9],
) -> GstVideoMetaTransformMatrix {
    let rectangle = |[x, y, w, h]: [i32; 4]| GstVideoRectangle { x, y, w, h };
    let [in_info, out_info] = infos.each_ref().map(|info| std::ptr::from_ref(info).cast());
    GstVideoMetaTransformMatrix {
        in_info,
        in_rectangle: rectangle(from),
        out_info,
        out_rectangle: rectangle(to),
        matrix,
    }
}

/// A face of 40×30 pixels with eyes and mouth.
fn face(x: i32, y: i32) -> DetectedFace {
    let points = [[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]];
    let (left, top) = (x as f32, y as f32);
    DetectedFace {
        x,
        y,
        width: 40,
        height: 30,
        confidence: 0.75,
        landmarks: Some(Landmarks(points).map(|[x, y]| [left + 40.0 * x, top + 30.0 * y])),
    }
}

fn frame(found: &[DetectedFace]) -> gst::Buffer {
    gst::init().unwrap();
    let mut buffer = gst::Buffer::new();
    let made = buffer.make_mut();
    add_detected(made, FRAME.0, FRAME.1, found);
    mark_detected(made, 2.0);
    buffer
}

/// What an element makes of a frame before it tells the change: the custom meta is there, the regions are not.
fn without_regions(old: &gst::Buffer) -> gst::Buffer {
    let mut new = old.copy();
    let made = new.make_mut();
    while let Some(roi) = made.meta_mut::<VideoRegionOfInterestMeta>() {
        roi.remove().unwrap();
    }
    new
}

fn changed(old: &gst::Buffer, matrix: &GstVideoMetaTransformMatrix) -> gst::Buffer {
    let mut new = without_regions(old);
    let change = PictureChange::new(matrix).unwrap();
    change.move_faces(old, new.make_mut());
    new
}

fn rects(buffer: &gst::Buffer) -> Vec<(i32, i32, u32, u32)> {
    let faces = faces(buffer).into_iter();
    faces
        .map(|face| (face.x, face.y, face.width, face.height))
        .collect()
}

fn limits(buffer: &gst::Buffer) -> Vec<[f64; 4]> {
    let stored = StoredFaces::of(buffer);
    let limits = stored.iter().map(|(_, face)| {
        let detection: &StructureRef = face.get(DETECTION).unwrap();
        ["x_min", "x_max", "y_min", "y_max"].map(|name| detection.get(name).unwrap())
    });
    limits.collect()
}

#[test]
fn a_crop_moves_faces_cuts_those_at_its_edge_and_drops_those_beyond() {
    let old = frame(&[face(60, 30), face(130, 30), face(10, 30)]);
    let infos = [info(FRAME), info((100, 80))];
    let new = changed(
        &old,
        &matrix(&infos, [[50, 20, 100, 80], [0, 0, 100, 80]], UNIT),
    );
    assert_eq!(rects(&new), [(10, 10, 40, 30), (80, 10, 20, 30)]);
    assert_eq!(
        limits(&new),
        [[0.1, 0.5, 0.125, 0.5], [0.8, 1.0, 0.125, 0.5]]
    );
    assert_eq!(lost_regions(&new), 0);
    assert_eq!(Passage::of(&new, 100.0 / 80.0), Passage::Intact);
    let points = faces(&new)[0].landmarks.unwrap();
    let eye = points.0[0];
    assert!(
        (eye[0] - 0.22).abs() < 1e-6 && (eye[1] - 0.275).abs() < 1e-6,
        "{eye:?}"
    );
}

#[test]
fn a_mirrored_face_is_upright_with_its_right_eye_on_the_left() {
    let old = frame(&[face(20, 30)]);
    let infos = [info(FRAME), info(FRAME)];
    let whole = [0, 0, 200, 100];
    let mirror = [-1.0, 0.0, 200.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let new = changed(&old, &matrix(&infos, [whole, whole], mirror));
    assert_eq!(rects(&new), [(140, 30, 40, 30)]);
    let points = faces(&new)[0].landmarks.unwrap();
    let pixels = points.to_pixels(&Region::new(0.0, 0.0, 200.0, 100.0));
    assert!((pixels.0[0][0] - 152.0).abs() < 1e-3, "{pixels:?}");
    assert!((pixels.0[1][0] - 168.0).abs() < 1e-3, "{pixels:?}");
    assert!(pixels.roll_degrees().abs() < 1e-3);
}

#[test]
fn a_quarter_turn_turns_the_points_of_a_face() {
    let old = frame(&[face(20, 30)]);
    let infos = [info(FRAME), info((100, 200))];
    let clockwise = [0.0, -1.0, 100.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    let rectangles = [[0, 0, 200, 100], [0, 0, 100, 200]];
    let new = changed(&old, &matrix(&infos, rectangles, clockwise));
    assert_eq!(rects(&new), [(40, 20, 30, 40)]);
    let points = faces(&new)[0].landmarks.unwrap();
    let pixels = points.to_pixels(&Region::new(0.0, 0.0, 100.0, 200.0));
    assert!((pixels.roll_degrees() - 90.0).abs() < 1.0, "{pixels:?}");
    assert_eq!(Passage::of(&new, 0.5), Passage::Intact);
}

#[test]
fn borders_and_a_new_size_move_and_scale_faces() {
    let old = frame(&[face(20, 30)]);
    let infos = [info(FRAME), info((100, 100))];
    let half = [0.5, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 1.0];
    let rectangles = [[0, 0, 200, 100], [0, 25, 100, 50]];
    let new = changed(&old, &matrix(&infos, rectangles, half));
    assert_eq!(rects(&new), [(10, 40, 20, 15)]);
    assert_eq!(Passage::of(&new, 1.0), Passage::Intact);
}

#[test]
fn what_gstreamer_has_moved_stays_and_what_was_lost_before_stays_lost() {
    let old = frame(&[face(60, 30), face(120, 30)]);
    let infos = [info(FRAME), info(FRAME)];
    let whole = [0, 0, 200, 100];
    let unmoved = matrix(&infos, [whole, whole], UNIT);
    let mut new = without_regions(&old);
    let made = new.make_mut();
    VideoRegionOfInterestMeta::add(made, ROI_TYPE, (61, 31, 40, 30)).set_id(1);
    PictureChange::new(&unmoved).unwrap().move_faces(&old, made);
    assert_eq!(rects(&new), [(61, 31, 40, 30), (120, 30, 40, 30)]);

    let lost = without_regions(&old);
    let new = changed(&lost, &unmoved);
    assert_eq!((rects(&new), lost_regions(&new)), (vec![], 2));
}

#[test]
fn candidates_stay_candidates_and_an_unmarked_frame_unmarked() {
    gst::init().unwrap();
    let mut old = gst::Buffer::new();
    add_candidates(old.make_mut(), FRAME.0, FRAME.1, &[face(60, 30)]);
    let infos = [info(FRAME), info((100, 100))];
    let new = changed(
        &old,
        &matrix(&infos, [[50, 0, 100, 100], [0, 0, 100, 100]], UNIT),
    );
    assert_eq!(faces(&new), []);
    let found = candidates(&new);
    assert_eq!((found.len(), found[0].x), (1, 10));
    let types = new.iter_meta::<VideoRegionOfInterestMeta>();
    let types: Vec<_> = types.map(|roi| foreign::roi_type(&roi)).collect();
    assert_eq!(types, [Some(CANDIDATE_TYPE)]);
    assert_eq!(Passage::of(&new, 1.0), Passage::Unmarked);
}

#[test]
fn a_matrix_without_a_picture_or_with_a_perspective_moves_nothing() {
    let infos = [info(FRAME), info(FRAME)];
    let whole = [0, 0, 200, 100];
    let valid = matrix(&infos, [whole, whole], UNIT);
    assert!(PictureChange::new(&valid).is_some());
    let mut perspective = valid;
    perspective.matrix[6] = 0.1;
    let mut endless = valid;
    endless.matrix[2] = f32::NAN;
    let nowhere = GstVideoMetaTransformMatrix {
        out_info: std::ptr::null(),
        ..valid
    };
    for matrix in [perspective, endless, nowhere] {
        assert!(PictureChange::new(&matrix).is_none());
    }
    // Large numbers saturate.
    let mut far = valid;
    far.matrix = [1e30, 0.0, -1e30, 0.0, 1e30, 0.0, 0.0, 0.0, 1.0];
    let old = frame(&[face(60, 30)]);
    assert_eq!(rects(&changed(&old, &far)), []);
}
