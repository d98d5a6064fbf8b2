//! Emotions for ELAN, the annotation tool of the Max Planck Institute for Psycholinguistics: an EAF 3.0 document with a tier
//! for each face and an annotation for each stretch of time with one emotion.
//!
//! Schema: <http://www.mpi.nl/tools/elan/EAFv3.0.xsd>.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::timeline::{EmotionTimeline, UNCLASSIFIED};

/// What is encoded in the name of a file in an address: all but the unreserved characters of RFC 3986.
pub(crate) const IN_NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The linguistic type of all tiers.
const TYPE: &str = "emotion";

/// The document about the file with this path below its root, made at `date` (ISO 8601); the video is expected beside the
/// document.
pub(super) fn document(source: &str, timeline: &EmotionTimeline, date: &str) -> String {
    let name = source.rsplit('/').next().unwrap_or(source);
    let mut slots = TimeSlots::default();
    let mut tiers = String::new();
    let mut annotations = 0;
    for (key, person) in &timeline.persons {
        let _ = writeln!(
            tiers,
            "    <TIER LINGUISTIC_TYPE_REF=\"{TYPE}\" TIER_ID=\"{key}\">"
        );
        let spans = person
            .spans
            .iter()
            .filter(|span| span.label != UNCLASSIFIED);
        for span in spans {
            let [start, end] = [span.start, span.end].map(milliseconds);
            // ELAN shows no annotation without a duration.
            let [start, end] = [start, end.max(start + 1)].map(|time| slots.slot(time));
            annotations += 1;
            let _ = write!(
                tiers,
                "        <ANNOTATION>\n            <ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a{annotations}\" TIME_SLOT_REF1=\"ts{start}\" \
                 TIME_SLOT_REF2=\"ts{end}\">\n                <ANNOTATION_VALUE>{}</ANNOTATION_VALUE>\n            \
                 </ALIGNABLE_ANNOTATION>\n        </ANNOTATION>\n",
                escaped(&span.label)
            );
        }
        tiers += "    </TIER>\n";
    }
    let slots = slots.in_order();
    let encoded = utf8_percent_encode(name, IN_NAME);
    let address = format!("./{encoded}");
    let mime = mime_type(name);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ANNOTATION_DOCUMENT AUTHOR=\"emotion-tag\" DATE=\"{date}\" FORMAT=\"3.0\" VERSION=\"3.0\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xsi:noNamespaceSchemaLocation=\"http://www.mpi.nl/tools/elan/EAFv3.0.xsd\">\n    \
         <HEADER MEDIA_FILE=\"\" TIME_UNITS=\"milliseconds\">\n        \
         <MEDIA_DESCRIPTOR MEDIA_URL=\"{address}\" MIME_TYPE=\"{mime}\" RELATIVE_MEDIA_URL=\"{address}\"/>\n    \
         </HEADER>\n    <TIME_ORDER>\n{slots}    </TIME_ORDER>\n{tiers}    \
         <LINGUISTIC_TYPE GRAPHIC_REFERENCES=\"false\" LINGUISTIC_TYPE_ID=\"{TYPE}\" TIME_ALIGNABLE=\"true\"/>\n\
         </ANNOTATION_DOCUMENT>\n"
    )
}

/// The points in time that annotations refer to, each once.
#[derive(Default)]
struct TimeSlots(BTreeMap<u64, usize>);

impl TimeSlots {
    /// The number of the slot at this time in milliseconds.
    fn slot(&mut self, time: u64) -> usize {
        let next = self.0.len() + 1;
        *self.0.entry(time).or_insert(next)
    }

    /// The slots as elements, in order of time.
    fn in_order(&self) -> String {
        let mut text = String::new();
        for (time, number) in &self.0 {
            let _ = writeln!(
                text,
                "        <TIME_SLOT TIME_SLOT_ID=\"ts{number}\" TIME_VALUE=\"{time}\"/>"
            );
        }
        text
    }
}

fn milliseconds(seconds: f64) -> u64 {
    (1000.0 * seconds).round() as u64
}

/// Text as the content of an element or an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace(char::is_control, " ")
}

fn mime_type(name: &str) -> &'static str {
    let extension = name.rsplit('.').next().unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "mp4" | "m4v" => "video/mp4",
        "mpg" | "mpeg" => "video/mpeg",
        "mov" => "video/quicktime",
        _ => "video/*",
    }
}

#[cfg(test)]
mod tests {
    use super::super::timeline::tests::{face, record, timeline};
    use super::*;

    const DATE: &str = "2024-05-06T07:08:09Z";

    #[test]
    fn each_face_has_a_tier_and_each_emotion_an_annotation() {
        let timeline = timeline(vec![
            record(0.0, vec![face(1, 0, "happy", 0.5), face(2, 9, "sad", 0.5)]),
            record(1.5, vec![face(1, 0, "neutral", 0.5)]),
            record(2.0, vec![]),
        ]);
        let text = document("a/Grüße & so.mp4", &timeline, DATE);
        let tiers: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("<TIER "))
            .collect();
        assert_eq!(tiers.len(), 2);
        assert!(tiers[0].contains("TIER_ID=\"face 1\""));
        assert_eq!(text.matches("<ANNOTATION>").count(), 3);
        // 0, 1.5 and 2 seconds; the end of one is the beginning of the next.
        assert_eq!(text.matches("<TIME_SLOT ").count(), 3);
        assert!(text.contains("TIME_SLOT_ID=\"ts2\" TIME_VALUE=\"1500\""));
        assert!(text.contains("RELATIVE_MEDIA_URL=\"./Gr%C3%BC%C3%9Fe%20%26%20so.mp4\""));
    }

    #[test]
    fn an_emotion_of_one_moment_lasts_a_millisecond() {
        let timeline = timeline(vec![record(0.0, vec![face(1, 0, "happy", 0.5)])]);
        let text = document("photo.jpg", &timeline, DATE);
        assert!(text.contains("TIME_VALUE=\"0\"") && text.contains("TIME_VALUE=\"1\""));
    }

    #[test]
    fn labels_cannot_end_an_element() {
        let timeline = timeline(vec![record(0.0, vec![face(1, 0, "</A>&\"", 0.5)])]);
        let text = document("a.mp4", &timeline, DATE);
        assert!(text.contains("<ANNOTATION_VALUE>&lt;/A&gt;&amp;&quot;</ANNOTATION_VALUE>"));
    }
}
