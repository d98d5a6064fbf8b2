//! Zones and lines: in records, metrics, on the page and in the live pictures.

use super::portrait;
use super::running::Running;

/// The portrait's face is in the left zone, which must be empty.
const ZONES: &str = r#"
[[source.zone]]
name = "left"
corners = [[0, 0], [0.8, 0], [0.8, 0.6], [0, 0.6]]
limit = 0

[[source.zone]]
name = "right"
corners = [[0.8, 0], [1, 0], [1, 1], [0.8, 1]]

[[source.line]]
name = "door"
from = [0.8, 1]
to = [0.8, 0]
in = "entering"
"#;

fn settings() -> String {
    format!(
        "[records]\njsonl = \"-\"\n[page]\nlisten = \"127.0.0.1:0\"\n{}{ZONES}",
        portrait("hall")
    )
}

#[test]
fn people_in_zones_are_in_records_metrics_and_on_the_page() {
    let mut running = Running::start(&settings());
    let page = running.page();
    let record = running.record_of("hall", |record| {
        record.zones.first().is_some_and(|zone| zone.people == 1)
    });
    let [left, right] = &record.zones[..] else {
        panic!("expected two zones: {record:?}");
    };
    assert_eq!((left.entered, left.left, left.exceeded), (1, 0, Some(true)));
    assert_eq!((right.people, right.exceeded), (0, None));
    assert_eq!(left.present[0].id, record.faces[0].id.expect("a track"));
    assert_eq!(record.lines[0].in_name, "entering");

    // A record is written before the metrics know its frame.
    running.record_of("hall", |_| true);
    let metrics = page.text("/metrics");
    for line in [
        "emotion_crowd_zone_people{source=\"hall\",zone=\"left\"} 1",
        "emotion_crowd_zone_people{source=\"hall\",zone=\"right\"} 0",
        "emotion_crowd_zone_entered_total{source=\"hall\",zone=\"left\"} 1",
        "emotion_crowd_zone_left_total{source=\"hall\",zone=\"left\"} 0",
        "emotion_crowd_zone_limit_exceeded{source=\"hall\",zone=\"left\"} 1",
        "emotion_crowd_zone_dwell_seconds_count{source=\"hall\",zone=\"left\"} 0",
        "emotion_crowd_line_crossings_total{source=\"hall\",line=\"door\",direction=\"in\"} 0",
        "emotion_crowd_line_crossings_total{source=\"hall\",line=\"door\",direction=\"out\"} 0",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line}\n{metrics}"
        );
    }
    assert!(!metrics.contains("zone_limit_exceeded{source=\"hall\",zone=\"right\"}"));
    let shares = "emotion_crowd_zone_emotion_ratio{source=\"hall\",zone=\"left\"";
    assert!(metrics.contains(shares), "{metrics}");

    let streams: serde_json::Value =
        serde_json::from_str(&page.text("/api/streams")).expect("JSON");
    let zone = &streams[0]["zones"][0];
    assert_eq!(
        (&zone["name"], &zone["people"]),
        (&"left".into(), &1.into())
    );
    assert_eq!(streams[0]["lines"][0]["in"], 0);
}
