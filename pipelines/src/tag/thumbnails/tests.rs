use super::super::timeline::tests::{face, record};
use super::*;

#[test]
fn the_square_stays_within_the_frame() {
    let pixels = |x, y, width, height| PixelBox {
        x,
        y,
        width,
        height,
    };
    assert_eq!(
        square(pixels(100, 100, 100, 80), 640, 480),
        Some((84, 74, 130))
    );
    assert_eq!(
        square(pixels(-10, 470, 50, 50), 640, 480),
        Some((0, 416, 64))
    );
    assert_eq!(square(pixels(0, 0, 500, 500), 640, 360), Some((70, 0, 360)));
    assert_eq!(square(pixels(0, 0, 1, 1), 1, 1), None);
}

#[test]
fn the_strip_of_a_long_file_covers_all_of_it() {
    let mut person = PersonThumbnails::default();
    for second in 0..600 {
        let time = f64::from(second);
        if time >= person.next {
            person.extend_strip(FaceThumbnail {
                time,
                jpeg: Vec::new(),
            });
        }
    }
    let times: Vec<f64> = person
        .strip
        .iter()
        .map(|thumbnail| thumbnail.time)
        .collect();
    assert!((MOST / 2..=MOST).contains(&times.len()), "{times:?}");
    assert!(
        times[0] == 0.0 && times[times.len() - 1] > 500.0,
        "{times:?}"
    );
}

#[test]
fn a_thumbnail_shows_the_face_in_its_colours() {
    gst::init().unwrap();
    for format in [
        VideoFormat::Rgb,
        VideoFormat::Gray8,
        VideoFormat::I420,
        VideoFormat::Yuy2,
    ] {
        let info = VideoInfo::builder(format, 64, 64).build().unwrap();
        let mut buffer = gst::Buffer::with_size(info.size()).unwrap();
        buffer.get_mut().unwrap().map_writable().unwrap().fill(128);
        let mut record = record(0.0, vec![face(1, 0, "happy", 0.5)]);
        record.faces[0].pixels = PixelBox {
            x: 8,
            y: 8,
            width: 32,
            height: 32,
        };
        let mut thumbnails = FaceThumbnails::default();
        thumbnails.add(&record, &buffer, &info).unwrap();
        let jpeg = &thumbnails.strip(PersonKey::Track(1))[0].jpeg;
        let picture = image::load_from_memory(jpeg).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (SIDE, SIDE));
        let grey = picture.get_pixel(SIDE / 2, SIDE / 2).0;
        assert!(
            grey.iter().all(|value| value.abs_diff(128) < 8),
            "{format:?}: {grey:?}"
        );
    }
}
