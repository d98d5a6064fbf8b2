//! What is left when a program ends. `GstEnvironment::launch` fails where GStreamer's `leaks` tracer finds objects.

use emotion_tests::gst_launch::GstEnvironment;

#[test]
fn two_trackers_in_one_process_leak_no_object() {
    let environment = GstEnvironment::new().unwrap();
    for mode in ["true", "false"] {
        let line = format!(
            "videotestsrc num-buffers=40 ! video/x-raw,width=320,height=240 ! tee name=t \
             t. ! queue ! emotionfacedetect post-messages=frame asynchronous={mode} ! fakesink \
             t. ! queue ! emotionfacedetect detection-interval=3 asynchronous={mode} ! fakesink"
        );
        let output = environment.launch(&line).unwrap();
        assert!(output.succeeded, "{}", output.text);
    }
}
