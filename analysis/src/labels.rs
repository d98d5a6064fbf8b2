//! Emotions under other names, or several under one. Knows no GStreamer.

use crate::emotion::UNCERTAIN;

/// Which labels get which names, as `happy=Freude,angry+disgust=negative` says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renaming(Vec<(String, String)>);

/// What is wrong with such a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(
        "labels: expected OLD=NEW or OLD+OLD=NEW, several separated by commas, found {0:?} in it; for example \
         happy=Freude,angry+disgust=negative"
    )]
    Entry(String),
    #[error("labels: {0} is named twice; name it once")]
    Twice(String),
    #[error("labels: the name {UNCERTAIN} is what faces below the threshold get; choose another")]
    Reserved,
}

impl Renaming {
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut names: Vec<(String, String)> = Vec::new();
        for entry in text.split(',').filter(|_| !text.trim().is_empty()) {
            let wrong = || Error::Entry(entry.trim().to_owned());
            let (old, new) = entry.split_once('=').ok_or_else(wrong)?;
            let new = new.trim();
            if new.is_empty() || new.contains('=') {
                return Err(wrong());
            }
            if new == UNCERTAIN {
                return Err(Error::Reserved);
            }
            for old in old.split('+').map(str::trim) {
                if old.is_empty() {
                    return Err(wrong());
                }
                if names.iter().any(|(name, _)| name == old) {
                    return Err(Error::Twice(old.to_owned()));
                }
                names.push((old.to_owned(), new.to_owned()));
            }
        }
        Ok(Self(names))
    }

    /// The names that are no labels of the model, so that renaming them has no effect.
    pub fn unknown<'a>(&'a self, labels: &'a [String]) -> impl Iterator<Item = &'a str> {
        let old = self.0.iter().map(|(old, _)| old);
        old.filter(|old| !labels.contains(old)).map(String::as_str)
    }
}

/// The labels of a model and the groups that they are shown as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    names: Vec<String>,
    /// For each label of the model, its group.
    groups: Vec<usize>,
}

impl Labels {
    /// A label without a new name keeps its own; equal names are one group, in the order of their first label.
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

    /// The probability of each group from those of the model's labels.
    pub fn group(&self, probabilities: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.names.len()];
        for (&group, probability) in self.groups.iter().zip(probabilities) {
            sums[group] += probability;
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Vec<String> {
        ["angry", "disgust", "happy"].map(String::from).to_vec()
    }

    fn labels(text: &str) -> Labels {
        Labels::new(&model(), &Renaming::parse(text).unwrap())
    }

    #[test]
    fn labels_keep_their_names_unless_they_get_others() {
        assert_eq!(labels("").names(), model());
        assert_eq!(
            labels(" happy = große Freude ").names(),
            ["angry", "disgust", "große Freude"]
        );
    }

    #[test]
    fn labels_of_one_name_are_one_and_have_the_sum_of_their_probabilities() {
        for text in [
            "angry+disgust=negative",
            "angry=negative,disgust=negative",
            "disgust=angry",
        ] {
            let labels = labels(text);
            assert_eq!(labels.names().len(), 2, "{text}");
            assert_eq!(labels.group(&[0.25, 0.25, 0.5]), [0.5, 0.5], "{text}");
        }
    }

    #[test]
    fn what_the_model_does_not_know_is_told() {
        let renaming = Renaming::parse("happy=a,joy=b").unwrap();
        assert_eq!(renaming.unknown(&model()).collect::<Vec<_>>(), ["joy"]);
    }

    #[test]
    fn a_text_that_is_no_renaming_is_refused_with_the_part_that_is_wrong() {
        for (text, part) in [
            ("happy", "happy"),
            ("happy=", "happy="),
            ("a=b, +c=d", "+c=d"),
            ("a=b=c", "a=b=c"),
            ("a=b,,c=d", ""),
        ] {
            assert_eq!(
                Renaming::parse(text),
                Err(Error::Entry(part.into())),
                "{text}"
            );
        }
        assert_eq!(
            Renaming::parse("a=b,a=c"),
            Err(Error::Twice("a".to_owned()))
        );
        assert_eq!(Renaming::parse("a=uncertain"), Err(Error::Reserved));
    }
}
