//! Runs GStreamer's own programs with the plugin of this build, as if it was installed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use anyhow::Context as _;

/// An isolated GStreamer: our plugin, a registry of its own, and no plugin of the user.
pub struct GstEnvironment {
    folder: tempfile::TempDir,
    plugin_folders: Vec<PathBuf>,
    library_folders: Vec<PathBuf>,
}

impl GstEnvironment {
    /// Sets it up in a temporary folder.
    ///
    /// # Errors
    ///
    /// When the plugin was not built or the folder cannot be written.
    pub fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let plugins = folder.path().join("plugins");
        fs::create_dir(&plugins)?;
        std::os::unix::fs::symlink(plugin()?, plugins.join("libgstemotion.so"))?;
        Ok(Self {
            folder,
            plugin_folders: vec![plugins],
            library_folders: Vec::new(),
        })
    }

    /// Adds a folder with other plugins, and one with the libraries that they need.
    #[must_use]
    pub fn with_plugins(mut self, plugins: &Path, libraries: &Path) -> Self {
        self.plugin_folders.push(plugins.to_owned());
        self.library_folders.push(libraries.to_owned());
        self
    }

    /// A folder for the test's own files.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A GStreamer program in this environment.
    ///
    /// # Errors
    ///
    /// When the name of a folder cannot be part of a search path.
    pub fn command(&self, program: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(program);
        command
            .env("GST_PLUGIN_PATH", env::join_paths(&self.plugin_folders)?)
            .env("LD_LIBRARY_PATH", env::join_paths(&self.library_folders)?)
            .env("GST_REGISTRY", self.path().join("registry.bin"))
            .env("XDG_DATA_HOME", self.path())
            .env("LC_ALL", "C.UTF-8")
            .env_remove("GST_DEBUG")
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Runs a `gst-launch-1.0` line to its end.
    ///
    /// # Errors
    ///
    /// When the program cannot be started, or ends with 0 and leaves objects of GStreamer.
    pub fn launch(&self, line: &str) -> anyhow::Result<ProgramOutput> {
        let log = tempfile::NamedTempFile::new_in(self.path())?;
        let output = self
            .command("gst-launch-1.0")?
            .args(line.split_whitespace())
            .env("GST_TRACERS", "leaks")
            .env("GST_DEBUG", "GST_TRACER:7")
            .env("GST_DEBUG_FILE", log.path())
            .env("GST_DEBUG_NO_COLOR", "1")
            .output();
        let output = output.context("gst-launch-1.0: is gstreamer1.0-tools installed?")?;
        let log = fs::read_to_string(log.path())?;
        anyhow::ensure!(
            log.contains("object-alive"),
            "{line}: the leaks tracer has not described its lines, so it did not run"
        );
        let left = left(&log);
        anyhow::ensure!(
            left.is_empty() || !output.status.success(),
            "{line} leaves {left:#?}"
        );
        ProgramOutput::new(output)
    }

    /// The output of `gst-inspect-1.0` with these arguments.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub fn inspect(&self, words: &[&str]) -> anyhow::Result<ProgramOutput> {
        let output = self.command("gst-inspect-1.0")?.args(words).output();
        ProgramOutput::new(output.context("gst-inspect-1.0: is gstreamer1.0-tools installed?")?)
    }
}

/// The objects that the `leaks` tracer has found at the end of a program.
fn left(log: &str) -> Vec<&str> {
    log.lines()
        // Other lines describe the format of these.
        .filter(|line| {
            line.contains("object-alive, type-name=(string)") && !line.contains("new format")
        })
        .collect()
}

/// The outcome of a program.
#[derive(Debug)]
pub struct ProgramOutput {
    /// Whether it exited with 0.
    pub succeeded: bool,
    /// Standard output followed by standard error.
    pub text: String,
}

impl ProgramOutput {
    fn new(output: Output) -> anyhow::Result<Self> {
        let text = String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?;
        Ok(Self {
            succeeded: output.status.success(),
            text,
        })
    }
}

/// The plugin that cargo built together with this test.
fn plugin() -> anyhow::Result<PathBuf> {
    let plugin = env::current_exe()?.with_file_name("libgstemotion.so");
    anyhow::ensure!(
        plugin.is_file(),
        "{}: expected the plugin there, built with the tests",
        plugin.display()
    );
    Ok(plugin)
}

/// A child process; dropping it ends the process.
pub struct KillOnDrop(pub Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
