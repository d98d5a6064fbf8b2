//! Sources that play on while another one is added and removed.

use std::time::Duration;

use super::running::{Page, Running};

const NAMES: [&str; 4] = ["hall", "door", "yard", "till"];

fn made(name: &str, size: &str) -> String {
    let line = "videotestsrc is-live=true pattern=ball ! video/x-raw,framerate=10/1";
    format!("[[source]]\nname = \"{name}\"\nlaunch = \"{line},{size}\"\n")
}

/// The frames of each source so far, and how many of them were skipped.
fn frames(page: &Page) -> [(f64, f64); 4] {
    let metrics = page.text("/metrics");
    NAMES.map(|name| {
        let of = |metric: &str| -> f64 {
            let begin = format!("emotion_crowd_{metric}{{source=\"{name}\"}} ");
            let mut lines = metrics.lines();
            let value = lines.find_map(|line| line.strip_prefix(&begin));
            let value = value.and_then(|value| value.parse().ok());
            value.unwrap_or_else(|| panic!("no {begin} in\n{metrics}"))
        };
        assert_eq!(of("reconnects_total"), 0.0, "{name}");
        (of("frames_total"), of("skipped_frames_total"))
    })
}

#[test]
fn while_a_source_is_added_and_removed_no_other_is_reopened_or_skips_more() {
    let others: String = NAMES.map(|name| made(name, "width=64,height=48")).concat();
    let others = format!("[page]\nlisten = \"127.0.0.1:0\"\npictures = \"off\"\n{others}");
    let with_another = format!("{others}{}", made("another", "width=1280,height=720"));
    let mut running = Running::start(&others);
    let page = running.page();
    let until = |least: f64| {
        while frames(&page).iter().any(|(all, _)| *all < least) {
            std::thread::park_timeout(Duration::from_millis(100));
        }
    };
    until(30.0);
    let quiet = frames(&page);
    for _ in 0..5 {
        running.rewrite(&with_another);
        running.signal("-HUP");
        running.until_said("another: playing");
        running.rewrite(&others);
        running.signal("-HUP");
        running.until_said("another: removed");
    }
    until(quiet[0].0 + 30.0);
    let ended = frames(&page);
    for (index, name) in NAMES.iter().enumerate() {
        let share = |frames: f64, skipped: f64| skipped / frames.max(1.0);
        let before = share(quiet[index].0, quiet[index].1);
        let during = share(
            ended[index].0 - quiet[index].0,
            ended[index].1 - quiet[index].1,
        );
        assert!(
            during <= before + 0.1,
            "{name} skips {during} of its frames, {before} before"
        );
    }
}
