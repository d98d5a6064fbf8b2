use super::*;
use crate::runner::{self, RunEnd};

/// Behaves as GStreamer's video sinks do when their window is closed, at the third frame.
fn close_at_third_frame(screen: &gst_app::AppSink) {
    let mut shown = 0;
    let show = move |screen: &gst_app::AppSink| {
        screen.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        shown += 1;
        if shown < 3 {
            return Ok(gst::FlowSuccess::Ok);
        }
        gst::element_error!(
            screen,
            gst::ResourceError::NotFound,
            ["Output window was closed"]
        );
        Err(gst::FlowError::Error)
    };
    screen.set_callbacks(
        gst_app::AppSinkCallbacks::builder()
            .new_sample(show)
            .build(),
    );
}

#[test]
fn a_closed_window_ends_the_run_and_the_recording_comes_to_its_end() {
    gst::init().expect("GStreamer starts");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("recording.avi");
    let line = LaunchLine::default()
        .words("videotestsrc is-live=true ! video/x-raw,width=32,height=32 ! tee name=both")
        .words("both. ! queue ! jpegenc ! avimux ! filesink")
        .path("location", &file)
        .words(&format!(
            "both. ! bin.( name={NAME} queue ! appsink name=screen sync=false )"
        ));
    let pipeline = line.launch().expect("the elements exist");
    let screen = pipeline
        .by_name("screen")
        .and_then(|screen| screen.downcast().ok());
    close_at_third_frame(&screen.expect("appsink is an AppSink"));

    let stop = StopFlag::default();
    stop_on_close(&pipeline, &stop).expect("it has a window");
    let end = runner::run(&pipeline, &stop, |_| {}).expect("the closed window is no error");
    assert_eq!(end, RunEnd::Stopped);
    // The index is the last thing that the container writes.
    let recording = std::fs::read(&file).expect("it was recorded");
    assert!(
        recording.windows(4).any(|word| word == b"idx1"),
        "the recording was cut off"
    );
}

#[test]
fn other_errors_of_the_window_are_errors() {
    gst::init().expect("GStreamer starts");
    let line = LaunchLine::default()
        .words("videotestsrc !")
        .words(&format!(
            "bin.( name={NAME} queue ! identity error-after=2 ! fakesink )"
        ));
    let pipeline = line.launch().expect("the elements exist");
    let stop = StopFlag::default();
    stop_on_close(&pipeline, &stop).expect("it has a window");
    runner::run(&pipeline, &stop, |_| {}).expect_err("the window failed");
}

#[test]
fn a_key_that_is_pressed_in_the_window_is_acted_upon_and_no_other() {
    gst::init().expect("GStreamer starts");
    let line = LaunchLine::default()
        .words("videotestsrc num-buffers=20 !")
        .words(&format!(
            "bin.( name={NAME} queue ! identity ! fakesink name=screen )"
        ));
    let pipeline = line.launch().expect("the elements exist");
    let (pressed, presses) = std::sync::mpsc::channel();
    on_key(&pipeline, "b", move |_| {
        pressed.send(()).expect("the test is still there");
    })
    .expect("it has a window");
    let screen = pipeline.by_name("screen").expect("it was named");
    pipeline.set_state(gst::State::Paused).expect("it starts");
    let (started, ..) = pipeline.state(gst::ClockTime::from_seconds(30));
    started.expect("it starts");
    for key in ["a", "b", "Return"] {
        let event = NavigationEvent::new_key_press(key).structure();
        screen.send_event(gst::event::Navigation::new(event));
    }
    pipeline.set_state(gst::State::Null).expect("it stops");
    assert_eq!(presses.try_iter().count(), 1);
}
