//! What differs between two configurations.

use std::collections::BTreeSet;

use super::{Config, Secret, SourceSettings};

/// The differences outside the sources.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ConfigDifference {
    /// Settings that can be changed while the program runs.
    pub(crate) applied: Vec<String>,
    /// Settings that need a restart.
    pub(crate) needs_restart: Vec<String>,
    /// Settings of the elements of all sources, which each source is started with.
    pub(crate) of_all_sources: Vec<String>,
}

/// What becomes of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourceChange {
    /// It plays on.
    Unchanged,
    /// It is opened again, because these settings differ.
    Changed(Vec<String>),
    /// It is opened.
    Added,
    /// It ends.
    Removed,
}

impl ConfigDifference {
    /// The differences from `old` to `new`.
    pub(crate) fn new(old: &Config, new: &Config) -> Self {
        let mut difference = Self::default();
        for (section, key) in different_settings(old, new) {
            let shown = match &key {
                Some(key) => format!("{section}.{key}"),
                None => section.clone(),
            };
            let list = match (section.as_str(), key.as_deref()) {
                ("source", _) => continue,
                ("detect" | "classify" | "zones" | "picture-check", _) => {
                    &mut difference.of_all_sources
                }
                ("reconnect", _) | ("records", Some("include" | "interval-seconds")) => {
                    &mut difference.applied
                }
                _ => &mut difference.needs_restart,
            };
            list.push(shown);
        }
        difference
    }
}

/// The section and the key of each setting that differs.
fn different_settings(old: &Config, new: &Config) -> BTreeSet<(String, Option<String>)> {
    let empty = toml::Table::new();
    let mut different = BTreeSet::new();
    for section in keys(&old.table, &new.table) {
        let (before, after) = (old.table.get(section), new.table.get(section));
        if before == after {
            continue;
        }
        let table = |value: Option<&toml::Value>| match value {
            None => Some(empty.clone()),
            Some(value) => value.as_table().cloned(),
        };
        match (table(before), table(after)) {
            (Some(before), Some(after)) => {
                let keys = different_keys(&before, &after);
                // A section without a setting may still mean something, as [page] does.
                if keys.is_empty() {
                    different.insert((section.to_owned(), None));
                }
                different.extend(keys.into_iter().map(|key| (section.to_owned(), Some(key))));
            }
            _ => {
                different.insert((section.to_owned(), None));
            }
        }
    }
    // A secret may change where it is kept.
    let secrets: [(&str, &str, [Option<&Secret>; 2]); 5] = [
        (
            "page",
            "token",
            [old, new].map(|config| config.page.as_ref()?.token.as_ref()),
        ),
        (
            "api",
            "token",
            [old, new].map(|config| config.api.as_ref()?.token.as_ref()),
        ),
        (
            "mqtt",
            "password",
            [old, new].map(|config| config.mqtt.as_ref()?.password.as_ref()),
        ),
        (
            "kafka",
            "password",
            [old, new].map(|config| config.kafka.as_ref()?.password.as_ref()),
        ),
        (
            "webhook",
            "token",
            [old, new].map(|config| config.webhook.as_ref()?.token.as_ref()),
        ),
    ];
    for (section, key, [before, after]) in secrets {
        if before != after {
            different.insert((section.to_owned(), Some(key.to_owned())));
        }
    }
    different
}

/// The change from the source `old` to `new`, whose shared settings differ in `of_all_sources`.
pub(crate) fn source_change(
    old: Option<&SourceSettings>,
    new: Option<&SourceSettings>,
    of_all_sources: &[String],
) -> SourceChange {
    let (old, new) = match (old, new) {
        (None, Some(_)) => return SourceChange::Added,
        (_, None) => return SourceChange::Removed,
        (Some(old), Some(new)) => (old, new),
    };
    let mut keys = different_keys(&old.table, &new.table);
    if old.password != new.password {
        keys.insert("password".into());
    }
    let keys: Vec<_> = keys
        .into_iter()
        .chain(of_all_sources.iter().cloned())
        .collect();
    match keys.is_empty() {
        true => SourceChange::Unchanged,
        false => SourceChange::Changed(keys),
    }
}

fn different_keys(old: &toml::Table, new: &toml::Table) -> BTreeSet<String> {
    let different = |key: &&str| old.get(*key) != new.get(*key);
    keys(old, new)
        .into_iter()
        .filter(different)
        .map(str::to_owned)
        .collect()
}

fn keys<'a>(old: &'a toml::Table, new: &'a toml::Table) -> BTreeSet<&'a str> {
    old.keys().chain(new.keys()).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(text: &str) -> Config {
        crate::init().expect("GStreamer starts");
        Config::parse(text, Path::new("my.toml")).expect(text)
    }

    #[test]
    fn settings_are_applied_or_need_a_restart() {
        let old = config(
            "[page]\nlisten = \"127.0.0.1:1\"\n[detect]\nmin-size = 30\n[records]\ninclude = \"all\"",
        );
        let new = config(
            "[page]\nlisten = \"127.0.0.1:2\"\ntoken = \"t\"\n[detect]\nmin-size = 40\n[records]\ninclude = \"changes\"\n\
             jsonl = \"a\"\n[reconnect]\nstall-seconds = 5\n[analysis]\nworkers = 3\n[api]\n\
             [zones]\nmax-absence-seconds = 2",
        );
        let found = ConfigDifference::new(&old, &new);
        assert_eq!(
            found.applied,
            ["reconnect.stall-seconds", "records.include"]
        );
        assert_eq!(
            found.needs_restart,
            [
                "analysis.workers",
                "api",
                "page.listen",
                "page.token",
                "records.jsonl"
            ]
        );
        assert_eq!(
            found.of_all_sources,
            ["detect.min-size", "zones.max-absence-seconds"]
        );
        assert_eq!(
            ConfigDifference::new(&new, &new),
            ConfigDifference::default()
        );
    }

    #[test]
    fn a_source_is_compared_key_by_key() {
        let source = |rest: &str| {
            let config = config(&format!(
                "[[source]]\nname = \"a\"\nlaunch = \"fakesrc\"\n{rest}"
            ));
            config.sources[0].clone()
        };
        let (plain, fast) = (source(""), source("frames-per-second = 5"));
        let change = |old, new, shared: &[String]| source_change(old, new, shared);
        let commented = source("# later");
        assert_eq!(
            change(Some(&plain), Some(&commented), &[]),
            SourceChange::Unchanged
        );
        assert_eq!(
            change(Some(&plain), Some(&fast), &["detect.x".into()]),
            SourceChange::Changed(vec!["frames-per-second".into(), "detect.x".into()])
        );
        assert_eq!(change(None, Some(&fast), &[]), SourceChange::Added);
        assert_eq!(change(Some(&fast), None, &[]), SourceChange::Removed);
    }

    #[test]
    fn a_password_that_changes_in_its_file_is_a_change() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("password");
        let read = |password: &str| {
            std::fs::write(&path, password).expect("it is writable");
            config(&format!(
                "[[source]]\nname='a'\nuri='rtsp://x'\nusername='u'\npassword={{file={path:?}}}"
            ))
        };
        let (old, new) = (read("1"), read("2"));
        let change = source_change(old.sources.first(), new.sources.first(), &[]);
        assert_eq!(change, SourceChange::Changed(vec!["password".into()]));
    }
}
