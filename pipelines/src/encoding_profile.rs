//! Writes video with the best encoder that is installed.

use std::path::Path;

use gst::prelude::*;

use crate::launch_line::LaunchLine;

/// How long an encoder in hardware may take for its first pictures.
const TRIAL: gst::ClockTime = gst::ClockTime::from_seconds(10);

/// An encoder with its container.
#[derive(Debug)]
pub struct EncodingProfile {
    /// Everything between raw video and the muxer.
    encoder: &'static str,
    /// The container's element.
    muxer: &'static str,
    /// Elements that must exist.
    elements: &'static [&'static str],
    /// File extension of the container.
    pub extension: &'static str,
}

/// Best first. Players want 4:2:0, so that is asked for where the encoder would take more.
const PROFILES: [EncodingProfile; 4] = [
    EncodingProfile {
        encoder: "videoconvert ! video/x-raw,format=I420 ! x264enc speed-preset=veryfast tune=zerolatency ! h264parse",
        muxer: "mp4mux",
        elements: &["x264enc", "h264parse", "mp4mux"],
        extension: "mp4",
    },
    EncodingProfile {
        encoder: "videoconvert ! openh264enc bitrate=2000000 ! h264parse",
        muxer: "mp4mux",
        elements: &["openh264enc", "h264parse", "mp4mux"],
        extension: "mp4",
    },
    EncodingProfile {
        encoder: "videoconvert ! vp8enc deadline=1 target-bitrate=2000000",
        muxer: "webmmux",
        elements: &["vp8enc", "webmmux"],
        extension: "webm",
    },
    EncodingProfile {
        encoder: "videoconvert ! jpegenc",
        muxer: "matroskamux",
        elements: &["jpegenc", "matroskamux"],
        extension: "mkv",
    },
];

/// Encoders in graphics hardware, which exist as elements where a driver offers them.
const HARDWARE: [EncodingProfile; 6] = [
    hardware(
        "videoconvert ! nvh264enc ! h264parse",
        &["nvh264enc", "h264parse", "mp4mux"],
    ),
    hardware(
        "videoconvert ! qsvh264enc ! h264parse",
        &["qsvh264enc", "h264parse", "mp4mux"],
    ),
    hardware(
        "videoconvert ! vah264enc ! h264parse",
        &["vah264enc", "h264parse", "mp4mux"],
    ),
    hardware(
        "videoconvert ! vah264lpenc ! h264parse",
        &["vah264lpenc", "h264parse", "mp4mux"],
    ),
    hardware(
        "videoconvert ! vaapih264enc ! h264parse",
        &["vaapih264enc", "h264parse", "mp4mux"],
    ),
    hardware(
        "videoconvert ! v4l2h264enc ! video/x-h264,level=(string)4 ! h264parse",
        &["v4l2h264enc", "h264parse", "mp4mux"],
    ),
];

const fn hardware(encoder: &'static str, elements: &'static [&'static str]) -> EncodingProfile {
    EncodingProfile {
        encoder,
        muxer: "mp4mux",
        elements,
        extension: "mp4",
    }
}

/// The name of the muxer in a line, for more streams than the video.
pub const MUXER: &str = "muxer";

impl EncodingProfile {
    /// An encoder in hardware that works, else [`best`](Self::best).
    ///
    /// # Errors
    ///
    /// When this machine can write no video.
    pub fn fastest() -> anyhow::Result<&'static Self> {
        let mut hardware = HARDWARE.iter();
        match hardware.find(|recording| recording.is_installed() && recording.works()) {
            Some(recording) => Ok(recording),
            None => Self::best(),
        }
    }

    /// Encodes a few pictures: a driver may offer what its hardware cannot do.
    fn works(&self) -> bool {
        let line = LaunchLine::default()
            .words("videotestsrc num-buffers=3 ! video/x-raw,width=640,height=480,framerate=25/1 !")
            .words(self.encoder)
            .words("! fakesink sync=false");
        let Ok(pipeline) = line.launch() else {
            return false;
        };
        let Some(bus) = pipeline.bus() else {
            return false;
        };
        let played = pipeline.set_state(gst::State::Playing).is_ok();
        let end = played.then(|| {
            let ends = [gst::MessageType::Eos, gst::MessageType::Error];
            bus.timed_pop_filtered(TRIAL, &ends)
        });
        // Whether it can be shut down says nothing about its pictures.
        let _ = pipeline.set_state(gst::State::Null);
        let end = end.flatten();
        end.is_some_and(|message| message.type_() == gst::MessageType::Eos)
    }

    /// The best of H.264, VP8 and JPEG that this machine can write.
    ///
    /// # Errors
    ///
    /// When it can write none of them.
    pub fn best() -> anyhow::Result<&'static Self> {
        PROFILES.iter().find(|recording| recording.is_installed()).ok_or_else(|| {
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
    pub fn append(&self, line: LaunchLine, path: &Path) -> LaunchLine {
        line.words(self.encoder)
            .words("!")
            .words(self.muxer)
            .words(&format!("name={MUXER} ! filesink"))
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
        for recording in PROFILES.iter().filter(|recording| recording.is_installed()) {
            let line = recording.append(LaunchLine::default().words("videotestsrc !"), file);
            line.launch().unwrap_or_else(|error| panic!("{error:#}"));
            made += 1;
        }
        assert!(made > 0, "no encoder at all: make setup installs x264enc");
    }

    #[test]
    fn a_trial_tells_an_encoder_that_works_from_one_that_does_not() {
        gst::init().expect("GStreamer starts");
        assert!(EncodingProfile::best().expect("one is installed").works());
        for encoder in [
            "videoconvert ! nosuchencoder",
            "fakesink ! identity",
            "identity error-after=1",
        ] {
            assert!(!hardware(encoder, &[]).works(), "{encoder}");
        }
        assert!(EncodingProfile::fastest().is_ok());
    }
}
