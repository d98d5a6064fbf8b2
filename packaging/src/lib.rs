//! What packages need beside the programs, made from the programs: manual pages and completions from their command lines, and the
//! settings of the service from the example of `emotion-crowd`. So none of it can differ from what the programs accept.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_complete::aot::{Shell, generate_to};
use emotion_pipelines::cli::{CrowdArgs, DemoArgs, tag_command};
use emotion_pipelines::crowd::config::EXAMPLE;
use emotion_trainer::cli::Cli;

/// The shells that completions are written for.
const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

/// The command lines of all programs.
#[must_use]
pub fn commands() -> Vec<Command> {
    vec![
        CrowdArgs::command(),
        DemoArgs::command(),
        tag_command(),
        Cli::command(),
    ]
}

/// Writes below `folder`: `man/NAME.1` for each program and each of its commands, `completions/` for each program and shell, and
/// `crowd.toml`.
///
/// # Errors
///
/// If a file cannot be written; the message names the folder.
pub fn write_all(folder: &Path) -> anyhow::Result<()> {
    let (manual, completions) = (folder.join("man"), folder.join("completions"));
    let write = || {
        fs::create_dir_all(&manual)?;
        fs::create_dir_all(&completions)?;
        for mut command in commands() {
            let name = command.get_name().to_owned();
            for shell in SHELLS {
                generate_to(shell, &mut command, &name, &completions)?;
            }
            clap_mangen::generate_to(command, &manual)?;
        }
        fs::write(folder.join("crowd.toml"), service_settings())
    };
    write().with_context(|| format!("cannot write into {}", folder.display()))
}

/// The settings that the service begins with: the example, without its source, which is nobody's camera.
#[must_use]
pub fn service_settings() -> String {
    let mut is_source = false;
    let mut settings = String::from(
        "# Add your sources, try them with `emotion-crowd --check /etc/emotion-crowd/crowd.toml`, then start the service:\n\
         #   systemctl enable --now emotion-crowd\n\
         # Relative paths start at /var/lib/emotion-crowd.\n",
    );
    for line in EXAMPLE.lines() {
        let is_comment = line.is_empty() || line.starts_with('#');
        is_source = line == "[[source]]" || is_source && !line.is_empty();
        if is_source && !is_comment {
            settings.push('#');
        }
        settings.push_str(line);
        settings.push('\n');
    }
    settings
}
