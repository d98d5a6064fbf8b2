//! `emotionpublish location=-`: records on standard output, for another program to read.

use emotion_tests::gst_launch::GstEnvironment;

#[test]
fn standard_output_has_one_line_of_json_for_each_frame_and_nothing_else() {
    let environment = GstEnvironment::new().expect("the plugin was built");
    let line = "videotestsrc num-buffers=3 ! video/x-raw,width=64,height=48 ! emotionfacedetect ! emotionclassify \
                ! emotionpublish location=- wall-clock=true source=test ! fakesink";
    let output = environment
        .command("gst-launch-1.0")
        .expect("plain paths")
        .arg("-q")
        .args(line.split_whitespace())
        .output()
        .expect("it starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("JSON is text");
    let records: Vec<gstemotion::record::Record> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    assert_eq!(records.len(), 3);
    for record in records {
        assert_eq!(record.source.as_deref(), Some("test"));
        assert!(record.wall_clock.is_some_and(|clock| clock.ends_with('Z')));
    }
}
