//! One page about an archive: its groups, and all files with the emotions of each face over time, to be searched. It contains
//! everything it needs: style, script, data, and the pictures of faces that were kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use percent_encoding::AsciiSet;
use serde::{Deserialize, Serialize};

use super::group::Grouping;
use super::groups::GroupTotals;
use super::summary::{ArchivedFace, ArchivedFile};
use crate::html_page;
use crate::tag;
use crate::tag::report::css;
use crate::tag::result_names::THUMBNAILS;

/// What is encoded in the path of an address.
const IN_PATH: &AsciiSet = &tag::elan::IN_NAME.remove(b'/');
const PAGE: &str = include_str!("archive.html");

#[derive(Serialize)]
struct PageData<'a> {
    labels: Vec<LabelData<'a>>,
    groups: &'a [GroupTotals],
    files: Vec<FileData<'a>>,
}

#[derive(Serialize)]
struct LabelData<'a> {
    name: &'a str,
    colour: String,
}

#[derive(Serialize)]
struct FileData<'a> {
    file: &'a str,
    group: &'a str,
    /// The path of its own page below the folder of the archive.
    page: Option<String>,
    recorded: Option<&'a str>,
    incomplete: Option<&'a str>,
    duration: f64,
    faces: Vec<FaceData>,
}

#[derive(Serialize)]
struct FaceData {
    name: String,
    valence: Option<f64>,
    /// Start, end, index of the label, highest confidence.
    spans: Vec<(f64, f64, usize, f64)>,
    /// Share of each label.
    shares: Vec<f64>,
    /// JPEG in base 64.
    picture: Option<String>,
}

/// The pictures that a file's result with thumbnails holds.
#[derive(Deserialize)]
struct KeptThumbnails {
    persons: Vec<KeptStrip>,
}

#[derive(Deserialize)]
struct KeptStrip {
    id: Option<i32>,
    place: Option<usize>,
    strip: Vec<KeptPicture>,
}

#[derive(Deserialize)]
struct KeptPicture {
    jpeg: String,
}

/// A picture for each face, by track and position; JPEG in base 64.
type FacePictures = BTreeMap<(Option<i32>, Option<usize>), String>;

/// The page about the files of the archive in `folder`.
///
/// # Errors
///
/// If a file with thumbnails cannot be read.
pub(super) fn page(
    folder: &Path,
    files: &[ArchivedFile],
    grouping: &Grouping,
    groups: &[GroupTotals],
) -> anyhow::Result<String> {
    let faces = files.iter().flat_map(|file| &file.faces);
    let names = faces.flat_map(|face| {
        let spans = face.spans.iter().map(|span| span.2.as_str());
        spans.chain(face.emotions.keys().map(String::as_str))
    });
    let mut labels: BTreeMap<&str, usize> = names.map(|name| (name, 0)).collect();
    for (number, index) in labels.values_mut().enumerate() {
        *index = number;
    }
    let files = files.iter().map(|file| {
        let pictures = pictures(folder, file)?;
        let face = |face| FaceData::new(face, &labels, &pictures);
        Ok(FileData {
            file: &file.file,
            group: grouping.group(&file.file),
            page: file.output("html").map(|path| address(&path)),
            recorded: file.recorded.as_deref(),
            incomplete: file.incomplete.as_deref(),
            duration: file.duration,
            faces: file.faces.iter().map(face).collect(),
        })
    });
    let data = PageData {
        files: files.collect::<anyhow::Result<_>>()?,
        labels: labels
            .keys()
            .map(|&name| LabelData {
                name,
                colour: css(name),
            })
            .collect(),
        groups,
    };
    Ok(html_page::filled(PAGE, &data)?)
}

impl FaceData {
    fn new(face: &ArchivedFace, labels: &BTreeMap<&str, usize>, pictures: &FacePictures) -> Self {
        let mut shares = vec![0.0; labels.len()];
        for (name, share) in &face.emotions {
            shares[labels[name.as_str()]] = *share;
        }
        let spans = face.spans.iter();
        Self {
            name: face.name(),
            valence: face.valence,
            spans: spans
                .map(|span| (span.0, span.1, labels[span.2.as_str()], span.3))
                .collect(),
            shares,
            picture: pictures.get(&(face.id, face.place)).cloned(),
        }
    }
}

/// The picture in the middle of each face's strip, by track and position; none for a file without pictures.
fn pictures(folder: &Path, file: &ArchivedFile) -> anyhow::Result<FacePictures> {
    let Some(path) = file.output(THUMBNAILS) else {
        return Ok(FacePictures::new());
    };
    let path = folder.join(path);
    let shown = || path.display().to_string();
    let text = fs::read_to_string(&path).with_context(shown)?;
    let kept: KeptThumbnails = serde_json::from_str(&text).with_context(shown)?;
    let middle = kept.persons.into_iter().filter_map(|mut person| {
        let middle = person.strip.len() / 2;
        let picture = (middle < person.strip.len()).then(|| person.strip.swap_remove(middle))?;
        Some(((person.id, person.place), picture.jpeg))
    });
    Ok(middle.collect())
}

/// A path as an address relative to the page.
fn address(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    percent_encoding::percent_encode(bytes, IN_PATH).to_string()
}
