//! The program as people run it.

use std::path::Path;
use std::process::{Command, Output};

/// A run of the program in `folder`.
pub(crate) fn emotion_trainer(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_emotion-trainer"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// What a run that succeeded has printed.
pub(crate) fn stdout(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout.clone()).unwrap()
}
