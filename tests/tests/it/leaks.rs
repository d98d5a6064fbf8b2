//! GStreamer's `leaks` tracer counts the objects that are left when a program ends.

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
        let output = environment
            .command("gst-launch-1.0")
            .unwrap()
            .args(line.split_whitespace())
            .env("GST_TRACERS", "leaks")
            .env("GST_DEBUG", "GST_TRACER:7")
            .env("GST_DEBUG_NO_COLOR", "1")
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        let left: Vec<&str> = log
            .lines()
            // Other lines describe the format of these.
            .filter(|line| {
                line.contains("object-alive, type-name=(string)") && !line.contains("new format")
            })
            .collect();
        assert!(output.status.success(), "{log}");
        assert!(left.is_empty(), "{left:#?}");
    }
}
