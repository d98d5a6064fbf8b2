//! What is made from the programs.

use std::fs;
use std::process::Command;

use emotion_packaging::{commands, service_settings, write_all};
use emotion_pipelines::crowd;

#[test]
fn every_program_and_every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path()).unwrap();
    for command in commands() {
        let name = command.get_name();
        let page = fs::read_to_string(folder.path().join(format!("man/{name}.1"))).unwrap();
        for option in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let long = option.get_long().unwrap_or_default();
            let written = long.replace('-', "\\-");
            assert!(page.contains(&written), "{name}: --{long} is missing");
        }
        for child in command.get_subcommands() {
            let page = format!("man/{name}-{}.1", child.get_name());
            assert!(folder.path().join(&page).exists(), "{page} is missing");
        }
    }
    assert!(folder.path().join("man/emotion-tag-merge.1").exists());
}

#[test]
fn a_shell_completes_options_and_commands() {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path()).unwrap();
    let complete = |words: &str, current: &str| {
        let script = format!(
            "source {}/completions/emotion-tag.bash; COMP_WORDS=({words}); COMP_CWORD=1; COMPREPLY=(); \
             _emotion__tag emotion-tag {current} emotion-tag; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            folder.path().display()
        );
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(
        complete("emotion-tag --thu", "--thu").trim(),
        "--thumbnails"
    );
    assert_eq!(complete("emotion-tag me", "me").trim(), "merge");
}

#[test]
fn the_settings_of_the_service_are_valid_and_name_no_source() {
    emotion_pipelines::init().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crowd.toml");
    fs::write(&file, service_settings()).unwrap();
    crowd::load(&file, None).unwrap();
    let settings: toml::Table = service_settings().parse().unwrap();
    assert!(!settings.contains_key("source"), "{settings:?}");
    assert!(settings.contains_key("page"), "{settings:?}");
}
