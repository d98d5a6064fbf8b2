mod foreign_memory;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;
use std::thread::sleep;

use super::*;
use crate::crowd::config::Config;

#[test]
fn a_decoder_that_is_too_slow_is_less_than_two_seconds_late() {
    stays_in_time("h264parse");
}

#[test]
fn so_is_one_that_stands_in_the_line() {
    stays_in_time("h264parse ! avdec_h264");
}

/// Encodes 50 frames a second; a quarter of them can be decoded. `end` is the end of the launch line.
fn stays_in_time(end: &str) {
    gst::init().unwrap();
    let config = Config::parse(
        &format!(
            "[[source]]\nname = \"fast\"\nlaunch = \"videotestsrc is-live=true \
             ! video/x-raw,width=64,height=48,framerate=50/1 \
             ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! {end}\"\n"
        ),
        Path::new("crowd.toml"),
    );
    let config = config.unwrap();
    let skipped = Arc::new(AtomicU32::new(0));
    let ages = Arc::new(Mutex::new(Vec::new()));
    let (skips, captured) = (skipped.clone(), ages.clone());
    let pipeline = SourcePipeline::open(
        &config.sources[0],
        RtspTransport::Auto,
        move |frame| {
            captured.lock().unwrap().push(frame.captured.elapsed());
            // The decoder waits for this, while four frames arrive.
            sleep(Duration::from_millis(80));
        },
        move || {
            skips.fetch_add(1, Ordering::Relaxed);
        },
    );
    let mut pipeline = pipeline.unwrap();
    assert!(pipeline.is_live());
    assert!(pipeline.next_event(Duration::from_secs(3)).is_none());
    drop(pipeline);
    let (ages, skipped) = (ages.lock().unwrap(), skipped.load(Ordering::Relaxed));
    assert!(skipped > 50, "{skipped} dropped");
    assert!(ages.len() > 20, "{} decoded", ages.len());
    // Without dropping frames, the last ones would be more than two seconds late.
    let last = &ages[ages.len() / 2..];
    let oldest = last.iter().max().unwrap();
    assert!(*oldest < Duration::from_secs(2), "{oldest:?}");
}

#[test]
fn frames_of_a_hardware_decoder_are_brought_into_system_memory() {
    gst::init().unwrap();
    foreign_memory::register();
    let line =
        "videotestsrc is-live=true ! video/x-raw,format=I420,width=64,height=48 ! crowdtestupload";
    let config = Config::parse(
        &format!("[[source]]\nname = \"hardware\"\nlaunch = \"{line}\"\n"),
        Path::new("crowd.toml"),
    );
    let config = config.unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let pipeline = SourcePipeline::open(
        &config.sources[0],
        RtspTransport::Auto,
        move |frame| {
            // The test may have seen enough.
            let _ = sender.send(frame.caps);
        },
        || {},
    );
    let mut pipeline = pipeline.unwrap();
    let caps = loop {
        if let Ok(caps) = receiver.try_recv() {
            break caps;
        }
        let event = pipeline.next_event(Duration::from_millis(20));
        assert!(event.is_none(), "{event:?}");
    };
    let features = caps.features(0).expect("fixed caps");
    assert!(!features.contains("memory:CrowdTest"), "{caps}");
}

#[test]
fn decoders_of_the_hardware_are_left_out_where_the_settings_say_so() {
    gst::init().unwrap();
    for (decoders, expected) in [("", false), ("decoders = \"software\"", true)] {
        let config = Config::parse(
            &format!("[[source]]\nname = \"a\"\nlaunch = \"videotestsrc\"\n{decoders}\n"),
            Path::new("crowd.toml"),
        );
        let config = config.unwrap();
        let source = &config.sources[0];
        let pipeline = input::pipeline(source, RtspTransport::Auto, &CertificateVerdict::default());
        let decoder = pipeline.unwrap().by_name("crowd-decoder").unwrap();
        assert_eq!(decoder.property::<bool>("force-sw-decoders"), expected);
    }
}
