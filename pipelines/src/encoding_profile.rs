//! Encodes video with the best encoder that is installed.

use std::path::Path;

use gst::prelude::*;
use serde::{Deserialize, Serialize};

use crate::launch_line::LaunchLine;

/// How long a hardware encoder may take for its first frames.
const TRIAL_TIMEOUT: gst::ClockTime = gst::ClockTime::from_seconds(10);

/// The name of the muxer in a launch line, for linking more streams than the video.
pub const MUXER: &str = "muxer";

/// An encoder with its container.
#[derive(Debug)]
pub struct EncodingProfile {
    /// The elements between raw video and the muxer.
    encoder: &'static str,
    /// The element that writes the container.
    muxer: &'static str,
    /// File extension of the container.
    pub extension: &'static str,
}

/// Best first. Players expect 4:2:0, so it is requested from encoders that accept more; that needs even sizes.
const SOFTWARE: [EncodingProfile; 4] = [
    mp4(
        "videoconvert ! videoscale ! video/x-raw,format=I420,width=[2,2147483646,2],height=[2,2147483646,2] ! x264enc speed-preset=veryfast tune=zerolatency pass=qual quantizer={qp} qp-min=0 vbv-buf-capacity=0 ! h264parse",
    ),
    mp4("videoconvert ! openh264enc rate-control=off qp-min={qp} qp-max={qp} ! h264parse"),
    EncodingProfile {
        encoder: "videoconvert ! vp8enc deadline=1 end-usage=cq cq-level={cq} target-bitrate=100000000",
        muxer: "webmmux",
        extension: "webm",
    },
    EncodingProfile {
        encoder: "videoconvert ! jpegenc quality={jpeg}",
        muxer: "matroskamux",
        extension: "mkv",
    },
];

/// Encoders in graphics hardware. Their elements exist only if a driver offers them.
const HARDWARE: [EncodingProfile; 6] = [
    mp4("videoconvert ! nvh264enc rc-mode=constqp qp-const={qp} ! h264parse"),
    mp4("videoconvert ! qsvh264enc rate-control=cqp qp-i={qp} qp-p={qp} qp-b={qp} ! h264parse"),
    mp4("videoconvert ! vah264enc rate-control=cqp qpi={qp} qpp={qp} qpb={qp} ! h264parse"),
    mp4("videoconvert ! vah264lpenc rate-control=cqp qpi={qp} qpp={qp} qpb={qp} ! h264parse"),
    mp4("videoconvert ! vaapih264enc rate-control=cqp init-qp={qp} ! h264parse"),
    // Its quality is up to the driver.
    mp4("videoconvert ! v4l2h264enc ! video/x-h264,level=(string)4 ! h264parse"),
];

/// The constant quality of an encoded video, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct EncodingQuality(u8);

/// The number is no quality.
#[derive(Debug, thiserror::Error)]
#[error("expected a quality from 1 to 100, found {0}")]
pub struct InvalidEncodingQuality(u8);

impl Default for EncodingQuality {
    /// 70: H.264 with the quantizer 20.
    fn default() -> Self {
        Self(70)
    }
}

impl TryFrom<u8> for EncodingQuality {
    type Error = InvalidEncodingQuality;

    fn try_from(number: u8) -> Result<Self, InvalidEncodingQuality> {
        match number {
            1..=100 => Ok(Self(number)),
            _ => Err(InvalidEncodingQuality(number)),
        }
    }
}

impl From<EncodingQuality> for u8 {
    fn from(quality: EncodingQuality) -> Self {
        quality.0
    }
}

impl EncodingQuality {
    /// Sets the quantizers in the words of an encoder.
    fn set_in(self, words: &str) -> String {
        let missing = 100 - u32::from(self.0);
        // H.264 has quantizers from 0 to 51, and differences below 8 cannot be seen; VP8 has them from 0 to 63.
        let (h264, vp8) = (8 + missing * 43 / 100, 4 + missing * 59 / 100);
        words
            .replace("{qp}", &h264.to_string())
            .replace("{cq}", &vp8.to_string())
            .replace("{jpeg}", &self.0.to_string())
    }
}

const fn mp4(encoder: &'static str) -> EncodingProfile {
    EncodingProfile {
        encoder,
        muxer: "mp4mux",
        extension: "mp4",
    }
}

impl EncodingProfile {
    /// A hardware encoder that works, otherwise [`best`](Self::best).
    ///
    /// # Errors
    ///
    /// If no video encoder is installed.
    pub fn fastest() -> anyhow::Result<&'static Self> {
        let mut hardware = HARDWARE.iter();
        match hardware.find(|profile| profile.is_installed() && profile.works()) {
            Some(profile) => Ok(profile),
            None => Self::best(),
        }
    }

    /// Encodes a few frames, because a driver may offer what its hardware cannot do.
    fn works(&self) -> bool {
        let line = LaunchLine::default()
            .words("videotestsrc num-buffers=3 ! video/x-raw,width=640,height=480,framerate=25/1 !")
            .words(&EncodingQuality::default().set_in(self.encoder))
            .words("! fakesink sync=false");
        let Ok(pipeline) = line.launch() else {
            return false;
        };
        let Some(bus) = pipeline.bus() else {
            return false;
        };
        let has_started = pipeline.set_state(gst::State::Playing).is_ok();
        let ends = [gst::MessageType::Eos, gst::MessageType::Error];
        let end = has_started
            .then(|| bus.timed_pop_filtered(TRIAL_TIMEOUT, &ends))
            .flatten();
        // A failure to shut down says nothing about the encoded frames.
        let _ = pipeline.set_state(gst::State::Null);
        end.is_some_and(|message| message.type_() == gst::MessageType::Eos)
    }

    /// The best installed software encoder: H.264, VP8 or JPEG.
    ///
    /// # Errors
    ///
    /// If none of them is installed.
    pub fn best() -> anyhow::Result<&'static Self> {
        SOFTWARE.iter().find(|profile| profile.is_installed()).ok_or_else(|| {
            anyhow::anyhow!("no video encoder is installed; on Debian and Ubuntu x264enc comes with gstreamer1.0-plugins-ugly")
        })
    }

    fn is_installed(&self) -> bool {
        self.encoder
            .split('!')
            .filter_map(|element| element.split_whitespace().next())
            .filter(|name| !name.contains('/'))
            .chain([self.muxer])
            .all(|name| gst::ElementFactory::find(name).is_some())
    }

    /// Appends the elements that encode raw video with `quality` into the file at `path`.
    #[must_use]
    pub fn append(&self, line: LaunchLine, quality: EncodingQuality, path: &Path) -> LaunchLine {
        line.words(&quality.set_in(self.encoder))
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
    fn every_profile_whose_elements_exist_can_be_built() {
        gst::init().expect("GStreamer starts");
        let file = Path::new("unused");
        let mut made = 0;
        for profile in SOFTWARE.iter().filter(|profile| profile.is_installed()) {
            let line = profile.append(
                LaunchLine::default().words("videotestsrc !"),
                EncodingQuality::default(),
                file,
            );
            line.launch().unwrap_or_else(|error| panic!("{error:#}"));
            made += 1;
        }
        assert!(
            made > 0,
            "no encoder is installed: make setup installs x264enc"
        );
    }

    #[test]
    fn a_quality_from_1_to_100_sets_the_quantizers() {
        for (quality, words) in [(100, "8 4 100"), (70, "20 21 70"), (1, "50 62 1")] {
            let quality = EncodingQuality::try_from(quality).expect("it is one");
            assert_eq!(quality.set_in("{qp} {cq} {jpeg}"), words);
        }
        for number in [0, 101] {
            let error = EncodingQuality::try_from(number).expect_err("it is none");
            assert!(error.to_string().contains("1 to 100"), "{error}");
        }
    }

    #[test]
    fn a_trial_distinguishes_a_working_encoder_from_a_broken_one() {
        gst::init().expect("GStreamer starts");
        assert!(EncodingProfile::best().expect("one is installed").works());
        for encoder in [
            "videoconvert ! nosuchencoder",
            "fakesink ! identity",
            "identity error-after=1",
        ] {
            assert!(!mp4(encoder).works(), "{encoder}");
        }
        assert!(EncodingProfile::fastest().is_ok());
    }
}
