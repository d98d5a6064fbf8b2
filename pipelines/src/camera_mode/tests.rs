use super::*;

/// The caps that `v4l2src` has for written lists of modes.
fn chosen(modes: &str, wanted: WantedMode) -> Option<String> {
    gst::init().expect("GStreamer starts");
    let modes: gst::Caps = modes.parse().expect("they are caps");
    choose(&modes, wanted).map(|mode| mode.to_string())
}

/// Raw 1080p over USB is slow; the same camera compresses at 30.
const WEBCAM: &str = "\
    video/x-raw,format=YUY2,width=2304,height=1536,framerate=2/1;\
    video/x-raw,format=YUY2,width=1920,height=1080,framerate=5/1;\
    video/x-raw,format=YUY2,width=1280,height=720,framerate={10/1,5/1};\
    video/x-raw,format=YUY2,width=640,height=480,framerate={30/1,15/1};\
    image/jpeg,width=1920,height=1080,framerate=30/1;\
    image/jpeg,width=1280,height=720,framerate={30/1,15/1};\
    image/jpeg,width=640,height=480,framerate={60/1,30/1}";

#[test]
fn motion_jpeg_is_taken_where_raw_pictures_are_slower() {
    let rows = [
        (WEBCAM, "1280×720, 30 pictures a second, Motion JPEG"),
        (
            "video/x-raw,format=YUY2,width=1920,height=1080,framerate=5/1;\
             image/jpeg,width=1920,height=1080,framerate=30/1",
            "1920×1080, 30 pictures a second, Motion JPEG",
        ),
        // Raw only.
        (
            "video/x-raw,format=YUY2,width=1280,height=960,framerate=15/2;\
             video/x-raw,format=YUY2,width=800,height=600,framerate=24/1;\
             video/x-raw,format=YUY2,width=640,height=480,framerate=30/1",
            "800×600, 24 pictures a second, raw",
        ),
        // An infrared camera.
        (
            "video/x-raw,format=GRAY8,width=640,height=360,framerate={15/1,30/1}",
            "640×360, 30 pictures a second, raw",
        ),
        // None is fast enough: the fastest.
        (
            "video/x-raw,format=YUY2,width=1280,height=720,framerate=10/1;\
             video/x-raw,format=YUY2,width=640,height=480,framerate=15/1",
            "640×480, 15 pictures a second, raw",
        ),
        // The same mode raw and compressed.
        (
            "image/jpeg,width=1280,height=720,framerate=30/1;\
             video/x-raw,format=YUY2,width=1280,height=720,framerate=30/1",
            "1280×720, 30 pictures a second, raw",
        ),
        (
            "video/x-raw,format=NV12,width=1280,height=720,framerate=30000/1001;\
             image/jpeg,width=1280,height=720,framerate=30/1;\
             video/x-h264,width=1920,height=1080,framerate=30/1",
            "1280×720, 29.97 pictures a second, raw",
        ),
    ];
    for (modes, expected) in rows {
        assert_eq!(
            chosen(modes, WantedMode::default()).as_deref(),
            Some(expected),
            "{modes}"
        );
    }
}

#[test]
fn another_size_and_rate_can_be_asked_for() {
    let wanted = |size: Option<&str>, rate| WantedMode {
        size: size.map(|size| size.parse().expect("it is a size")),
        rate,
    };
    for (asked, expected) in [
        (
            wanted(Some("640x480"), None),
            "640×480, 60 pictures a second, Motion JPEG",
        ),
        (
            wanted(Some("1920x1080"), None),
            "1920×1080, 30 pictures a second, Motion JPEG",
        ),
        (
            wanted(None, Some(15.0)),
            "1280×720, 15 pictures a second, Motion JPEG",
        ),
        (
            wanted(Some("1920x1080"), Some(5.0)),
            "1920×1080, 5 pictures a second, raw",
        ),
    ] {
        assert_eq!(
            chosen(WEBCAM, asked).as_deref(),
            Some(expected),
            "{asked:?}"
        );
    }
}

#[test]
fn other_cameras_are_left_to_the_decoder() {
    for modes in [
        "video/x-h264,width=1920,height=1080,framerate=30/1",
        "video/x-raw,format=YUY2,width=[1,1920],height=[1,1080],framerate=30/1",
        "video/x-raw(memory:DMABuf),format=DMA_DRM,width=1280,height=720,framerate=30/1",
        "ANY",
    ] {
        assert_eq!(chosen(modes, WantedMode::default()), None, "{modes}");
    }
}

#[test]
fn a_mode_begins_a_launch_line() {
    gst::init().expect("GStreamer starts");
    let line = |modes: &str| {
        let modes: gst::Caps = modes.parse().expect("they are caps");
        let mode = choose(&modes, WantedMode::default()).expect("there is one");
        mode.launch_line(Path::new("/dev/video0")).to_string()
    };
    assert_eq!(
        line(WEBCAM),
        "v4l2src device=/dev/video0 ! image/jpeg,width=1280,height=720,framerate=30/1 ! queue leaky=downstream max-size-buffers=1 ! jpegdec"
    );
    assert_eq!(
        line("video/x-raw,format=GRAY8,width=640,height=360,framerate=30/1"),
        "v4l2src device=/dev/video0 ! video/x-raw,format=GRAY8,width=640,height=360,framerate=30/1"
    );
}

#[test]
fn a_wrong_size_is_named() {
    for text in ["1280", "0x720", "1280x-1", "wide", "1280x99999"] {
        let error = text.parse::<FrameSize>().expect_err(text);
        assert!(
            error.contains("1280x720") && error.contains(text),
            "{error}"
        );
    }
}

#[test]
fn a_file_has_no_modes() {
    gst::init().expect("GStreamer starts");
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let error = modes(file.path()).expect_err("it is no camera");
    assert!(error.to_string().contains("no camera"), "{error}");
}
