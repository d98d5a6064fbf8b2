//! The course of each face as one page of HTML that needs nothing else: style, script, data and pictures stand in it.

use serde::Serialize;

use gstemotion::emotionoverlay::colour;

use super::thumbnails::FaceThumbnails;
use super::timeline::{EmotionTimeline, PersonKey, PersonTimeline, UNCLASSIFIED};

const PAGE: &str = include_str!("report.html");
/// Where the data goes into the page.
const PLACE: &str = "/*DATA*/null";
/// Moments to jump to, for each person.
const PEAKS: usize = 12;

#[derive(Serialize)]
struct ReportData<'a> {
    file: &'a str,
    /// The annotated video beside the page.
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
    /// Among all faces.
    count: u64,
}

#[derive(Serialize)]
struct PersonData {
    name: String,
    frames: u64,
    valence: Option<f64>,
    /// Start, end, index of the label, confidence at its best.
    spans: Vec<(f64, f64, usize, f64)>,
    /// Frames by the index of the label.
    counts: Vec<u64>,
    /// Time and picture.
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

/// The page about `file`; `video` is an annotated video beside it.
///
/// # Errors
///
/// When a value has no JSON, which none has.
pub(super) fn html(
    file: &str,
    video: Option<&str>,
    course: &EmotionTimeline,
    thumbnails: Option<&FaceThumbnails>,
) -> serde_json::Result<String> {
    let labels: Vec<_> = course.labels().into_iter().collect();
    let index = |label: &str| {
        labels
            .iter()
            .position(|(name, _)| *name == label)
            .unwrap_or(0)
    };
    let data = ReportData {
        file,
        video,
        duration: course.end(),
        size: course.size,
        frames: course.frames,
        frames_with_faces: course.frames_with_faces,
        most_faces: course.most_faces,
        labels: labels
            .iter()
            .map(|&(name, count)| LabelData {
                name,
                count,
                colour: css(name),
            })
            .collect(),
        persons: course
            .persons
            .iter()
            .map(|(who, person)| PersonData::of(*who, person, labels.len(), &index, thumbnails))
            .collect(),
    };
    // Nothing in the data may end the script that it stands in.
    let json = serde_json::to_string(&data)?.replace('<', "\\u003c");
    Ok(PAGE.replacen(PLACE, &json, 1))
}

impl PersonData {
    fn of(
        who: PersonKey,
        person: &PersonTimeline,
        labels: usize,
        index: &dyn Fn(&str) -> usize,
        thumbnails: Option<&FaceThumbnails>,
    ) -> Self {
        let mut counts = vec![0; labels];
        for (label, count) in &person.labels {
            counts[index(label)] = *count;
        }
        let strip = thumbnails.map_or(&[][..], |thumbnails| thumbnails.strip(who));
        Self {
            name: who.to_string(),
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
                        .and_then(|thumbnails| thumbnails.at(who, &span.label, span.peak))
                        .map(|picture| data_url(&picture.jpeg)),
                })
                .collect(),
        }
    }
}

/// As the overlay has it.
fn css(label: &str) -> String {
    let [red, green, blue] = colour(if label == UNCLASSIFIED {
        None
    } else {
        Some(label)
    });
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn data_url(jpeg: &[u8]) -> String {
    format!("data:image/jpeg;base64,{}", gst::glib::base64_encode(jpeg))
}

#[cfg(test)]
mod tests {
    use super::super::timeline::tests::{course, face, record};
    use super::*;

    fn page(file: &str) -> String {
        let records = [(0.0, "happy"), (1.0, "neutral")];
        let records = records.map(|(time, label)| record(time, vec![face(1, 0, label, 0.5)]));
        html(file, None, &course(records.to_vec()), None).unwrap()
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let page = page("talk.mp4");
        // The name of the SVG language is no address that anybody opens.
        let page = page.replace("http://www.w3.org/2000/svg", "");
        for elsewhere in ["http:", "https:", "src=\"", "href=\"", "@import", "url("] {
            assert!(!page.contains(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_name_cannot_end_the_script() {
        let page = page("</script><script>alert(1)</script>.mp4");
        assert_eq!(
            page.matches("</script").count(),
            PAGE.matches("</script").count()
        );
        assert!(page.contains("\\u003c/script>"));
    }

    #[test]
    fn the_data_stands_in_the_page() {
        assert_eq!(PAGE.matches(PLACE).count(), 1);
        let page = page("talk.mp4");
        assert!(!page.contains(PLACE) && page.contains("\"file\":\"talk.mp4\""));
        assert!(page.contains(&format!("\"colour\":\"{}\"", css("happy"))));
    }
}
