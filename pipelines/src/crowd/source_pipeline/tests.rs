use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;
use std::thread::sleep;

use super::*;
use crate::crowd::config::Config;

#[test]
fn a_decoder_that_is_too_slow_is_less_than_a_second_late() {
    stays_in_time("h264parse");
}

#[test]
fn so_is_one_that_stands_in_the_line() {
    stays_in_time("h264parse ! avdec_h264");
}

/// With the end of a line that encodes 50 frames a second, of which half can be decoded.
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
    let (skips, seen) = (skipped.clone(), ages.clone());
    let intake = SourcePipeline::open(
        config.sources[0].get_ref(),
        move |frame| {
            seen.lock().unwrap().push(frame.captured.elapsed());
            // The decoder waits for this: two frames come while it works on one.
            sleep(Duration::from_millis(40));
        },
        move || {
            skips.fetch_add(1, Ordering::Relaxed);
        },
    );
    let intake = intake.unwrap();
    assert!(intake.is_live);
    assert!(intake.news(Duration::from_secs(8)).is_none());
    drop(intake);
    let (ages, skipped) = (ages.lock().unwrap(), skipped.load(Ordering::Relaxed));
    assert!(skipped > 50, "{skipped} left out");
    assert!(ages.len() > 30, "{} decoded", ages.len());
    // Without leaving frames out, the last ones would be four seconds late.
    let last = &ages[ages.len() / 2..];
    let oldest = last.iter().max().unwrap();
    assert!(*oldest < Duration::from_secs(2), "{oldest:?}");
}
