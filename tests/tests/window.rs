//! A real window on a display of its own.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use emotion_tests::{
    gst_launch::{Ended, Scratch},
    repository,
};

const WIDTH: usize = 1024;
const HEIGHT: usize = 768;

/// An X server without a screen, on the first display number that is free.
fn display() -> Option<(Ended, String)> {
    let server = Command::new("Xvfb")
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
        .spawn();
    let Ok(mut server) = server else {
        eprintln!("skipped: Xvfb is not installed");
        return None;
    };
    let number = server.stdout.take().map(BufReader::new);
    let server = Ended(server);
    let mut line = String::new();
    number
        .expect("it is piped")
        .read_line(&mut line)
        .expect("Xvfb tells its display number");
    Some((server, format!(":{}", line.trim())))
}

#[test]
fn the_readme_line_shows_a_window_with_the_annotated_picture() {
    let Some((_server, display)) = display() else {
        return;
    };
    let scratch = Scratch::new().expect("the plugin was built");
    let screenshot = repository("target").join("window.png");

    // The portrait as a camera: the same picture again and again, until the test ends it.
    let portrait = repository("tests/media/astronaut.png");
    let mut viewer = scratch.command("gst-launch-1.0").expect("plain paths");
    viewer
        .env("DISPLAY", &display)
        .env_remove("WAYLAND_DISPLAY")
        .args(["filesrc", &format!("location={}", portrait.display())])
        .args("! pngdec ! imagefreeze ! video/x-raw,framerate=5/1 ! videoconvert".split(' '))
        .args(
            "! facedetect ! emotionclassify ! emotionoverlay ! videoconvert ! ximagesink"
                .split(' '),
        )
        .stdout(Stdio::null());
    let _viewer = Ended(viewer.spawn().expect("gst-launch-1.0 starts"));

    let shown = (0..60).find_map(|_| {
        let picture = take_screenshot(&scratch, &display, &screenshot);
        (picture.coloured > WIDTH * HEIGHT / 20).then_some(picture)
    });
    let shown = shown.expect("no window came up within a minute");
    assert!(
        shown.coloured > WIDTH * HEIGHT / 20,
        "{} coloured pixels",
        shown.coloured
    );
    println!("screenshot: {}", screenshot.display());
}

struct Screenshot {
    /// Pixels that are not black, as the empty display is.
    coloured: usize,
}

fn take_screenshot(scratch: &Scratch, display: &str, file: &std::path::Path) -> Screenshot {
    // One picture a second: the tenth of a minute's worth of tries.
    let taken = scratch
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
    let mut reader = png::Decoder::new(BufReader::new(File::open(file).expect("it was written")))
        .read_info()
        .expect("it is a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a screenshot fits")];
    reader.next_frame(&mut pixels).expect("it is whole");
    Screenshot {
        coloured: pixels
            .as_chunks::<3>()
            .0
            .iter()
            .filter(|pixel| pixel.iter().any(|&value| value > 16))
            .count(),
    }
}
