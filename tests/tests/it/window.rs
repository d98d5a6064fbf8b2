//! A real window on a virtual display.

use std::{
    io::{BufRead, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use emotion_tests::{
    gst_launch::{GstEnvironment, KillOnDrop},
    picture,
};

const WIDTH: usize = 1024;
const HEIGHT: usize = 768;
/// Width and height of the portrait in pixels.
const SIDE: usize = 512;

/// An X server without a screen, on the first display number that is free.
fn display() -> (KillOnDrop, String) {
    let mut server = Command::new("Xvfb")
        .args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            &format!("{WIDTH}x{HEIGHT}x24"),
            "-nolisten",
            "tcp",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Xvfb is installed (Debian: xvfb)");
    let number = server.stdout.take().map(BufReader::new);
    let server = KillOnDrop(server);
    let mut line = String::new();
    number
        .expect("it is piped")
        .read_line(&mut line)
        .expect("Xvfb tells its display number");
    (server, format!(":{}", line.trim()))
}

#[test]
fn the_readme_line_opens_a_window_that_shows_the_portrait_with_an_overlay() {
    let (_server, display) = display();
    let environment = GstEnvironment::new().expect("the plugin was built");
    let screenshot = Path::new(env!("CARGO_TARGET_TMPDIR")).join("window.png");

    // The portrait as a camera: the same picture until the test ends it.
    let portrait = picture::portrait();
    let mut viewer = environment.command("gst-launch-1.0").expect("plain paths");
    viewer
        .env("DISPLAY", &display)
        .env_remove("WAYLAND_DISPLAY")
        .args(["filesrc", &format!("location={}", portrait.display())])
        .args("! pngdec ! imagefreeze ! video/x-raw,framerate=5/1 ! videoconvert".split(' '))
        .args(
            "! facedetect ! emotionclassify ! emotionoverlay ! videoconvert ! autovideosink"
                .split(' '),
        )
        .stdout(Stdio::null());
    let mut viewer = KillOnDrop(
        viewer
            .stderr(Stdio::piped())
            .spawn()
            .expect("gst-launch-1.0 starts"),
    );

    let portrait = picture::rgb(&portrait).pixels;
    let unlike = (0..60).find_map(|_| {
        assert_still_running(&mut viewer.0);
        let unlike = unlike_portrait(
            &take_screenshot(&environment, &display, &screenshot),
            &portrait,
        );
        (unlike < SIDE * SIDE / 2).then_some(unlike)
    });
    let unlike = unlike.expect("a window comes up within a minute");
    assert!(
        unlike > 500,
        "nothing is drawn on the portrait: {unlike} pixels are not as in it; see {}",
        screenshot.display()
    );
}

fn assert_still_running(viewer: &mut Child) {
    if viewer.try_wait().expect("it was started").is_some() {
        let mut errors = String::new();
        viewer
            .stderr
            .take()
            .expect("it is piped")
            .read_to_string(&mut errors)
            .expect("it is text");
        panic!("the viewer ended: {errors}");
    }
}

/// How many pixels differ clearly from the portrait in the corner of the display where the window appears.
fn unlike_portrait(display: &[[u8; 3]], portrait: &[[u8; 3]]) -> usize {
    let differs = |(a, b): (&[u8; 3], &[u8; 3])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > 48);
    let rows = display.chunks(WIDTH).zip(portrait.chunks(SIDE));
    rows.map(|(display, portrait)| {
        display
            .iter()
            .zip(portrait)
            .filter(|pair| differs(*pair))
            .count()
    })
    .sum()
}

/// Takes two screenshots a second apart and returns the second one.
fn take_screenshot(environment: &GstEnvironment, display: &str, file: &Path) -> Vec<[u8; 3]> {
    let taken = environment
        .command("gst-launch-1.0")
        .expect("plain paths")
        .args(["ximagesrc", &format!("display-name={display}"), "use-damage=false", "num-buffers=2"])
        .args("! video/x-raw,framerate=1/1 ! videoconvert ! video/x-raw,format=RGB ! pngenc snapshot=false !".split(' '))
        .args(["multifilesink", &format!("location={}", file.display())])
        .output()
        .expect("gst-launch-1.0 starts");
    assert!(
        taken.status.success(),
        "{}",
        String::from_utf8_lossy(&taken.stderr)
    );
    picture::rgb(file).pixels
}
