//! Other names for labels, and groups of labels under one name.

use emotion_models::UNCERTAIN;

/// Other names for some labels of a model, written as `happy=Freude,angry+disgust=negative`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renaming(Vec<(String, String)>);

/// What is wrong with the text of a [`Renaming`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenamingError {
    /// A part of the text, which is given here, is not `OLD=NEW` or `OLD+OLD=NEW`.
    #[error(
        "expected OLD=NEW or OLD+OLD=NEW, several separated by commas, found {0:?} in it; for example \
         happy=Freude,angry+disgust=negative"
    )]
    Entry(String),
    /// This label gets two names.
    #[error("{0} is named twice; name it once")]
    Twice(String),
    /// The new name is [`UNCERTAIN`].
    #[error("the name {UNCERTAIN} is what faces below the threshold get; choose another")]
    Reserved,
}

impl Renaming {
    /// Reads `OLD=NEW` or `OLD+OLD=NEW`, several separated by commas; an empty text renames nothing. Spaces around names
    /// are ignored.
    ///
    /// # Errors
    /// If a part has another form, a label is named twice, or a new name is [`UNCERTAIN`].
    pub fn parse(text: &str) -> Result<Self, RenamingError> {
        let mut names: Vec<(String, String)> = Vec::new();
        for entry in text.split(',').filter(|_| !text.trim().is_empty()) {
            let invalid = || RenamingError::Entry(entry.trim().to_owned());
            let (old, new) = entry.split_once('=').ok_or_else(invalid)?;
            let new = new.trim();
            if new.is_empty() || new.contains('=') {
                return Err(invalid());
            }
            if new == UNCERTAIN {
                return Err(RenamingError::Reserved);
            }
            for old in old.split('+').map(str::trim) {
                if old.is_empty() {
                    return Err(invalid());
                }
                if names.iter().any(|(name, _)| name == old) {
                    return Err(RenamingError::Twice(old.to_owned()));
                }
                names.push((old.to_owned(), new.to_owned()));
            }
        }
        Ok(Self(names))
    }

    /// The old names that are not among `labels`, so that renaming them has no effect.
    pub fn unknown<'a>(&'a self, labels: &'a [String]) -> impl Iterator<Item = &'a str> {
        let old = self.0.iter().map(|(old, _)| old);
        old.filter(|old| !labels.contains(old)).map(String::as_str)
    }
}

/// The groups that the labels of a model are shown as.
///
/// ```
/// use emotion_analysis::{LabelGroups, Renaming};
///
/// let labels = ["angry", "disgust", "happy"].map(String::from);
/// let groups = LabelGroups::new(&labels, &Renaming::parse("angry+disgust=negative")?);
/// assert_eq!(groups.names(), ["negative", "happy"]);
/// assert_eq!(groups.sums(&[0.25, 0.25, 0.5]), [0.5, 0.5]);
/// # Ok::<(), emotion_analysis::RenamingError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelGroups {
    names: Vec<String>,
    /// For each label of the model, the index of its group.
    groups: Vec<usize>,
}

impl LabelGroups {
    /// Labels without a new name keep their own. Labels with the same name form one group. Groups are in the order of
    /// their first labels.
    pub fn new(labels: &[String], renaming: &Renaming) -> Self {
        let mut names: Vec<String> = Vec::new();
        let groups = labels.iter().map(|label| {
            let renamed = renaming.0.iter().find(|(old, _)| old == label);
            let name = renamed.map_or(label, |(_, new)| new);
            let known = names.iter().position(|known| known == name);
            known.unwrap_or_else(|| {
                names.push(name.clone());
                names.len() - 1
            })
        });
        let groups = groups.collect();
        Self { names, groups }
    }

    /// The names of the groups.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The probability of each group: the sum over its labels.
    pub fn sums(&self, probabilities: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.names.len()];
        for (&group, probability) in self.groups.iter().zip(probabilities) {
            sums[group] += probability;
        }
        sums
    }
}

#[cfg(test)]
mod tests;
