//! The audio of an annotated video: copied if the container supports its format, otherwise encoded again.

use anyhow::Context as _;
use gst::prelude::*;

const ENCODERS: [&str; 5] = [
    "avenc_aac",
    "fdkaacenc",
    "opusenc",
    "vorbisenc",
    "lamemp3enc",
];
/// Without limits, because the muxer waits for both streams and containers may have seconds of audio before the video.
const QUEUE: &str = "queue max-size-buffers=0 max-size-bytes=0 max-size-time=0";

/// Links audio streams to a muxer.
pub(super) struct AudioBranch {
    muxer: gst::Element,
    /// The caps that the muxer supports.
    supported: gst::Caps,
    /// An installed encoder for one of them.
    encoder: Option<&'static str>,
}

impl AudioBranch {
    pub(super) fn new(muxer: &gst::Element) -> Self {
        let templates = muxer.pad_template_list();
        let templates = templates.iter().filter(|template| {
            template.direction() == gst::PadDirection::Sink
                && template.name_template().starts_with("audio")
        });
        let mut supported = gst::Caps::new_empty();
        for template in templates {
            supported.merge(template.caps().clone());
        }
        let encodes = |name: &&&str| {
            gst::ElementFactory::find(name).is_some_and(|factory| {
                factory.static_pad_templates().iter().any(|template| {
                    template.direction() == gst::PadDirection::Src
                        && template.caps().can_intersect(&supported)
                })
            })
        };
        let encoder = ENCODERS.iter().find(encodes).copied();
        Self {
            muxer: muxer.clone(),
            supported,
            encoder,
        }
    }

    /// Whether the container supports audio with these caps as it is.
    pub(super) fn takes(&self, caps: &gst::CapsRef) -> bool {
        let is_framed = |structure: &gst::StructureRef| {
            // MPEG audio has to be split into frames first.
            structure.name() != "audio/mpeg"
                || structure.get("framed").unwrap_or(false)
                || structure.get("parsed").unwrap_or(false)
        };
        caps.can_intersect(&self.supported) && caps.iter().all(is_framed)
    }

    /// Links the audio of `pad` to the muxer.
    pub(super) fn add(
        &self,
        pipeline: &gst::Pipeline,
        pad: &gst::Pad,
        caps: &gst::CapsRef,
    ) -> anyhow::Result<()> {
        let words = if self.takes(caps) {
            QUEUE.to_owned()
        } else {
            let encoder = self.encoder.context("no audio encoder is installed")?;
            format!("{QUEUE} ! audioconvert ! audioresample ! {encoder}")
        };
        let bin = gst::parse::bin_from_description(&words, true)?;
        pipeline.add(&bin)?;
        let connect = || -> anyhow::Result<()> {
            let entry = bin
                .static_pad("sink")
                .context("the audio branch has no sink pad")?;
            let exit = bin
                .static_pad("src")
                .context("the audio branch has no source pad")?;
            let muxer = self
                .muxer
                .request_pad_simple("audio_%u")
                .context("the muxer has no pad for audio")?;
            exit.link(&muxer)?;
            bin.sync_state_with_parent()?;
            pad.link(&entry)?;
            Ok(())
        };
        let connected = connect();
        if connected.is_err() {
            // A bin that stays would do no harm.
            let _ = bin.set_state(gst::State::Null);
            let _ = pipeline.remove(&bin);
        }
        connected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(text: &str) -> gst::Caps {
        text.parse().unwrap()
    }

    #[test]
    fn supported_audio_is_not_decoded() {
        gst::init().unwrap();
        let muxer = gst::ElementFactory::make("mp4mux").build().unwrap();
        let audio = AudioBranch::new(&muxer);
        for (text, supported) in [
            (
                "audio/mpeg,mpegversion=4,framed=true,stream-format=raw,channels=2,rate=48000",
                true,
            ),
            (
                "audio/mpeg,mpegversion=4,stream-format=raw,channels=2,rate=48000",
                false,
            ),
            (
                "audio/mpeg,mpegversion=4,framed=true,stream-format=adts,channels=2,rate=48000",
                false,
            ),
            ("audio/x-vorbis", false),
            ("audio/x-flac,framed=true", false),
        ] {
            assert_eq!(audio.takes(&caps(text)), supported, "{text}");
        }
        assert!(audio.encoder.is_some());
    }
}
