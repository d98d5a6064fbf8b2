//! The names of labels in a language, or as the user wants them.

use std::sync::Arc;

use emotion_models::Emotion;

use super::language::Language;
use crate::face::UNCERTAIN;

/// Why a list of names cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{entry:?}: expected LABEL=NAME, several of them with commas between, such as happy=joyful,angry=cross"
)]
pub(super) struct Error {
    entry: String,
}

/// Parses a list of labels and their names such as `happy=joyful,angry=cross`.
pub(super) fn parse(list: &str) -> Result<Vec<(String, String)>, Error> {
    let entries = list.split(',').map(str::trim);
    entries
        .filter(|entry| !entry.is_empty())
        .map(|entry| match entry.split_once('=') {
            Some((label, name)) if !label.trim().is_empty() && !name.trim().is_empty() => {
                Ok((label.trim().to_owned(), name.trim().to_owned()))
            }
            _ => Err(Error {
                entry: entry.to_owned(),
            }),
        })
        .collect()
}

/// Finds the names of labels.
#[derive(Debug)]
pub(super) struct LabelNames {
    language: Language,
    custom: Vec<(String, String)>,
    /// The labels of the last model with their names.
    model: Option<(Vec<String>, Arc<[String]>)>,
}

impl LabelNames {
    /// Names in a language, except for those in the list `custom`. A list that cannot be parsed counts as empty.
    pub(super) fn new(language: Language, custom: &str) -> Self {
        Self {
            language,
            custom: parse(custom).unwrap_or_default(),
            model: None,
        }
    }

    /// The name of a label: the label itself if it has no other.
    pub(super) fn name<'a>(&'a self, label: &'a str) -> &'a str {
        if let Some((_, name)) = self.custom.iter().find(|(custom, _)| custom == label) {
            return name;
        }
        let id = match label {
            UNCERTAIN => Some(Emotion::ALL.len()),
            label => Emotion::from_name(label).map(Emotion::label_id),
        };
        id.map_or(label, |id| self.language.name(id))
    }

    /// The names of all labels of a model.
    pub(super) fn names(&mut self, labels: &[String]) -> Arc<[String]> {
        if let Some((known, names)) = &self.model
            && known == labels
        {
            return names.clone();
        }
        let names = labels.iter().map(|label| self.name(label).to_owned());
        let names: Arc<[String]> = names.collect();
        self.model = Some((labels.to_vec(), names.clone()));
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_names_are_the_labels() {
        let names = LabelNames::new(Language::English, "");
        for label in Emotion::ALL
            .map(Emotion::name)
            .into_iter()
            .chain([UNCERTAIN])
        {
            assert_eq!(names.name(label), label);
        }
    }

    #[test]
    fn custom_names_go_first_and_unknown_labels_stay() {
        let mut names =
            LabelNames::new(Language::German, " happy = vergnügt, contempt=Verachtung,");
        let labels = ["happy", "sad", "contempt", "bored"].map(String::from);
        let expected = ["vergnügt", "traurig", "Verachtung", "bored"];
        assert_eq!(*names.names(&labels), expected);
        assert_eq!(*names.names(&labels), expected);
        assert_eq!(names.name(UNCERTAIN), "unsicher");
    }

    #[test]
    fn an_entry_that_is_no_pair_is_named() {
        for list in ["happy", "happy=", "=joy", "sad=down,happy:joy"] {
            let error = parse(list).unwrap_err().to_string();
            assert!(error.contains("expected LABEL=NAME"), "{error}");
        }
    }
}
