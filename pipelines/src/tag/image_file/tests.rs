use super::*;

use std::fs;

use image::codecs::gif::GifEncoder;
use image::{Delay, Rgb, RgbImage, Rgba, RgbaImage};

/// A red picture with a blue upper left corner.
fn corner() -> RgbImage {
    RgbImage::from_fn(40, 20, |x, y| match x < 10 && y < 10 {
        true => Rgb([0, 0, 255]),
        false => Rgb([255, 0, 0]),
    })
}

/// EXIF with this orientation, a date and a camera, as a TIFF structure.
fn exif(orientation: u8) -> Vec<u8> {
    let date = b"2024:05:06 07:08:09\0";
    let camera = b"Camera 1\0";
    let mut tiff = b"II*\0\x08\0\0\0\x03\0".to_vec();
    let entries = 8 + 2 + 3 * 12 + 4;
    let mut entry = |tag: u16, kind: u16, count: u32, value: u32| {
        tiff.extend(tag.to_le_bytes());
        tiff.extend(kind.to_le_bytes());
        tiff.extend(count.to_le_bytes());
        tiff.extend(value.to_le_bytes());
    };
    entry(0x0110, 2, camera.len() as u32, entries + date.len() as u32);
    entry(0x0112, 3, 1, orientation.into());
    entry(0x0132, 2, date.len() as u32, entries);
    tiff.extend([0; 4]);
    tiff.extend(date);
    tiff.extend(camera);
    tiff
}

/// A JPEG of [`corner`] with this orientation.
fn jpeg_with_exif(orientation: u8) -> Vec<u8> {
    let mut plain = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut plain, 95);
    corner().write_with_encoder(encoder).unwrap();
    let exif = [b"Exif\0\0".to_vec(), exif(orientation)].concat();
    let mut jpeg = plain[..2].to_vec();
    jpeg.extend([0xff, 0xe1]);
    jpeg.extend((exif.len() as u16 + 2).to_be_bytes());
    jpeg.extend(exif);
    jpeg.extend(&plain[2..]);
    jpeg
}

fn opened(bytes: &[u8]) -> anyhow::Result<Option<(ImageFile, Vec<ImageFrame>)>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    let Some(image) = ImageFile::open(file.path())? else {
        return Ok(None);
    };
    let frames = image.frames()?.collect::<ImageResult<_>>()?;
    Ok(Some((image, frames)))
}

fn frames(bytes: &[u8]) -> Vec<ImageFrame> {
    opened(bytes).unwrap().expect("it is a picture").1
}

fn is_blue(image: &DynamicImage, x: u32, y: u32) -> bool {
    let pixel = image.to_rgb8().get_pixel(x, y).0;
    pixel[2] > 200 && pixel[0] < 60
}

#[test]
fn a_photograph_stands_upright_and_tells_date_and_camera() {
    // Orientation 6: the camera was turned, so the first row is the right side.
    let jpeg = jpeg_with_exif(6);
    let image = &frames(&jpeg)[0].image;
    assert_eq!((image.width(), image.height()), (20, 40));
    assert!(is_blue(image, 17, 3) && !is_blue(image, 3, 3));
    let recording = opened(&jpeg).unwrap().unwrap().0.recording;
    assert_eq!(recording.recorded.as_deref(), Some("2024-05-06T07:08:09"));
    assert_eq!(recording.camera.as_deref(), Some("Camera 1"));

    let image = &frames(&jpeg_with_exif(3))[0].image;
    assert!(is_blue(image, 37, 17) && !is_blue(image, 3, 3));
}

#[test]
fn pictures_of_all_formats_are_decoded() {
    for format in [
        ImageFormat::Bmp,
        ImageFormat::Gif,
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::Pnm,
        ImageFormat::Tiff,
        ImageFormat::WebP,
    ] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        corner().write_to(&mut bytes, format).unwrap();
        let bytes = bytes.into_inner();
        let (file, frames) = opened(&bytes).unwrap().expect("it is a picture");
        assert!(!file.is_animated, "{format:?}");
        assert_eq!(frames.len(), 1, "{format:?}");
        assert!(is_blue(&frames[0].image, 3, 3), "{format:?}");
        assert_eq!(frames[0].duration, None, "{format:?}");
    }
    assert!(opened(b"This is no picture.").unwrap().is_none());
}

#[test]
fn an_animation_has_the_times_that_browsers_show() {
    gst::init().unwrap();
    let mut gif = Vec::new();
    let mut encoder = GifEncoder::new(&mut gif);
    for delay in [200, 0, 50] {
        let image = RgbaImage::from_pixel(8, 8, Rgba([0, 0, 255, 255]));
        let delay = Delay::from_numer_denom_ms(delay, 1);
        encoder
            .encode_frame(Frame::from_parts(image, 0, 0, delay))
            .unwrap();
    }
    drop(encoder);
    assert!(opened(&gif).unwrap().unwrap().0.is_animated);
    let times = frames(&gif).into_iter().map(|frame| {
        let (buffer, _) = frame.into_raw_video().unwrap();
        let milliseconds = |time: Option<gst::ClockTime>| time.unwrap().mseconds();
        (milliseconds(buffer.pts()), milliseconds(buffer.duration()))
    });
    assert_eq!(times.collect::<Vec<_>>(), [(0, 200), (200, 100), (300, 50)]);
}

#[test]
fn a_cut_picture_is_damaged_wherever_it_is_cut() {
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::Bmp,
        ImageFormat::Gif,
    ] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        corner().write_to(&mut bytes, format).unwrap();
        let bytes = bytes.into_inner();
        for length in [bytes.len() / 2, bytes.len() * 3 / 4] {
            let damaged = opened(&bytes[..length]).is_err();
            assert!(damaged, "{format:?} of {length} bytes");
        }
    }
}

#[test]
fn a_grey_picture_of_odd_width_keeps_its_rows() {
    gst::init().unwrap();
    let image = image::GrayImage::from_fn(5, 3, |x, y| image::Luma([(x + 10 * y) as u8]));
    let frame = ImageFrame {
        image: DynamicImage::ImageLuma8(image),
        time: Duration::ZERO,
        duration: None,
    };
    let (buffer, info) = frame.into_raw_video().unwrap();
    assert_eq!(info.format(), VideoFormat::Gray8);
    let frame = VideoFrameRef::from_buffer_ref_readable(&buffer, &info).unwrap();
    let stride = frame.plane_stride()[0] as usize;
    assert_eq!(
        &frame.plane_data(0).unwrap()[2 * stride..2 * stride + 5],
        [20, 21, 22, 23, 24]
    );
}
