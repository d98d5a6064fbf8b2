use gst_video::{
    VideoColorimetry, VideoConverter, VideoConverterConfig, VideoDitherMethod, VideoFrame,
    VideoMeta,
};

use super::*;

fn info(format: VideoFormat, width: u32, height: u32) -> VideoInfo {
    gst::init().unwrap();
    VideoInfo::builder(format, width, height).build().unwrap()
}

fn full_range(format: VideoFormat, width: u32, height: u32) -> VideoInfo {
    let info = info(format, width, height);
    let colorimetry = info.colorimetry();
    let full = VideoColorimetry::new(
        VideoColorRange::Range0_255,
        colorimetry.matrix(),
        colorimetry.transfer(),
        colorimetry.primaries(),
    );
    VideoInfo::builder(format, width, height)
        .colorimetry(&full)
        .build()
        .unwrap()
}

/// A frame of noise without chroma, with rows `padding` bytes longer than GStreamer would make them.
fn noise(info: &VideoInfo, padding: usize) -> gst::Buffer {
    let planes = info.n_planes() as usize;
    let mut offsets = [0; 4];
    let mut strides = [0; 4];
    let mut size = 0;
    for plane in 0..planes {
        offsets[plane] = size;
        let rows = (info.size() - info.offset()[plane]) / info.stride()[plane] as usize;
        strides[plane] = info.stride()[plane] + padding as i32;
        size += strides[plane] as usize * rows;
    }
    let mut state = 1_u32;
    let bytes = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let mut data: Vec<u8> = bytes.take(size).collect();
    match info.format() {
        VideoFormat::Yuy2 => data.iter_mut().skip(1).step_by(2).for_each(|v| *v = 128),
        VideoFormat::Uyvy => data.iter_mut().step_by(2).for_each(|v| *v = 128),
        _ if planes > 1 => data[offsets[1]..].fill(128),
        _ => {}
    }
    let mut buffer = gst::Buffer::from_slice(data);
    VideoMeta::add_full(
        buffer.get_mut().unwrap(),
        gst_video::VideoFrameFlags::empty(),
        info.format(),
        info.width(),
        info.height(),
        &offsets[..planes],
        &strides[..planes],
    )
    .unwrap();
    buffer
}

/// Formats of which [`noise`] can be made.
const PLAIN: [VideoFormat; 13] = [
    VideoFormat::Gray8,
    VideoFormat::I420,
    VideoFormat::Yv12,
    VideoFormat::Nv12,
    VideoFormat::Nv21,
    VideoFormat::Yuy2,
    VideoFormat::Uyvy,
    VideoFormat::Rgb,
    VideoFormat::Bgr,
    VideoFormat::Rgbx,
    VideoFormat::Bgrx,
    VideoFormat::Rgba,
    VideoFormat::Bgra,
];

impl LumaReader {
    /// The luma of a frame with one plane.
    fn first_plane<'a>(&'a self, data: &'a [u8], stride: i32) -> Result<LumaView<'a>, Error> {
        self.view_planes([data, &[], &[], &[]], [stride, 0, 0, 0])
    }
}

fn row(view: &LumaView<'_>, y: usize) -> Vec<u8> {
    view.grey(y, 0..view.width(), &mut Vec::new()).to_vec()
}

fn grey_by_us(buffer: &gst::BufferRef, info: &VideoInfo) -> Vec<u8> {
    let frame = VideoFrameRef::from_buffer_ref_readable(buffer, info).unwrap();
    let luma = LumaReader::new(info).unwrap();
    let view = luma.view(&frame).unwrap();
    assert_eq!(view.width(), info.width() as usize);
    (0..view.height()).flat_map(|y| row(&view, y)).collect()
}

/// Green after a conversion to RGB, which equals the full-range luma of a picture without colours. It is made in 16
/// bits because GStreamer's 8-bit conversion is off by up to 3; its conversion to GRAY8 copies limited-range luma as
/// it is.
fn grey_by_gstreamer(buffer: &gst::Buffer, in_info: &VideoInfo) -> Vec<u8> {
    let (format, step, green) = if in_info.is_rgb() {
        (VideoFormat::Gray8, 1, 0)
    } else {
        (VideoFormat::Argb64Be, 8, 4)
    };
    let out_info = info(format, in_info.width(), in_info.height());
    let mut config = VideoConverterConfig::new();
    config.set_dither_method(VideoDitherMethod::None);
    let converter = VideoConverter::new(in_info, &out_info, Some(config)).unwrap();
    let source = VideoFrame::from_buffer_readable(buffer.clone(), in_info).unwrap();
    let out = gst::Buffer::with_size(out_info.size()).unwrap();
    let mut target = VideoFrame::from_buffer_writable(out, &out_info).unwrap();
    converter.frame(&source, &mut target);

    let stride = target.plane_stride()[0] as usize;
    let rows = target.plane_data(0).unwrap().chunks_exact(stride);
    rows.flat_map(|row| {
        row[..out_info.width() as usize * step]
            .iter()
            .skip(green)
            .step_by(step)
    })
    .copied()
    .collect()
}

#[track_caller]
fn assert_close(ours: &[u8], theirs: &[u8], what: &str) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (at, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!(
            a.abs_diff(*b) <= 2,
            "{what}: pixel {at} is {a}, videoconvert says {b}"
        );
    }
}

#[test]
fn limited_range_becomes_full_range_to_the_nearest_value() {
    for limited in 0..=u8::MAX {
        let full = (f32::from(limited) - 16.0) * 255.0 / 219.0;
        assert_eq!(expanded(limited), full.round() as u8, "{limited}");
    }
}

#[test]
fn every_format_agrees_with_videoconvert_at_odd_sizes_and_strides() {
    for format in PLAIN {
        for info in [info(format, 37, 19), full_range(format, 37, 19)] {
            for padding in [0, 12] {
                let buffer = noise(&info, padding);
                assert_close(
                    &grey_by_us(&buffer, &info),
                    &grey_by_gstreamer(&buffer, &info),
                    &format!("{format:?}, {}, padding {padding}", info.colorimetry()),
                );
            }
        }
    }
}

#[test]
fn a_single_pixel_has_a_view_in_every_format() {
    for format in PLAIN {
        let info = info(format, 1, 1);
        let buffer = noise(&info, 0);
        assert_close(
            &grey_by_us(&buffer, &info),
            &grey_by_gstreamer(&buffer, &info),
            &format!("{format:?}"),
        );
    }
}

#[test]
fn limited_range_is_expanded_and_clamped() {
    let luma = LumaReader::new(&info(VideoFormat::I420, 5, 1)).unwrap();
    let view = luma.first_plane(&[0, 16, 126, 235, 255], 5).unwrap();
    assert_eq!(row(&view, 0), [0, 0, 128, 255, 255]);
}

#[test]
fn a_full_range_plane_is_borrowed() {
    for format in [VideoFormat::Gray8, VideoFormat::Nv12] {
        let luma = LumaReader::new(&full_range(format, 3, 2)).unwrap();
        let data = [0, 16, 255, 99, 1, 2, 3];
        let view = luma.first_plane(&data, 4).unwrap();
        assert_eq!(view.grey(0, 0..3, &mut Vec::new()).as_ptr(), data.as_ptr());
        assert_eq!(row(&view, 1), [1, 2, 3]);
    }
}

#[test]
fn packed_formats_give_their_luma_bytes() {
    let data = [50, 1, 60, 2, 70, 3];
    let yuy2 = LumaReader::new(&full_range(VideoFormat::Yuy2, 3, 1)).unwrap();
    assert_eq!(row(&yuy2.first_plane(&data, 8).unwrap(), 0), [50, 60, 70]);
    let uyvy = LumaReader::new(&full_range(VideoFormat::Uyvy, 3, 1)).unwrap();
    assert_eq!(row(&uyvy.first_plane(&data, 8).unwrap(), 0), [1, 2, 3]);
}

#[test]
fn colours_are_weighted_as_in_bt601() {
    let (red, green, blue) = ([255, 0, 0], [0, 255, 0], [0, 0, 255]);
    let pixels = [red, green, blue, [255; 3], [0; 3]].concat();
    let rgb = LumaReader::new(&info(VideoFormat::Rgb, 5, 1)).unwrap();
    assert_eq!(
        row(&rgb.first_plane(&pixels, 16).unwrap(), 0),
        [76, 150, 29, 255, 0]
    );
    let bgr = LumaReader::new(&info(VideoFormat::Bgr, 5, 1)).unwrap();
    assert_eq!(
        row(&bgr.first_plane(&pixels, 16).unwrap(), 0),
        [29, 150, 76, 255, 0]
    );
}

#[test]
fn a_short_plane_is_refused() {
    let luma = LumaReader::new(&info(VideoFormat::Rgb, 5, 2)).unwrap();
    let error = luma.first_plane(&[0; 30], 16).unwrap_err();
    assert!(
        error.to_string().contains("needs 31 bytes, found 30"),
        "{error}"
    );
}

#[test]
fn an_unsupported_format_is_refused() {
    for format in [VideoFormat::Rgb8p, VideoFormat::Nv1264z32] {
        let error = LumaReader::new(&info(format, 4, 4)).unwrap_err();
        assert_eq!(error, Error::Format(format));
    }
}

#[test]
fn every_format_shows_the_greys_of_the_picture_that_was_converted_to_it() {
    for format in FORMATS {
        let (width, height) = (48, 12);
        let rgb = info(VideoFormat::Rgb, width, height);
        let grey = |i: u32| (i * 255 / (width * height - 1)) as u8;
        let greys: Vec<u8> = (0..width * height).map(grey).collect();
        let pixels: Vec<u8> = greys.iter().flat_map(|grey| [*grey; 3]).collect();
        let info = info(format, width, height);
        let mut config = VideoConverterConfig::new();
        config.set_dither_method(VideoDitherMethod::None);
        let converter = VideoConverter::new(&rgb, &info, Some(config)).unwrap();
        let source = gst::Buffer::from_slice(pixels);
        let source = VideoFrame::from_buffer_readable(source, &rgb).unwrap();
        let target = gst::Buffer::with_size(info.size()).unwrap();
        let mut target = VideoFrame::from_buffer_writable(target, &info).unwrap();
        converter.frame(&source, &mut target);

        let found = grey_by_us(&target.into_buffer(), &info);

        // A step of five bits, else what rounding at every step may sum up to.
        let depth = info.format_info().depth()[0];
        let tolerance = if depth < 8 { 255 >> depth } else { 4 };
        for (found, grey) in found.iter().zip(&greys) {
            assert!(
                found.abs_diff(*grey) <= tolerance,
                "{format:?}: {found} for {grey}"
            );
        }
    }
}

#[test]
fn columns_are_counted_from_the_left_of_the_picture() {
    for format in FORMATS {
        let info = info(format, 24, 4);
        let buffer = noise(&info, 0);
        let frame = VideoFrameRef::from_buffer_ref_readable(&buffer, &info).unwrap();
        let luma = LumaReader::new(&info).unwrap();
        let view = luma.view(&frame).unwrap();
        let whole = row(&view, 2);
        let part = view.grey(2, 7..19, &mut Vec::new()).to_vec();
        assert_eq!(part, whole[7..19], "{format:?}");
    }
}

#[test]
fn each_field_in_a_buffer_of_its_own_has_half_the_rows() {
    gst::init().unwrap();
    let info = VideoInfo::builder(VideoFormat::Gray8, 4, 6)
        .interlace_mode(gst_video::VideoInterlaceMode::Alternate)
        .build()
        .unwrap();
    let data: Vec<u8> = (0..12).collect();
    let buffer = gst::Buffer::from_slice(data.clone());
    let luma = LumaReader::new(&info).unwrap();
    let view = luma.view_field(&buffer, &data).unwrap();
    assert_eq!((view.width(), view.height()), (4, 3));
    assert_eq!(row(&view, 2), [8, 9, 10, 11]);
    assert!(luma.view_field(&buffer, &data[..11]).is_err());
}
