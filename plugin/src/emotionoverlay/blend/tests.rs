use super::*;
use crate::luma::FORMATS;
use gst_video::{
    VideoChromaMode, VideoConverter, VideoConverterConfig, VideoDitherMethod, VideoFormat,
    VideoFrame,
};

const WIDTH: u32 = 18;
const HEIGHT: u32 = 14;

fn info(format: VideoFormat) -> VideoInfo {
    gst::init().unwrap();
    VideoInfo::builder(format, WIDTH, HEIGHT).build().unwrap()
}

/// A frame of one colour with full opacity.
fn plain(info: &VideoInfo, rgb: [u8; 3]) -> gst::Buffer {
    let rgba = VideoInfo::builder(VideoFormat::Rgba, WIDTH, HEIGHT)
        .build()
        .unwrap();
    let [r, g, b] = rgb;
    convert(
        gst::Buffer::from_slice([r, g, b, 255].repeat((WIDTH * HEIGHT) as usize)),
        &rgba,
        info,
    )
}

/// Without smoothing chroma over its neighbours or dithering.
fn convert(buffer: gst::Buffer, from: &VideoInfo, to: &VideoInfo) -> gst::Buffer {
    let mut config = VideoConverterConfig::new();
    config.set_chroma_mode(VideoChromaMode::None);
    config.set_dither_method(VideoDitherMethod::None);
    let source = VideoFrame::from_buffer_readable(buffer, from).unwrap();
    let buffer = gst::Buffer::with_size(to.size()).unwrap();
    let mut target = VideoFrame::from_buffer_writable(buffer, to).unwrap();
    let converter = VideoConverter::new(from, to, Some(config)).unwrap();
    converter.frame(&source, &mut target);
    target.into_buffer()
}

/// The frame's pixels as RGBA.
fn pixels(buffer: gst::Buffer, info: &VideoInfo) -> Vec<[u8; 4]> {
    let rgba = self::info(VideoFormat::Rgba);
    let buffer = convert(buffer, info, &rgba);
    buffer.map_readable().unwrap().as_chunks().0.to_vec()
}

/// Blends a rectangle of one colour, not premultiplied, whose rows are longer than they need be.
fn blend(info: &VideoInfo, buffer: &mut gst::Buffer, place: Rect, [r, g, b, a]: [u8; 4]) {
    let premultiplied = |v: u8| u32::from(v) * u32::from(a) / 255;
    let word =
        u32::from(a) << 24 | premultiplied(r) << 16 | premultiplied(g) << 8 | premultiplied(b);
    let stride = 4 * (place.width as usize + 3);
    let drawing = word
        .to_ne_bytes()
        .repeat(stride / 4 * place.height as usize);
    let mut frame = VideoFrameRef::from_buffer_ref_writable(buffer.make_mut(), info).unwrap();
    let image = PlacedImage {
        pixels: &drawing,
        stride,
        place,
    };
    Blender::new(info).blend(&mut frame, image).unwrap();
}

fn bytes(buffer: &gst::Buffer) -> Vec<u8> {
    buffer.map_readable().unwrap().to_vec()
}

fn lies_in(place: Rect, index: usize) -> bool {
    let (x, y) = (index as i32 % WIDTH as i32, index as i32 / WIDTH as i32);
    (place.x..place.x + place.width).contains(&x) && (place.y..place.y + place.height).contains(&y)
}

#[track_caller]
fn assert_near(found: [u8; 4], expected: [u8; 4], tolerance: u8, what: &str) {
    let near = found
        .iter()
        .zip(expected)
        .all(|(a, b)| a.abs_diff(b) <= tolerance);
    assert!(near, "{what}: {found:?} is not {expected:?}");
}

fn native_formats() -> impl Iterator<Item = VideoFormat> {
    let formats = FORMATS.into_iter();
    formats.filter(|format| Blender::new(&info(*format)).is_native())
}

#[test]
fn formats_of_more_bits_or_wide_chroma_are_left_to_gstreamer() {
    let native: Vec<_> = native_formats().collect();
    for format in [
        VideoFormat::Y444,
        VideoFormat::Nv16,
        VideoFormat::Argb,
        VideoFormat::Gbr,
    ] {
        assert!(native.contains(&format), "{format:?}");
    }
    for format in [
        VideoFormat::A420,
        VideoFormat::Y41b,
        VideoFormat::Vyuy,
        VideoFormat::P01010le,
        VideoFormat::V210,
        VideoFormat::Rgb16,
    ] {
        assert!(!native.contains(&format), "{format:?}");
    }
}

#[test]
fn an_opaque_colour_replaces_the_picture_there_and_only_there() {
    let place = Rect::new(4, 2, 6, 8);
    for format in native_formats() {
        let info = info(format);
        let grey = info.format_info().is_gray();
        let before = plain(&info, [40, 90, 60]);
        let mut after = before.copy_deep().unwrap();
        blend(&info, &mut after, place, [230, 120, 20, 255]);
        let before = pixels(before, &info);
        for (i, pixel) in pixels(after, &info).into_iter().enumerate() {
            if !lies_in(place, i) {
                assert_eq!(pixel, before[i], "pixel {i} of {format:?}");
            } else if grey {
                let luma = 0.299 * 230.0 + 0.587 * 120.0 + 0.114 * 20.0;
                let luma = f32::round(luma) as u8;
                assert_near(pixel, [luma, luma, luma, 255], 2, &format!("{format:?}"));
            } else {
                assert_near(pixel, [230, 120, 20, 255], 3, &format!("{format:?}"));
            }
        }
    }
}

#[test]
fn a_half_transparent_colour_meets_the_picture_in_the_middle() {
    let place = Rect::new(0, 0, WIDTH as i32, HEIGHT as i32);
    for format in native_formats().filter(|format| *format != VideoFormat::Gray8) {
        let info = info(format);
        let mut buffer = plain(&info, [40, 90, 60]);
        blend(&info, &mut buffer, place, [240, 190, 160, 128]);
        // GStreamer's fast conversion of I420 back to RGB is off by up to 5.
        for pixel in pixels(buffer, &info) {
            assert_near(pixel, [140, 140, 110, 255], 6, &format!("{format:?}"));
        }
    }
}

#[test]
fn a_transparent_drawing_changes_no_byte() {
    for format in native_formats() {
        let info = info(format);
        let noise = (0..info.size())
            .map(|i| (i * 89 % 251) as u8)
            .collect::<Vec<_>>();
        let mut buffer = gst::Buffer::from_mut_slice(noise);
        let before = bytes(&buffer);
        blend(&info, &mut buffer, Rect::new(1, 1, 9, 9), [0; 4]);
        assert_eq!(bytes(&buffer), before, "{format:?}");
    }
}

#[test]
fn pixels_that_share_chroma_get_the_mean_of_theirs() {
    // One of the four pixels of a group is drawn: the chroma goes a quarter of the way from 128.
    for format in [VideoFormat::I420, VideoFormat::Nv12] {
        let info = info(format);
        let mut buffer = plain(&info, [128, 128, 128]);
        blend(&info, &mut buffer, Rect::new(5, 7, 1, 1), [0, 0, 255, 255]);
        let frame = VideoFrameRef::from_buffer_ref_readable(&buffer, &info).unwrap();
        let u = frame.comp_data(1).unwrap();
        let step = info.format_info().pixel_stride()[1] as usize;
        let at = 3 * frame.comp_stride(1) as usize + 2 * step;
        assert!(u[at].abs_diff(128 + 112 / 4) <= 1, "{format:?}: {}", u[at]);
        assert_eq!(u[at + step], 128, "{format:?}");
    }
}

#[test]
fn every_place_and_size_stays_within_the_picture() {
    for format in native_formats() {
        let info = info(format);
        for (x, y) in [(0, 0), (1, 1), (WIDTH as i32 - 3, HEIGHT as i32 - 3)] {
            for (width, height) in [(1, 1), (2, 3), (3, 2), (3, 3)] {
                let mut buffer = plain(&info, [0, 0, 0]);
                let place = Rect::new(x, y, width, height);
                blend(&info, &mut buffer, place, [255, 255, 255, 255]);
                let white = pixels(buffer, &info);
                let white = white.iter().filter(|pixel| pixel[1] > 200).count() as i32;
                assert!(white >= width * height, "{place:?} in {format:?}: {white}");
            }
        }
    }
}

#[test]
fn the_pictures_own_matrix_and_range_are_used() {
    gst::init().unwrap();
    for (colorimetry, red) in [("bt601", 81), ("bt709", 63), ("1:4:0:0", 76)] {
        let info = VideoInfo::builder(VideoFormat::I420, WIDTH, HEIGHT)
            .colorimetry(&colorimetry.parse().unwrap())
            .build()
            .unwrap();
        let mut buffer = gst::Buffer::from_mut_slice(vec![0; info.size()]);
        blend(&info, &mut buffer, Rect::new(0, 0, 2, 2), [255, 0, 0, 255]);
        assert!(
            bytes(&buffer)[0].abs_diff(red) <= 1,
            "{colorimetry}: {}",
            bytes(&buffer)[0]
        );
    }
}

#[test]
fn over_a_transparent_picture_the_drawing_keeps_its_colour() {
    for format in [VideoFormat::Rgba, VideoFormat::Bgra] {
        let info = info(format);
        let mut buffer = gst::Buffer::from_mut_slice(vec![0; info.size()]);
        blend(
            &info,
            &mut buffer,
            Rect::new(0, 0, 2, 2),
            [200, 100, 40, 128],
        );
        let pixel = pixels(buffer, &info)[0];
        assert_near(pixel, [200, 100, 40, 128], 2, &format!("{format:?}"));
    }
}
