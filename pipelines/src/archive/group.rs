//! Groups of files.

use std::str::FromStr;

use regex::Regex;

/// How files are put into groups.
#[derive(Debug, Clone, Default)]
pub enum Grouping {
    /// By the first folder below the root; files that lie in none are a group of their own without a name.
    #[default]
    Folder,
    /// By what a pattern finds in the path: its first pair of parentheses, or all of it; files in which it finds nothing are
    /// a group of their own without a name.
    Pattern(Regex),
}

impl Grouping {
    /// The group of the file with this path below its root.
    pub fn group<'a>(&self, path: &'a str) -> &'a str {
        let found = match self {
            Self::Folder => path.split_once('/').map(|(folder, _)| folder),
            Self::Pattern(pattern) => pattern.captures(path).and_then(|found| {
                let found = found.get(1).or_else(|| found.get(0));
                found.map(|found| found.as_str())
            }),
        };
        found.unwrap_or_default()
    }
}

impl FromStr for Grouping {
    type Err = String;

    fn from_str(pattern: &str) -> Result<Self, String> {
        let compiled = Regex::new(pattern);
        compiled.map(Self::Pattern).map_err(|error| {
            format!(
                "expected a regular expression such as '^(\\d{{4}})-', found {pattern}: {error}"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_grouped_by_their_first_folder() {
        let group = |path| Grouping::Folder.group(path);
        assert_eq!(group("a/b/clip.mp4"), "a");
        assert_eq!(group("clip.mp4"), "");
    }

    #[test]
    fn a_pattern_names_the_group_by_its_first_parentheses_or_as_a_whole() {
        let by = |pattern: &str| pattern.parse::<Grouping>().unwrap();
        let path = "2024-05/cam3/clip.mp4";
        assert_eq!(by(r"cam(\d)").group(path), "3");
        assert_eq!(by(r"^\d{4}").group(path), "2024");
        assert_eq!(by("dog").group(path), "");
        let error = "(".parse::<Grouping>().unwrap_err();
        assert!(error.contains("expected a regular expression"), "{error}");
    }
}
