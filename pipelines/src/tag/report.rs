//! The timeline of each face as an HTML page that contains everything it needs: style, script, data and thumbnails.

use serde::Serialize;

use gstemotion::emotionoverlay::colour;

use super::thumbnails::FaceThumbnails;
use super::timeline::{EmotionTimeline, PersonKey, PersonTimeline, UNCLASSIFIED};
use crate::html_page;

const PAGE: &str = include_str!("report.html");
/// Number of peaks for each person.
const PEAKS: usize = 12;

#[derive(Serialize)]
struct ReportData<'a> {
    file: &'a str,
    /// The address of the annotated video.
    video: Option<&'a str>,
    duration: f64,
    size: Option<(u32, u32)>,
    frames: u64,
    frames_with_faces: u64,
    most_faces: usize,
    labels: Vec<LabelData<'a>>,
    persons: Vec<PersonData>,
}

#[derive(Serialize)]
struct LabelData<'a> {
    name: &'a str,
    colour: String,
    /// Number of faces with it.
    count: u64,
}

#[derive(Serialize)]
struct PersonData {
    name: String,
    frames: u64,
    valence: Option<f64>,
    /// Start, end, index of the label, highest confidence.
    spans: Vec<(f64, f64, usize, f64)>,
    /// Number of frames by the index of the label.
    counts: Vec<u64>,
    /// Time and thumbnail.
    strip: Vec<(f64, String)>,
    peaks: Vec<PeakData>,
}

#[derive(Serialize)]
struct PeakData {
    time: f64,
    label: usize,
    confidence: f64,
    picture: Option<String>,
}

/// The page for `file`; `video` is the address of the annotated video.
///
/// # Errors
///
/// If a value cannot be represented in JSON, which does not happen.
pub(super) fn html(
    file: &str,
    video: Option<&str>,
    timeline: &EmotionTimeline,
    thumbnails: Option<&FaceThumbnails>,
) -> serde_json::Result<String> {
    let labels: Vec<_> = timeline.labels().into_iter().collect();
    let index = |label: &str| {
        labels
            .iter()
            .position(|(name, _)| *name == label)
            .unwrap_or(0)
    };
    let data = ReportData {
        file,
        video,
        duration: timeline.end(),
        size: timeline.size,
        frames: timeline.frames,
        frames_with_faces: timeline.frames_with_faces,
        most_faces: timeline.most_faces,
        labels: labels
            .iter()
            .map(|&(name, count)| LabelData {
                name,
                count,
                colour: css(name),
            })
            .collect(),
        persons: timeline
            .persons
            .iter()
            .map(|(key, person)| PersonData::new(*key, person, labels.len(), &index, thumbnails))
            .collect(),
    };
    html_page::filled(PAGE, &data)
}

impl PersonData {
    fn new(
        key: PersonKey,
        person: &PersonTimeline,
        labels: usize,
        index: &dyn Fn(&str) -> usize,
        thumbnails: Option<&FaceThumbnails>,
    ) -> Self {
        let mut counts = vec![0; labels];
        for (label, count) in &person.labels {
            counts[index(label)] = *count;
        }
        let strip = thumbnails.map_or(&[][..], |thumbnails| thumbnails.strip(key));
        Self {
            name: key.to_string(),
            frames: person.frames,
            valence: person.mean_valence(),
            spans: person
                .spans
                .iter()
                .map(|span| (span.start, span.end, index(&span.label), span.confidence))
                .collect(),
            counts,
            strip: strip
                .iter()
                .map(|picture| (picture.time, data_url(&picture.jpeg)))
                .collect(),
            peaks: person
                .peaks(PEAKS)
                .into_iter()
                .map(|span| PeakData {
                    time: span.peak,
                    label: index(&span.label),
                    confidence: span.confidence,
                    picture: thumbnails
                        .and_then(|thumbnails| thumbnails.closest(key, &span.label, span.peak))
                        .map(|picture| data_url(&picture.jpeg)),
                })
                .collect(),
        }
    }
}

/// The colour of a label in `emotionoverlay`.
pub(crate) fn css(label: &str) -> String {
    let [red, green, blue] = colour(Some(label).filter(|label| *label != UNCLASSIFIED));
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn data_url(jpeg: &[u8]) -> String {
    format!("data:image/jpeg;base64,{}", gst::glib::base64_encode(jpeg))
}

#[cfg(test)]
mod tests {
    use super::super::timeline::tests::{face, record, timeline};
    use super::*;
    use crate::html_page::PLACEHOLDER;

    fn page(file: &str) -> String {
        let records = [(0.0, "happy"), (1.0, "neutral")];
        let records = records.map(|(time, label)| record(time, vec![face(1, 0, label, 0.5)]));
        html(file, None, &timeline(records.to_vec()), None).unwrap()
    }

    #[test]
    fn the_page_loads_nothing() {
        let page = page("talk.mp4");
        // The namespace of SVG is a name, not an address to load.
        let page = page.replace("http://www.w3.org/2000/svg", "");
        for elsewhere in ["http:", "https:", "src=\"", "href=\"", "@import", "url("] {
            assert!(!page.contains(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_file_name_cannot_end_the_script() {
        let page = page("</script><script>alert(1)</script>.mp4");
        assert_eq!(
            page.matches("</script").count(),
            PAGE.matches("</script").count()
        );
        assert!(page.contains("\\u003c/script>"));
    }

    #[test]
    fn the_page_contains_the_data() {
        assert_eq!(PAGE.matches(PLACEHOLDER).count(), 1);
        let page = page("talk.mp4");
        assert!(!page.contains(PLACEHOLDER) && page.contains("\"file\":\"talk.mp4\""));
        assert!(page.contains(&format!("\"colour\":\"{}\"", css("happy"))));
    }
}
