//! Reads a folder of images: `DIR/SPLIT/EMOTION/*` or `DIR/EMOTION/*`.
//!
//! Each image shows one face. Its central square is converted to grey and resized to [`FACE_SIZE`]² by the code that
//! the plugin runs. A split that is needed but has no folder gets a share of the images. Their pixels alone decide
//! which, so copies of an image share a split, and adding images does not move the others.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use emotion_models::Emotion;
use emotion_models::image_file;
use emotion_models::preprocess::{Preprocessor, Region};
use rayon::prelude::*;

use super::crop::crop;
use super::dataset::Dataset;
use super::faces::{FACE_SIZE, Split};
use crate::hash::fnv1a;
use crate::progress_bar;

/// Least side of an image in pixels: no face can be recognised in a smaller one.
const LEAST_SIDE: u32 = 16;
/// Largest aspect ratio: a longer image shows more than a face.
const MOST_ASPECT: u32 = 2;
/// A split without a folder gets one image in this many.
const SHARE: u64 = 10;

/// Names of the folders of a split, in lower case without punctuation; the first is ours.
const SPLITS: [(Split, &[&str]); 3] = [
    (Split::Training, &["train", "training"]),
    (
        Split::Public,
        &["val", "valid", "validation", "public", "publictest"],
    ),
    (
        Split::Private,
        &["test", "testing", "private", "privatetest"],
    ),
];

/// Names of the folders of an emotion, likewise.
const EMOTIONS: [(Emotion, &[&str]); 7] = [
    (Emotion::Angry, &["angry", "anger"]),
    (Emotion::Disgust, &["disgust", "disgusted"]),
    (Emotion::Fear, &["fear", "fearful", "scared", "afraid"]),
    (Emotion::Happy, &["happy", "happiness", "joy"]),
    (Emotion::Sad, &["sad", "sadness"]),
    (Emotion::Surprise, &["surprise", "surprised"]),
    (Emotion::Neutral, &["neutral", "neutrality"]),
];

/// Why a folder could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A folder is missing or not readable.
    #[error("cannot list {}", path.display())]
    List {
        /// The folder.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Folders are not named or nested as expected.
    #[error(
        "{} is not laid out as expected:{problems}\nexpected {}/{{train,val,test}}/EMOTION/*.png, or \
         {0}/EMOTION/*.png to have the pictures split, with EMOTION one of {}",
        path.display(),
        path.display(),
        emotion_names(", ")
    )]
    Layout {
        /// The folder.
        path: PathBuf,
        /// All problems.
        problems: Problems,
    },
    /// Some files are not images of a face.
    #[error(
        "{} of {of} files are not pictures of a face:{problems}\nrepair them or take them out of the \
         folder",
        problems.0.len()
    )]
    Images {
        /// Number of files.
        of: usize,
        /// The files, each with its problem.
        problems: Problems,
    },
}

/// The problems of files and folders, one line each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<(PathBuf, String)>);

impl Problems {
    fn add(&mut self, path: &Path, problem: &str) {
        self.0.push((path.to_owned(), problem.to_owned()));
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|(path, problem)| write!(f, "\n  {} {problem}", path.display()))
    }
}

/// The split or emotion that a folder is named after.
fn named<T: Copy>(folder: &Path, names: &[(T, &[&str])]) -> Option<T> {
    let name = folder.file_name()?.to_string_lossy();
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let found = names.iter().find(|(_, names)| names.contains(&&*name));
    found.map(|&(value, _)| value)
}

fn emotion_names(separator: &str) -> String {
    EMOTIONS.map(|(_, names)| names[0]).join(separator)
}

/// Where images of a split are expected.
pub(super) fn place(split: Split) -> String {
    let (_, names) = SPLITS[split as usize];
    format!("{}/{{{}}}", names[0], emotion_names(","))
}

/// An image file; a split only if its folder is named after one.
#[derive(Debug)]
struct ImageFile {
    path: PathBuf,
    split: Option<Split>,
    emotion: Emotion,
}

/// Reads all images in the folder at `path`, in the order of their names.
///
/// # Errors
///
/// See [`Error`]; a single broken image fails the whole folder.
pub fn load(path: &Path) -> Result<Dataset, Error> {
    let files = find(path)?;
    let bar = progress_bar::reading("pictures", files.len());
    let faces: Vec<_> = files
        .par_iter()
        .map_init(
            || Preprocessor::new(FACE_SIZE),
            |preprocessor, file| {
                let face = read(&file.path, preprocessor);
                bar.inc(1);
                face.map_err(|problem| (file.path.clone(), problem))
            },
        )
        .collect();
    drop(bar);

    let of = files.len();
    let has_validation = files.iter().any(|file| file.split == Some(Split::Public));
    let mut dataset = Dataset::default();
    if files.iter().all(|file| file.split.is_none()) {
        dataset.set_undivided();
    }
    let mut problems = Vec::new();
    for (file, face) in files.iter().zip(faces) {
        match face {
            Ok(face) => {
                let split = match file.split {
                    None => assigned(&face),
                    Some(Split::Training) if !has_validation => held_out(&face),
                    Some(split) => split,
                };
                dataset.push(split, &face, file.emotion);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(dataset)
    } else {
        let problems = Problems(problems);
        Err(Error::Images { of, problems })
    }
}

/// The split of a face in a folder without splits: 80 % are for training.
fn assigned(face: &[u8]) -> Split {
    match hash(face) % SHARE {
        0 => Split::Private,
        _ => held_out(face),
    }
}

/// The split of a training face when no folder holds validation images.
fn held_out(face: &[u8]) -> Split {
    match hash(face) % SHARE {
        1 => Split::Public,
        _ => Split::Training,
    }
}

/// FNV-1a with the mixing step of MurmurHash3, because its low bits depend on few pixels.
fn hash(face: &[u8]) -> u64 {
    let hash = fnv1a(face);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// The face in the file, [`FACE_SIZE`]² grey values, or the problem.
fn read(path: &Path, preprocessor: &mut Preprocessor) -> Result<Vec<u8>, String> {
    let image = image_file::load(path).map_err(|error| error.to_string())?;
    let (width, height) = image.dimensions();
    let (shorter, longer) = (width.min(height), width.max(height));
    if shorter < LEAST_SIDE {
        return Err(format!(
            "has {width}×{height} pixels, a face needs {LEAST_SIDE}×{LEAST_SIDE} at least"
        ));
    }
    if longer > MOST_ASPECT * shorter {
        return Err(format!(
            "has {width}×{height} pixels, too long for a face: crop it to the face"
        ));
    }
    let side = shorter as f32;
    let centre = Region {
        x: (width as f32 - side) / 2.0,
        y: (height as f32 - side) / 2.0,
        width: side,
        height: side,
    };
    image_file::view(&image)
        .and_then(|view| crop(&view, centre, preprocessor))
        .map_err(|error| error.to_string())
}

/// Finds the files in the folder and reports all problems of its layout at once.
fn find(path: &Path) -> Result<Vec<ImageFile>, Error> {
    let mut walk = Walk::default();
    let folders = walk.folders(path)?;
    let (mut splits, mut emotions) = (0, 0);
    for folder in &folders {
        if let Some(split) = named(folder, &SPLITS) {
            splits += 1;
            for inner in walk.folders(folder)? {
                walk.emotion(&inner, Some(split))?;
            }
        } else {
            emotions += 1;
            walk.emotion(folder, None)?;
        }
    }
    let Walk {
        files,
        mut problems,
    } = walk;
    if splits > 0 && emotions > 0 {
        problems.add(path, "holds folders of splits beside others");
    } else if files.is_empty() && problems.0.is_empty() {
        problems.add(path, "holds no pictures in folders");
    }
    if problems.0.is_empty() {
        return Ok(files);
    }
    Err(Error::Layout {
        path: path.to_owned(),
        problems,
    })
}

/// The files and problems found so far.
#[derive(Default)]
struct Walk {
    files: Vec<ImageFile>,
    problems: Problems,
}

impl Walk {
    /// The folders in a folder of folders. Other files such as a README are ignored, but images are in the wrong place.
    fn folders(&mut self, path: &Path) -> Result<Vec<PathBuf>, Error> {
        let (folders, files) = list(path)?;
        let is_image = |file: &&PathBuf| image::ImageFormat::from_path(file).is_ok();
        for file in files.iter().filter(is_image) {
            self.problems
                .add(file, "lies outside the folders of the emotions");
        }
        Ok(folders)
    }

    /// The images in the folder of an emotion.
    fn emotion(&mut self, path: &Path, split: Option<Split>) -> Result<(), Error> {
        let Some(emotion) = named(path, &EMOTIONS) else {
            self.problems.add(path, "is named like no emotion");
            return Ok(());
        };
        let (folders, files) = list(path)?;
        for folder in &folders {
            self.problems.add(folder, "is a folder, expected pictures");
        }
        if files.is_empty() && folders.is_empty() {
            self.problems
                .add(path, "is empty: add pictures, or take the folder away");
        }
        self.files.extend(files.into_iter().map(|path| ImageFile {
            path,
            split,
            emotion,
        }));
        Ok(())
    }
}

/// The folders and the files in a folder, sorted, without hidden and system files.
fn list(path: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Error> {
    let entries = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect()
    };
    let mut entries = entries().map_err(|source| Error::List {
        path: path.to_owned(),
        source,
    })?;
    entries.retain(|path| !is_system_file(path));
    entries.sort();
    Ok(entries.into_iter().partition(|path| path.is_dir()))
}

fn is_system_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || ["Thumbs.db", "desktop.ini", "__MACOSX"].contains(&&*name)
}
