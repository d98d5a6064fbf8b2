//! Writes video with the best encoder that is installed.

use std::path::Path;

use crate::line::Line;

/// An encoder with its container.
#[derive(Debug)]
pub struct Recording {
    /// Everything between raw video and the file sink.
    words: &'static str,
    /// Elements that must exist.
    elements: &'static [&'static str],
    /// File extension of the container.
    pub extension: &'static str,
}

/// Best first. Players want 4:2:0, so that is asked for where the encoder would take more.
const RECORDINGS: [Recording; 4] = [
    Recording {
        words: "videoconvert ! video/x-raw,format=I420 ! x264enc speed-preset=veryfast tune=zerolatency ! h264parse ! mp4mux",
        elements: &["x264enc", "h264parse", "mp4mux"],
        extension: "mp4",
    },
    Recording {
        words: "videoconvert ! openh264enc bitrate=2000000 ! h264parse ! mp4mux",
        elements: &["openh264enc", "h264parse", "mp4mux"],
        extension: "mp4",
    },
    Recording {
        words: "videoconvert ! vp8enc deadline=1 target-bitrate=2000000 ! webmmux",
        elements: &["vp8enc", "webmmux"],
        extension: "webm",
    },
    Recording {
        words: "videoconvert ! jpegenc ! matroskamux",
        elements: &["jpegenc", "matroskamux"],
        extension: "mkv",
    },
];

impl Recording {
    /// The best of H.264, VP8 and JPEG that this machine can write.
    ///
    /// # Errors
    ///
    /// When it can write none of them.
    pub fn best() -> anyhow::Result<&'static Self> {
        RECORDINGS.iter().find(|recording| recording.is_installed()).ok_or_else(|| {
            anyhow::anyhow!("no video encoder is installed; on Debian and Ubuntu x264enc comes with gstreamer1.0-plugins-ugly")
        })
    }

    fn is_installed(&self) -> bool {
        self.elements
            .iter()
            .all(|name| gst::ElementFactory::find(name).is_some())
    }

    /// Appends the way from raw video into the file at `path`.
    #[must_use]
    pub fn append(&self, line: Line, path: &Path) -> Line {
        line.words(self.words)
            .words("! filesink")
            .path("location", path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recording_whose_elements_exist_can_be_made() {
        gst::init().expect("GStreamer starts");
        let file = Path::new("unused");
        let mut made = 0;
        for recording in RECORDINGS
            .iter()
            .filter(|recording| recording.is_installed())
        {
            let line = recording.append(Line::default().words("videotestsrc !"), file);
            line.launch().unwrap_or_else(|error| panic!("{error:#}"));
            made += 1;
        }
        assert!(made > 0, "no encoder at all: make setup installs x264enc");
    }
}
