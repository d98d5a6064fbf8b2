//! The results of many files together: a table of all faces, a comparison of groups, and one page.
//!
//! Everything is made of the summaries that `emotion-tag` has written, so neither the files nor their records are read
//! again, and archives that several machines have tagged can be put together in one folder.

mod archive_folder;
mod group;
mod groups;
mod html;
pub mod merge;
mod summary;
mod table;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use emotion_models::atomic_file;
use tracing::info_span;

use crate::tag::result_names::{ARCHIVE_FILES, SUMMARY};
pub use archive_folder::ArchiveFolder;
pub use group::Grouping;
use groups::GroupTotals;
pub use summary::{ArchivedFace, ArchivedFile, FaceSpan};

/// The results in a folder.
#[derive(Debug, Default)]
pub struct Archive {
    /// The folder.
    folder: PathBuf,
    /// The tagged files, by name.
    pub files: Vec<ArchivedFile>,
    /// The summaries that cannot be read, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

impl Archive {
    /// Reads all summaries in `folder` and in the folders below it. Hidden folders are left out.
    ///
    /// # Errors
    ///
    /// If the folder cannot be searched or has no summary.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let _span = info_span!("read").entered();
        let shown = folder.display();
        let paths = summaries(folder)?;
        let mut archive = Self {
            folder: folder.to_owned(),
            ..Self::default()
        };
        for path in paths {
            match ArchivedFile::read(folder, &path, archive.files.last()) {
                Ok(file) => archive.files.push(file),
                Err(reason) => archive.unreadable.push((path, format!("{reason:#}"))),
            }
        }
        ensure!(
            !archive.files.is_empty() || !archive.unreadable.is_empty(),
            "{shown}: expected results of emotion-tag, found no *.{SUMMARY}; name the folder of --out"
        );
        archive.files.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(archive)
    }

    /// Writes `archive.parquet` and `archive.csv`, a row for each face of each file, and `archive.groups.csv`, a row for each
    /// group of files and one for all. Returns their paths.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn write_tables(&self, grouping: &Grouping) -> anyhow::Result<Vec<PathBuf>> {
        let _span = info_span!("tables").entered();
        let faces = table::FaceTable::new(&self.files, grouping);
        let groups = GroupTotals::of_all(&self.files, grouping);
        let [table_parquet, table_csv, groups_csv, _] = ARCHIVE_FILES;
        let files = [
            (table_parquet, faces.parquet()?),
            (table_csv, faces.csv()?),
            (groups_csv, groups::csv(&groups)?),
        ];
        files
            .into_iter()
            .map(|(name, contents)| self.write(name, &contents))
            .collect()
    }

    /// The comparison of the groups as text, with a line for all files in the end.
    pub fn groups_text(&self, grouping: &Grouping) -> String {
        groups::text(&GroupTotals::of_all(&self.files, grouping))
    }

    /// Writes `archive.html`, a page with all files, and returns its path.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_page(&self, grouping: &Grouping) -> anyhow::Result<PathBuf> {
        let _span = info_span!("page").entered();
        let groups = GroupTotals::of_all(&self.files, grouping);
        let page = html::page(&self.folder, &self.files, grouping, &groups)?;
        let [.., page_name] = ARCHIVE_FILES;
        self.write(page_name, page.as_bytes())
    }

    fn write(&self, name: &str, contents: &[u8]) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(name);
        atomic_file::write(&path, contents)
            .with_context(|| format!("{}: cannot be written", path.display()))?;
        Ok(path)
    }
}

/// The summaries in a folder and in the folders below it, without hidden ones.
fn summaries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let suffix = format!(".{SUMMARY}");
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.with_context(|| format!("{}: cannot be read", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(b".") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            found.extend(summaries(&entry.path())?);
        } else if name.ends_with(suffix.as_bytes()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
