use super::*;
use crate::launch_line::LaunchLine;
use crate::runner::{self, StopFlag};

/// The caps and the data behind the element, where something takes the caps `behind`.
fn converted(caps: &str, behind: &str) -> (gst::Caps, Vec<u8>) {
    gst::init().unwrap();
    register().unwrap();
    let line = LaunchLine::default()
        .words("videotestsrc num-buffers=1 pattern=white ! videoconvert !")
        .words(caps)
        .words("!")
        .words(NAME)
        .words("!")
        .words(behind)
        .words("! appsink name=frames sync=false");
    let pipeline = line.launch().unwrap();
    let sink = pipeline.by_name("frames").unwrap();
    let sink = sink.downcast::<gst_app::AppSink>().unwrap();
    let (send, receive) = std::sync::mpsc::channel();
    let on_sample = move |sink: &gst_app::AppSink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let data = sample.buffer().unwrap().map_readable().unwrap().to_vec();
        send.send((sample.caps_owned().unwrap(), data)).unwrap();
        Ok(gst::FlowSuccess::Ok)
    };
    let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(on_sample);
    sink.set_callbacks(callbacks.build());
    runner::run(&pipeline, &StopFlag::default(), |_| {}).unwrap();
    receive.recv().unwrap()
}

#[test]
fn hdr_video_becomes_sdr_video_of_the_same_size() {
    for transfer in ["bt2100-pq", "bt2100-hlg"] {
        for format in ["I420_10LE", "P010_10LE", "I422_10LE", "Y444_12LE"] {
            let caps =
                format!("video/x-raw,format={format},width=36,height=34,colorimetry={transfer}");
            let (caps, data) = converted(&caps, "videoconvert");
            let info = VideoInfo::from_caps(&caps).unwrap();
            assert_eq!((info.width(), info.height()), (36, 34), "{caps}");
            assert_eq!(info.colorimetry().to_string(), "bt709", "{caps}");
            assert_eq!(data.len(), info.size());
            // Luma and chroma of white.
            assert!(
                data[0] > 200 && data[info.offset()[1]].abs_diff(128) < 4,
                "{caps}"
            );
        }
    }
}

#[test]
fn other_video_passes_unchanged() {
    for caps in [
        "video/x-raw,format=RGB,width=6,height=4",
        "video/x-raw,format=I420_10LE,width=6,height=4,colorimetry=bt709",
        "video/x-raw,format=NV12,width=6,height=4,colorimetry=bt2020",
    ] {
        let (found, _) = converted(caps, "identity");
        assert!(
            found.can_intersect(&caps.parse::<gst::Caps>().unwrap()),
            "{found}"
        );
    }
}
