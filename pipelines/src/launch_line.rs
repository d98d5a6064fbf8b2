//! Pipelines in the syntax of `gst-launch-1.0`, to run here or to print for a shell.

use std::{borrow::Cow, fmt, path::Path};

use anyhow::Context as _;
use gst::prelude::*;

/// The arguments of a `gst-launch-1.0` command, unquoted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaunchLine(Vec<String>);

impl LaunchLine {
    /// Appends words separated by white space: elements, `!`, properties whose values contain no spaces.
    #[must_use]
    pub fn words(mut self, words: &str) -> Self {
        self.0.extend(words.split_whitespace().map(str::to_owned));
        self
    }

    /// Appends `name=path`; the path may contain any character.
    #[must_use]
    pub fn path(mut self, name: &str, path: &Path) -> Self {
        self.0.push(format!("{name}={}", path.display()));
        self
    }

    /// Builds the pipeline.
    ///
    /// # Errors
    ///
    /// If an element does not exist or a property is wrong. The error names the package of a missing element if it is known.
    pub fn launch(&self) -> anyhow::Result<gst::Pipeline> {
        let words: Vec<&str> = self.0.iter().map(String::as_str).collect();
        let element =
            gst::parse::launchv(&words).map_err(|error| match package_of_missing(&error) {
                Some(package) => anyhow::anyhow!("{}; it comes with {package}", error.message()),
                None => anyhow::anyhow!("{}", error.message()),
            });
        let pipeline = element
            .and_then(|element| {
                element
                    .downcast::<gst::Pipeline>()
                    .map_err(|_| anyhow::anyhow!("expected a pipeline, found a single element"))
            })
            .with_context(|| format!("cannot build the pipeline: {self}"))?;
        pass_upright_frames(&pipeline);
        Ok(pipeline)
    }
}

/// Lets each `videoflip video-direction=auto` hand on frames that need no turn.
///
/// They decide that when the direction changes, and copy all frames of a stream that is upright from the
/// start.
fn pass_upright_frames(pipeline: &gst::Pipeline) {
    let elements = pipeline.iterate_recurse().into_iter().flatten();
    for element in elements.filter(|element| element.type_().name() == "GstVideoFlip") {
        let direction = "video-direction";
        let auto = gst_video::VideoOrientationMethod::Auto;
        if element.property::<gst_video::VideoOrientationMethod>(direction) == auto {
            element.set_property(direction, gst_video::VideoOrientationMethod::_180);
            element.set_property(direction, auto);
        }
    }
}

/// Quoted for a shell, to be pasted after `gst-launch-1.0`.
impl fmt::Display for LaunchLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { " " };
            write!(f, "{gap}{}", shell_quoted(word))?;
        }
        Ok(())
    }
}

/// Quotes what a shell would interpret. `shlex` alone would also quote `!`, `=` and `,`, which are in nearly every word here.
fn shell_quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "!=./:,_-+@%".contains(c);
    match shlex::try_quote(word) {
        Ok(quoted) if word.is_empty() || !word.chars().all(is_plain) => quoted,
        _ => word.into(),
    }
}

/// The package of Debian and Ubuntu that contains the missing element.
fn package_of_missing(error: &gst::glib::Error) -> Option<&'static str> {
    if !error.matches(gst::ParseError::NoSuchElement) {
        return None;
    }
    let packages: [(&str, &[&str]); 4] = [
        (
            "gstreamer1.0-plugins-base",
            &["videoconvert", "videoscale", "decodebin", "videotestsrc"],
        ),
        (
            "gstreamer1.0-plugins-good",
            &[
                "v4l2src",
                "autovideosink",
                "mp4mux",
                "matroskamux",
                "jpegenc",
            ],
        ),
        ("gstreamer1.0-plugins-bad", &["h264parse", "openh264enc"]),
        ("gstreamer1.0-plugins-ugly", &["x264enc"]),
    ];
    let is_missing = |name: &&str| error.message().contains(&format!("\"{name}\""));
    packages
        .into_iter()
        .find(|(_, names)| names.iter().any(is_missing))
        .map(|(package, _)| package)
}

#[cfg(test)]
mod tests {
    use gst_base::prelude::*;

    use super::*;
    use crate::runner::{self, StopFlag};

    #[test]
    fn a_line_is_printed_quoted_for_a_shell() {
        let line = LaunchLine::default()
            .words("filesrc")
            .path("location", Path::new("/my films/it's.mp4"))
            .words("! fakesink");
        assert_eq!(
            line.to_string(),
            r#"filesrc "location=/my films/it's.mp4" ! fakesink"#
        );
    }

    #[test]
    fn a_path_with_spaces_and_quotes_reaches_the_element() {
        gst::init().expect("GStreamer starts");
        let path = Path::new(r#"/my films/it's "one".mp4"#);
        let pipeline = LaunchLine::default()
            .words("filesrc name=source")
            .path("location", path)
            .words("! fakesink")
            .launch()
            .expect("both exist");
        let source = pipeline.by_name("source").expect("it was named");
        assert_eq!(
            source.property::<Option<String>>("location").as_deref(),
            path.to_str()
        );
    }

    #[test]
    fn upright_frames_are_not_copied() {
        gst::init().expect("GStreamer starts");
        for (tags, passes) in [("title=none", true), ("image-orientation=rotate-90", false)] {
            let pipeline = LaunchLine::default()
                .words("videotestsrc num-buffers=5 ! taginject name=tags")
                .words("! videoflip name=flip video-direction=auto ! fakesink")
                .launch()
                .expect("all exist");
            let element = |name| pipeline.by_name(name).expect("it was named");
            element("tags").set_property("tags", tags);
            runner::run(&pipeline, &StopFlag::default(), |_| {}).expect("it runs");
            let flip = element("flip").downcast::<gst_base::BaseTransform>();
            assert_eq!(
                flip.expect("a transform").is_passthrough(),
                passes,
                "{tags}"
            );
        }
    }

    #[test]
    fn an_unknown_element_is_named() {
        gst::init().expect("GStreamer starts");
        let error = LaunchLine::default()
            .words("videotestsrc ! nosuchelement")
            .launch()
            .expect_err("it does not exist");
        assert!(format!("{error:#}").contains("nosuchelement"), "{error:#}");
    }
}
