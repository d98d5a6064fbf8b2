//! The errors for settings that cannot work.

use super::portrait;
use super::running::command;

fn refused(settings: &str) -> String {
    let (mut command, _folder) = command(settings);
    let ran = command.output().expect("it starts");
    assert_eq!(ran.status.code(), Some(1), "{settings}");
    assert!(ran.stdout.is_empty());
    String::from_utf8(ran.stderr).expect("text")
}

#[test]
fn wrong_toml_is_reported_with_file_line_and_column() {
    let said = refused("[[source]]\nname = \"a\"\nuri = \"nonsense\"\n");
    assert!(said.contains("crowd.toml:3:7: "), "{said}");
    let said = refused("[[source]\n");
    assert!(said.contains("crowd.toml:1:"), "{said}");
}

#[test]
fn outputs_that_cannot_be_opened_are_reported_at_once() {
    let busy = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = busy.local_addr().expect("it is bound");
    for (settings, expected) in [
        (
            "[records]\njsonl = \"/nowhere/a.jsonl\"\n".to_owned(),
            "/nowhere/a.jsonl",
        ),
        (
            format!("[page]\nlisten = \"{address}\"\npictures = \"off\"\n"),
            "cannot listen",
        ),
        (
            "[page]\nlisten = \"0.0.0.0:0\"\npictures = \"off\"\n".to_owned(),
            "set a token",
        ),
        (
            "[mqtt]\naddress = \"mqtts://x\"\ntls-ca-file = \"/nowhere.pem\"\n".to_owned(),
            "/nowhere.pem",
        ),
        (
            "[classify]\nmodel-location = \"/nowhere.safetensors\"\n".to_owned(),
            "/nowhere.safetensors",
        ),
    ] {
        let said = refused(&[settings.as_str(), &portrait("a")].concat());
        assert!(
            said.contains(expected) && !said.contains("panicked"),
            "{settings}: {said}"
        );
    }
}
