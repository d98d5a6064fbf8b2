//! Names the results of files, and recognises results by their names.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::input_file::InputFile;
use super::remote_url::{self, RemoteUrl};
use crate::tag::captions;
use crate::tag::result_names::{
    ANNOTATED, ARCHIVE_FILES, CAPTIONS, ELAN, REPORT, SUMMARY, THUMBNAILS, with_suffix,
};
use crate::tag::s3::S3Address;
use crate::tag::settings::RecordFileFormat;

/// Extensions of the files that are taken from a folder. A file that is named itself is taken with any extension.
const EXTENSIONS: [&str; 43] = [
    "3g2", "3gp", "asf", "avi", "avif", "bmp", "divx", "dv", "f4v", "flv", "gif", "h264", "heic",
    "heif", "jp2", "jpeg", "jpg", "jxl", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts",
    "mxf", "ogg", "ogm", "ogv", "pgm", "png", "pnm", "ppm", "rm", "tif", "tiff", "ts", "vob",
    "webm", "webp", "wmv", "y4m",
];

/// What results are named below.
#[derive(Debug)]
pub(super) enum Root {
    /// An absolute path.
    Folder(PathBuf),
    /// An address without login, query and slash at its end.
    Address(String),
}

impl Root {
    /// The root that the user named; or what is wrong with it.
    pub(super) fn new(named: &Path) -> Result<Self, String> {
        let shown = named.to_string_lossy();
        if let Some(url) = RemoteUrl::new(&shown) {
            return Ok(Self::Address(url.shown().trim_end_matches('/').to_owned()));
        }
        if let Some(address) = S3Address::new(&shown) {
            return Ok(Self::Address(address.to_string()));
        }
        let shown = remote_url::without_secrets(&shown);
        match fs::canonicalize(named) {
            Ok(found) if found.is_dir() => Ok(Self::Folder(found)),
            Ok(_) => Err(format!("--root {shown}: expected a folder")),
            Err(error) => Err(format!("--root {shown}: {error}")),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Folder(folder) => folder.display().to_string(),
            Self::Address(address) => address.clone(),
        }
    }
}

/// Names the results of files by their paths below a root.
#[derive(Debug, Default)]
pub(super) struct Naming {
    /// The root of all files; `None` if each has the one that it was found below.
    root: Option<Root>,
    /// The names so far, with the path of the file that has it.
    taken: BTreeMap<PathBuf, PathBuf>,
}

impl Naming {
    pub(super) fn new(root: Option<Root>) -> Self {
        Self {
            root,
            taken: BTreeMap::new(),
        }
    }

    /// The name of the results of `input`, which was found below `found_below`; or why it can have none.
    pub(super) fn name(
        &mut self,
        input: &InputFile,
        found_below: &Path,
    ) -> Result<PathBuf, String> {
        let name = match &self.root {
            Some(Root::Folder(root)) => input.absolute.strip_prefix(root).ok(),
            Some(Root::Address(_)) => None,
            None => {
                let file_name = input.path.file_name().unwrap_or_default();
                let below = input.path.strip_prefix(found_below);
                Some(below.unwrap_or(Path::new(file_name)))
            }
        };
        let name = name.map(Path::to_owned).ok_or_else(|| self.outside());
        self.take(name?, &input.path)
    }

    /// The name of the results of the file at `url`, which is shown as `shown`; or why it can have none.
    pub(super) fn name_remote(&mut self, url: &RemoteUrl, shown: &Path) -> Result<PathBuf, String> {
        let parts = match &self.root {
            Some(Root::Folder(_)) => None,
            Some(Root::Address(root)) => url.below(Some(root)),
            None => url.below(None),
        };
        let name = parts.map(PathBuf::from_iter).ok_or_else(|| self.outside());
        self.take(name?, shown)
    }

    /// The name of the results of the object at `address`, which was found below `found_below`; or why it can have none.
    pub(super) fn name_object(
        &mut self,
        address: &S3Address,
        found_below: &S3Address,
    ) -> Result<PathBuf, String> {
        let root = match &self.root {
            Some(Root::Folder(_)) => None,
            Some(Root::Address(root)) => S3Address::new(root),
            None => Some(found_below.clone()),
        };
        let below = root.as_ref().and_then(|root| address.below(root));
        let name = PathBuf::from(below.ok_or_else(|| self.outside())?);
        let is_below = |part| matches!(part, Component::Normal(_));
        if !name.components().all(is_below) {
            return Err("its results would lie outside of the folder of --out".into());
        }
        self.take(name, Path::new(&address.to_string()))
    }

    /// Gives this name to the file at `path` unless another one has it.
    pub(super) fn take(&mut self, name: PathBuf, path: &Path) -> Result<PathBuf, String> {
        if let Some(other) = self.taken.get(&name) {
            return Err(format!(
                "its results would have the same name as those of {}; --root with a folder or address above both keeps them apart",
                other.display()
            ));
        }
        self.taken.insert(name.clone(), path.to_owned());
        Ok(name)
    }

    fn outside(&self) -> String {
        let root = self.root.as_ref().map_or(String::new(), Root::shown);
        format!("it is not below {root}, the folder or address of --root")
    }
}

/// Names the captions of all files: without the extension, as players look for them, unless another file of the run, or
/// in the folder of the file, has the same name without its extension.
pub(super) fn name_captions(files: &mut [InputFile]) {
    let mut in_run: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for file in &*files {
        *in_run.entry(file.name.with_extension("")).or_default() += 1;
    }
    let mut folders: BTreeMap<PathBuf, BTreeMap<OsString, usize>> = BTreeMap::new();
    for file in files {
        let short = file.name.with_extension("");
        let folder = file.absolute.parent().unwrap_or(Path::new("")).to_owned();
        let in_folder = folders
            .entry(folder)
            .or_insert_with_key(|folder| media_stems(folder));
        let stem = file.absolute.file_stem().unwrap_or_default();
        // A file that is no media by its extension is not among those of the folder.
        let own = usize::from(is_media(&file.absolute));
        let others = in_folder
            .get(stem)
            .copied()
            .unwrap_or(0)
            .saturating_sub(own);
        file.captions = match in_run[&short] == 1 && others == 0 {
            true => short,
            false => file.name.clone(),
        };
    }
}

/// The names without extensions of the media in a folder, each with the number of files.
fn media_stems(folder: &Path) -> BTreeMap<OsString, usize> {
    let mut stems = BTreeMap::new();
    // An unreadable folder has been reported, unless its files were named one by one.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = PathBuf::from(entry.file_name());
        if let Some(stem) = path.file_stem().filter(|_| is_media(&path)) {
            *stems.entry(stem.to_owned()).or_default() += 1;
        }
    }
    stems
}

pub(super) fn is_media(path: &Path) -> bool {
    EXTENSIONS.contains(&&*extension(path))
}

/// The extension in small letters; empty without one.
pub(super) fn extension(path: &Path) -> String {
    let extension = path.extension().unwrap_or_default();
    extension.to_string_lossy().to_ascii_lowercase()
}

/// Whether an earlier run wrote this file.
pub(super) fn is_own_result(path: &Path) -> bool {
    is_annotated(path) || is_text_result(path)
}

/// Whether it is an annotated copy by its name alone: `clip.mp4.annotated.mp4`.
pub(super) fn is_annotated_copy(path: &Path) -> bool {
    annotated_input(path).is_some_and(|input| is_media(Path::new(input)))
}

/// The name of the file of which this one is an annotated copy by its name.
fn annotated_input(path: &Path) -> Option<&str> {
    let file_name = path.file_name().and_then(OsStr::to_str)?;
    let (input, _) = file_name.rsplit_once(&format!(".{ANNOTATED}."))?;
    Some(input)
}

/// Whether it is an annotated copy: `clip.mp4.annotated.mp4`, or one that a summary beside it lists.
fn is_annotated(path: &Path) -> bool {
    let Some(input) = annotated_input(path) else {
        return false;
    };
    if is_annotated_copy(path) {
        return true;
    }
    let file_name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let summary = fs::read_to_string(with_suffix(&path.with_file_name(input), SUMMARY));
    let summary: Value = summary
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let mut outputs = summary["outputs"].as_array().into_iter().flatten();
    outputs.any(|output| output == file_name)
}

/// Whether it is another result: one with a summary beside it, captions that name us, or one of the archive as a whole.
fn is_text_result(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    if ARCHIVE_FILES.iter().any(|known| known.as_bytes() == name) {
        return true;
    }
    if extension(path) == CAPTIONS && captions::are_ours(path) {
        return true;
    }
    let formats = [
        RecordFileFormat::Jsonl,
        RecordFileFormat::Csv,
        RecordFileFormat::Parquet,
    ];
    let suffixes = formats.map(RecordFileFormat::extension);
    let suffixes = suffixes
        .into_iter()
        .chain([SUMMARY, THUMBNAILS, ELAN, REPORT]);
    let inputs =
        suffixes.filter_map(|suffix| name.strip_suffix(suffix.as_bytes())?.strip_suffix(b"."));
    let mut summaries = inputs.map(|input| {
        let input = path.with_file_name(OsStr::from_bytes(input));
        with_suffix(&input, SUMMARY)
    });
    summaries.any(|summary| summary.is_file())
}
