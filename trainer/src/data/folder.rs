//! Reads a folder of pictures: `DIR/SPLIT/EMOTION/*` or `DIR/EMOTION/*`.
//!
//! Each picture is a face that fills it. It goes the way of all faces: the square about its centre,
//! made grey and brought to [`FACE_SIZE`]² by the code that the plugin runs. Where a split that is
//! needed has no folder, a share of the pictures forms it. Their pixels alone decide which, so the
//! same picture never lies on both sides, and more pictures do not move the others.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use emotion_models::Emotion;
use emotion_models::preprocess::{Preprocessor, Region};
use rayon::prelude::*;

use super::{Dataset, FACE_SIZE, Split};
use crate::data::picture::Picture;
use crate::run::progress;

/// Pictures of a smaller side hold no face that could be told from another.
const SMALLEST_SIDE: usize = 16;
/// A face is about as high as it is wide; a picture of a longer shape shows something else too.
const LONGEST_SHAPE: usize = 2;
/// One picture in so many goes to a split without a folder of its own.
const SHARE: u64 = 10;

/// Names of the folders of a split, in small letters and without signs; the first is ours.
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
    /// A folder is not there or not readable.
    #[error("cannot list {}", path.display())]
    List {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Folders are not named or nested as expected.
    #[error(
        "{} is not laid out as expected:{problems}\nexpected {}/{{train,val,test}}/EMOTION/*.png, or \
         {0}/EMOTION/*.png to have the pictures split, with EMOTION one of {emotions}",
        path.display(),
        path.display(),
        emotions = names(EMOTIONS)
    )]
    Layout {
        /// The folder.
        path: PathBuf,
        /// All that is wrong.
        problems: Problems,
    },
    /// Some files are not pictures of a face.
    #[error(
        "{} of {of} files are not pictures of a face:{problems}\nrepair them or take them out of the \
         folder",
        problems.0.len()
    )]
    Pictures {
        /// How many files there are.
        of: usize,
        /// The files, each with its problem.
        problems: Problems,
    },
}

/// What is wrong with files and folders, one line for each.
#[derive(Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<(PathBuf, String)>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|(path, problem)| write!(f, "\n  {} {problem}", path.display()))
    }
}

/// What a folder's name says of the pictures in it.
fn meaning<T: Copy>(
    folder: &Path,
    names: impl IntoIterator<Item = (T, &'static [&'static str])>,
) -> Option<T> {
    let name = folder.file_name()?.to_string_lossy();
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    names
        .into_iter()
        .find(|(_, names)| names.contains(&name.as_str()))
        .map(|(meaning, _)| meaning)
}

/// The names that we use ourselves.
fn names<T>(names: impl IntoIterator<Item = (T, &'static [&'static str])>) -> String {
    let own: Vec<_> = names.into_iter().map(|(_, names)| names[0]).collect();
    own.join(", ")
}

/// Where pictures of a split are looked for.
pub(super) fn place(split: Split) -> String {
    let (_, names) = SPLITS[split as usize];
    format!("{}/{{{}}}", names[0], names_of_emotions())
}

fn names_of_emotions() -> String {
    names(EMOTIONS).replace(", ", ",")
}

/// A picture that was found; a split only if its folder says so.
#[derive(Debug)]
struct Found {
    path: PathBuf,
    split: Option<Split>,
    emotion: Emotion,
}

/// Reads all pictures in the folder at `path`, in the order of their names.
///
/// # Errors
///
/// See [`Error`]; nothing is returned for a folder with a single broken picture.
pub fn load(path: &Path) -> Result<Dataset, Error> {
    let found = find(path)?;
    let bar = progress::reading("pictures", found.len());
    let faces: Vec<_> = found
        .par_iter()
        .map_init(
            || Preprocessor::new(FACE_SIZE),
            |preprocessor, picture| {
                let face = read(&picture.path, preprocessor);
                bar.inc(1);
                face.map_err(|problem| (picture.path.clone(), problem))
            },
        )
        .collect();
    drop(bar);

    let of = faces.len();
    let has = |split| found.iter().any(|picture| picture.split == Some(split));
    let has_validation = has(Split::Public);
    let mut dataset = Dataset::default();
    let mut problems = Vec::new();
    for (picture, face) in found.iter().zip(faces) {
        match face {
            Ok(face) => {
                let split = match picture.split {
                    None => assigned(&face),
                    Some(Split::Training) if !has_validation => held_out(&face),
                    Some(split) => split,
                };
                dataset.push(split, &face, picture.emotion);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(dataset)
    } else {
        let problems = Problems(problems);
        Err(Error::Pictures { of, problems })
    }
}

/// The split of a face in a folder without splits: 80 % are learnt from.
fn assigned(face: &[u8]) -> Split {
    match hash(face) % SHARE {
        0 => Split::Private,
        _ => held_out(face),
    }
}

/// The split of a Training face where nothing else is there to validate on.
fn held_out(face: &[u8]) -> Split {
    match hash(face) % SHARE {
        1 => Split::Public,
        _ => Split::Training,
    }
}

/// FNV-1a, whose low bits alone hang on few pixels, stirred as in MurmurHash3.
fn hash(face: &[u8]) -> u64 {
    let hash = face.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// The face in the file, [`FACE_SIZE`]² grey values, or what is wrong with it.
fn read(path: &Path, preprocessor: &mut Preprocessor) -> Result<Vec<u8>, String> {
    let picture = Picture::load(path).map_err(|error| error.to_string())?;
    let (width, height) = (picture.width(), picture.height());
    let (shorter, longer) = (width.min(height), width.max(height));
    if shorter < SMALLEST_SIDE {
        return Err(format!(
            "has {width}×{height} pixels, a face needs {SMALLEST_SIDE}×{SMALLEST_SIDE} at least"
        ));
    }
    if longer > LONGEST_SHAPE * shorter {
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
    let mut values = vec![0.0; FACE_SIZE * FACE_SIZE];
    let view = picture.view().map_err(|error| error.to_string())?;
    preprocessor
        .run(&view, centre, &mut values)
        .map_err(|error| error.to_string())?;
    let level = |value: &f32| ((value + 1.0) * 127.5).round() as u8;
    Ok(values.iter().map(level).collect())
}

/// Walks the folder, and finds fault with all of it at once.
fn find(path: &Path) -> Result<Vec<Found>, Error> {
    let mut walk = Walk::default();
    let folders = walk.folders(path)?;
    let (mut splits, mut emotions) = (0, 0);
    for folder in &folders {
        if let Some(split) = meaning(folder, SPLITS) {
            splits += 1;
            for inner in walk.folders(folder)? {
                walk.emotion(&inner, Some(split))?;
            }
        } else {
            emotions += 1;
            walk.emotion(folder, None)?;
        }
    }
    let mut problem = |problem: &str| walk.problems.push((path.to_owned(), problem.to_owned()));
    if splits > 0 && emotions > 0 {
        problem("holds folders of splits beside others");
    } else if walk.found.is_empty() && walk.problems.is_empty() {
        walk.problems
            .push((path.to_owned(), "holds no pictures in folders".to_owned()));
    }
    if walk.problems.is_empty() {
        return Ok(walk.found);
    }
    Err(Error::Layout {
        path: path.to_owned(),
        problems: Problems(walk.problems),
    })
}

/// What has been found so far, good and bad.
#[derive(Default)]
struct Walk {
    found: Vec<Found>,
    problems: Vec<(PathBuf, String)>,
}

impl Walk {
    /// The folders in a folder of folders. Files in it, such as a README, do not matter, but pictures
    /// are in the wrong place.
    fn folders(&mut self, path: &Path) -> Result<Vec<PathBuf>, Error> {
        let (folders, files) = list(path)?;
        let stray = files
            .into_iter()
            .filter(|file| image::ImageFormat::from_path(file).is_ok());
        self.problems.extend(
            stray.map(|file| (file, "lies outside the folders of the emotions".to_owned())),
        );
        Ok(folders)
    }

    /// The pictures in the folder of an emotion.
    fn emotion(&mut self, path: &Path, split: Option<Split>) -> Result<(), Error> {
        let problem = |path: &Path, problem: &str| (path.to_owned(), problem.to_owned());
        let Some(emotion) = meaning(path, EMOTIONS) else {
            self.problems
                .push(problem(path, "is named like no emotion"));
            return Ok(());
        };
        let (folders, files) = list(path)?;
        for folder in &folders {
            self.problems
                .push(problem(folder, "is a folder, expected pictures"));
        }
        if files.is_empty() && folders.is_empty() {
            self.problems.push(problem(
                path,
                "is empty: add pictures, or take the folder away",
            ));
        }
        self.found.extend(files.into_iter().map(|path| Found {
            path,
            split,
            emotion,
        }));
        Ok(())
    }
}

/// The folders and the files in a folder, sorted, without what systems leave there.
fn list(path: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Error> {
    let entries = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect()
    };
    let mut entries = entries().map_err(|source| Error::List {
        path: path.to_owned(),
        source,
    })?;
    entries.retain(|path| !is_left_by_a_system(path));
    entries.sort();
    Ok(entries.into_iter().partition(|path| path.is_dir()))
}

fn is_left_by_a_system(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || ["Thumbs.db", "desktop.ini", "__MACOSX"].contains(&&*name)
}
