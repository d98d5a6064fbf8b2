//! `compose.yaml` and what it mounts.

use std::fs;
use std::process::Command;

use emotion_pipelines::crowd;
use emotion_tests::repository;

#[test]
fn every_file_that_a_service_mounts_is_there() {
    let compose = fs::read_to_string(repository("compose.yaml")).unwrap();
    let mounts = compose.lines().filter_map(|line| {
        let mount = line.trim_start().strip_prefix("- ./")?;
        mount.split_once(':').map(|(path, _)| path)
    });
    let mounts: Vec<_> = mounts.collect();
    assert!(mounts.len() > 4, "{mounts:?}");
    for path in mounts {
        assert!(repository(path).exists(), "{path} is missing");
    }
}

#[test]
fn the_settings_in_the_container_are_valid() {
    emotion_pipelines::init().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (token, settings) = (
        folder.path().join("token"),
        folder.path().join("crowd.toml"),
    );
    fs::write(&token, "0123456789abcdef").unwrap();
    let text = fs::read_to_string(repository("pipelines/compose/crowd.toml")).unwrap();
    let secret = "/run/secrets/page-token";
    assert!(text.contains(secret));
    fs::write(&settings, text.replace(secret, token.to_str().unwrap())).unwrap();
    let config = crowd::load(&settings, None).unwrap();
    // What the health check of Containerfile asks for.
    assert_eq!(config.page.unwrap().listen.port(), 8080);
}

#[test]
fn prometheus_reads_its_settings() {
    let status = Command::new("promtool")
        .args(["check", "config", "--syntax-only", "prometheus.yml"])
        .current_dir(repository("pipelines/compose"))
        .status()
        .expect("promtool is installed (Debian: prometheus)");
    assert!(status.success());
}
