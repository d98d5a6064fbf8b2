//! Names the results of files, and recognises results by their names.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::input_file::InputFile;
use crate::tag::result_names::{ANNOTATED, SUMMARY, with_suffix};

/// Extensions of the files that are taken from a folder. A file that is named itself is taken with any extension.
const EXTENSIONS: [&str; 43] = [
    "3g2", "3gp", "asf", "avi", "avif", "bmp", "divx", "dv", "f4v", "flv", "gif", "h264", "heic",
    "heif", "jp2", "jpeg", "jpg", "jxl", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts",
    "mxf", "ogg", "ogm", "ogv", "pgm", "png", "pnm", "ppm", "rm", "tif", "tiff", "ts", "vob",
    "webm", "webp", "wmv", "y4m",
];

/// Names the results of files by their paths below a root.
#[derive(Debug, Default)]
pub(super) struct Naming {
    /// The root of all files, absolute; `None` if each has the one that it was found below.
    root: Option<PathBuf>,
    /// The names so far, with the path of the file that has it.
    taken: BTreeMap<PathBuf, PathBuf>,
}

impl Naming {
    pub(super) fn new(root: Option<PathBuf>) -> Self {
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
            Some(root) => input.absolute.strip_prefix(root).map_err(|_| {
                format!(
                    "the file is not below {}, the folder of --root",
                    root.display()
                )
            })?,
            None => {
                let file_name = input.path.file_name().unwrap_or_default();
                let below = input.path.strip_prefix(found_below);
                below.unwrap_or(Path::new(file_name))
            }
        };
        if let Some(other) = self.taken.insert(name.to_owned(), input.path.clone()) {
            let reason = format!(
                "its results would have the same name as those of {}; --root FOLDER with a folder above both keeps them apart",
                other.display()
            );
            self.taken.insert(name.to_owned(), other);
            return Err(reason);
        }
        Ok(name.to_owned())
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
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    EXTENSIONS.contains(&&*extension.to_ascii_lowercase())
}

/// Whether an earlier run wrote this file: `clip.mp4.annotated.mp4`, or what a summary beside it lists.
pub(super) fn is_own_result(path: &Path) -> bool {
    let Some(file_name) = path.file_name().and_then(OsStr::to_str) else {
        return false;
    };
    let Some((input, _)) = file_name.rsplit_once(&format!(".{ANNOTATED}.")) else {
        return false;
    };
    if is_media(Path::new(input)) {
        return true;
    }
    let summary = fs::read_to_string(with_suffix(&path.with_file_name(input), SUMMARY));
    let summary: Value = summary
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let mut outputs = summary["outputs"].as_array().into_iter().flatten();
    outputs.any(|output| output == file_name)
}
