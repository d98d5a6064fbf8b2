//! The packages as `Cargo.toml` describes them, and the version.

use std::collections::BTreeSet;
use std::fs;

use emotion_packaging::write_all;
use emotion_tests::repository;
use toml::{Table, Value};

fn toml_of(path: &str) -> Table {
    let text = fs::read_to_string(repository(path)).unwrap();
    text.parse()
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_file_that_a_debian_package_takes_is_there_and_every_generated_one_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path()).unwrap();
    let mut left: BTreeSet<String> = ["", "man", "completions"]
        .iter()
        .flat_map(|child| fs::read_dir(folder.path().join(child)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            path.strip_prefix(folder.path())
                .unwrap()
                .display()
                .to_string()
        })
        .collect();

    for member in ["plugin", "pipelines", "trainer"] {
        let manifest = toml_of(&format!("{member}/Cargo.toml"));
        for asset in manifest["package"]["metadata"]["deb"]["assets"]
            .as_array()
            .unwrap()
        {
            let source = asset[0].as_str().unwrap();
            if source == "../target/packaging/third-party.gz" {
                // deb.sh collects the licences.
            } else if let Some(generated) = source.strip_prefix("../target/packaging/") {
                let (start, end) = generated.split_once('*').unwrap_or((generated, ""));
                let count = left.len();
                left.retain(|file| !(file.starts_with(start) && file.ends_with(end)));
                assert!(left.len() < count, "{member}: {source} is not made");
            } else if !source.starts_with("target/release/") {
                let file = repository(member).join(source);
                assert!(file.exists(), "{member}: {source} is missing");
            }
        }
    }
    assert_eq!(left, BTreeSet::new(), "no package takes these files");
}

#[test]
fn the_service_reads_the_settings_that_the_package_brings() {
    let unit = repository("pipelines/systemd/emotion-crowd.service");
    let unit = fs::read_to_string(unit).unwrap();
    assert!(unit.contains("\nExecStart=/usr/bin/emotion-crowd /etc/emotion-crowd/crowd.toml\n"));
    let manifest = toml_of("pipelines/Cargo.toml");
    let assets = manifest["package"]["metadata"]["deb"]["assets"]
        .as_array()
        .unwrap();
    let settings = [
        "../target/packaging/crowd.toml".into(),
        "etc/emotion-crowd/".into(),
        "644".into(),
    ];
    assert!(assets.contains(&Value::Array(settings.to_vec())));
}

#[test]
fn one_version_stands_everywhere() {
    let workspace = toml_of("Cargo.toml");
    let version = workspace["workspace"]["package"]["version"]
        .as_str()
        .unwrap();
    for (name, dependency) in workspace["workspace"]["dependencies"].as_table().unwrap() {
        if dependency.get("path").is_some() && dependency.get("version").is_some() {
            assert_eq!(
                dependency["version"].as_str(),
                Some(version),
                "Cargo.toml: {name}"
            );
        }
    }
    let ray = toml_of("pipelines/ray/pyproject.toml");
    assert_eq!(ray["project"]["version"].as_str(), Some(version));
}
