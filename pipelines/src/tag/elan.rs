//! Emotions for ELAN, the annotation tool of the Max Planck Institute for Psycholinguistics: an EAF 3.0 document with a tier
//! for each face and an annotation for each stretch of time with one emotion.
//!
//! Schema: <http://www.mpi.nl/tools/elan/EAFv3.0.xsd>.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

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
pub(super) fn document(source: &Path, timeline: &EmotionTimeline, date: &str) -> String {
    let name = source.file_name().unwrap_or_default();
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
        let mut last_end = 0;
        for span in spans {
            let [start, end] = [span.start, span.end].map(milliseconds);
            // ELAN shows no annotation without a duration, and those of a tier do not overlap.
            let start = start.max(last_end);
            last_end = end.max(start + 1);
            let [start, end] = [start, last_end].map(|time| slots.slot(time));
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
    let encoded = percent_encode(name.as_encoded_bytes(), IN_NAME);
    let address = format!("./{encoded}");
    let mime = mime_type(source);
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
        .replace(
            |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'),
            " ",
        )
}

fn mime_type(path: &Path) -> &'static str {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
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
        let text = document(Path::new("a/Grüße & so.mp4"), &timeline, DATE);
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
        let text = document(Path::new("photo.jpg"), &timeline, DATE);
        assert!(text.contains("TIME_VALUE=\"0\"") && text.contains("TIME_VALUE=\"1\""));
    }

    #[test]
    fn labels_cannot_end_an_element() {
        let timeline = timeline(vec![record(0.0, vec![face(1, 0, "</A>&\"", 0.5)])]);
        let text = document(Path::new("a.mp4"), &timeline, DATE);
        assert!(text.contains("<ANNOTATION_VALUE>&lt;/A&gt;&amp;&quot;</ANNOTATION_VALUE>"));
    }

    /// The elements below the root in the order that the schema prescribes.
    const IN_DOCUMENT: [&str; 4] = ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE"];
    /// Each element that we write, with the attributes that the schema requires and allows of it.
    const ATTRIBUTES: [(&str, &[&str], &[&str]); 10] = [
        (
            "ANNOTATION_DOCUMENT",
            &["AUTHOR", "DATE", "VERSION"],
            &["FORMAT", "noNamespaceSchemaLocation"],
        ),
        ("HEADER", &[], &["MEDIA_FILE", "TIME_UNITS"]),
        (
            "MEDIA_DESCRIPTOR",
            &["MEDIA_URL", "MIME_TYPE"],
            &["RELATIVE_MEDIA_URL"],
        ),
        ("TIME_ORDER", &[], &[]),
        ("TIME_SLOT", &["TIME_SLOT_ID"], &["TIME_VALUE"]),
        ("TIER", &["TIER_ID", "LINGUISTIC_TYPE_REF"], &[]),
        ("ANNOTATION", &[], &[]),
        (
            "ALIGNABLE_ANNOTATION",
            &["ANNOTATION_ID", "TIME_SLOT_REF1", "TIME_SLOT_REF2"],
            &[],
        ),
        ("ANNOTATION_VALUE", &[], &[]),
        (
            "LINGUISTIC_TYPE",
            &["LINGUISTIC_TYPE_ID"],
            &["TIME_ALIGNABLE", "GRAPHIC_REFERENCES"],
        ),
    ];

    /// The rules of the EAF 3.0 schema, and those of ELAN about time, as far as they concern what we write.
    fn assert_is_valid(text: &str) {
        gst::init().expect("GStreamer starts");
        let document = roxmltree::Document::parse(text).unwrap_or_else(|e| panic!("{e}: {text}"));
        let all = || document.descendants().filter(roxmltree::Node::is_element);
        let named = |name: &'static str| all().filter(move |node| node.has_tag_name(name));
        for node in all() {
            let name = node.tag_name().name();
            let (_, required, optional) = ATTRIBUTES
                .iter()
                .find(|(known, ..)| *known == name)
                .unwrap_or_else(|| panic!("{name}"));
            for attribute in node.attributes() {
                let is_known = required.iter().chain(*optional);
                let attribute = attribute.name();
                assert!(
                    is_known.clone().any(|known| *known == attribute),
                    "{attribute}"
                );
            }
            for attribute in *required {
                assert!(node.attribute(*attribute).is_some(), "{name} {attribute}");
            }
        }

        let root = document.root_element();
        let children = root.children().filter(roxmltree::Node::is_element);
        let places = children.map(|child| {
            let name = child.tag_name().name();
            let place = IN_DOCUMENT.iter().position(|known| *known == name);
            place.unwrap_or_else(|| panic!("{name}"))
        });
        let places: Vec<_> = places.collect();
        assert!(places.is_sorted(), "{places:?}");
        assert_eq!(named("HEADER").count(), 1);
        assert_eq!(named("TIME_ORDER").count(), 1);
        let date = root.attribute("DATE").expect("it is required");
        assert!(gst::DateTime::from_iso8601_string(date).is_ok(), "{date}");

        // Identifiers are names of XML and occur once in the document.
        let attributes = |name: &'static str| all().filter_map(move |node| node.attribute(name));
        let mut known = std::collections::BTreeSet::new();
        for id in attributes("TIME_SLOT_ID").chain(attributes("ANNOTATION_ID")) {
            assert!(id.starts_with(|c: char| c.is_ascii_alphabetic()), "{id}");
            assert!(id.chars().all(|c| c.is_ascii_alphanumeric()), "{id}");
            assert!(known.insert(id), "{id}");
        }
        let types: Vec<_> = attributes("LINGUISTIC_TYPE_ID").collect();
        let mut tiers = std::collections::BTreeSet::new();
        for tier in named("TIER") {
            let id = tier.attribute("TIER_ID");
            assert!(tiers.insert(id), "{id:?}");
            let kind = tier.attribute("LINGUISTIC_TYPE_REF").expect("required");
            assert!(types.contains(&kind), "{kind}");
        }

        let slots = named("TIME_SLOT").map(|slot| {
            let time = slot.attribute("TIME_VALUE").expect("we write it");
            let id = slot.attribute("TIME_SLOT_ID").expect("required");
            (id, time.parse::<u32>().expect("it is a number"))
        });
        let slots: Vec<_> = slots.collect();
        assert!(slots.is_sorted_by_key(|(_, time)| *time), "{slots:?}");
        let time_of = |node: &roxmltree::Node<'_, '_>, name| {
            let wanted = node.attribute(name).expect("required");
            let slot = slots.iter().find(|(id, _)| *id == wanted);
            slot.unwrap_or_else(|| panic!("{wanted}")).1
        };
        for tier in named("TIER") {
            let mut last_end = 0;
            for annotation in tier.children().filter(roxmltree::Node::is_element) {
                let value = annotation.first_element_child().expect("it has one");
                assert!(value.has_tag_name("ALIGNABLE_ANNOTATION"));
                let start = time_of(&value, "TIME_SLOT_REF1");
                let end = time_of(&value, "TIME_SLOT_REF2");
                assert!(last_end <= start && start < end, "{last_end} {start} {end}");
                last_end = end;
            }
        }
    }

    #[test]
    fn every_document_is_valid() {
        let many = (0..50).map(|n| {
            let label = ["happy", "sad", "neutral"][n % 3];
            let faces = (0..n % 4).map(|id| face(id as i32, 0, label, 0.5));
            record(0.0004 * n as f64, faces.collect())
        });
        for (name, records) in [
            ("nobody.mp4", vec![record(0.0, vec![])]),
            (
                "photo.jpg",
                vec![record(0.0, vec![face(1, 0, "happy", 0.5)])],
            ),
            (
                "a/<\"&'>\u{1}.mkv",
                vec![record(None, vec![face(None, 0, "</A>\u{ffff}", 0.5)])],
            ),
            ("short.mp4", many.collect()),
            (
                "hours.mp4",
                (0..100)
                    .map(|n| record(100.0 * f64::from(n), vec![face(n % 7, 0, "sad", 0.5)]))
                    .collect(),
            ),
        ] {
            assert_is_valid(&document(Path::new(name), &timeline(records), DATE));
        }
    }
}
