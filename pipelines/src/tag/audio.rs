//! The sound of an annotated video: as it is where the container takes it, else encoded anew.

use anyhow::Context as _;
use gst::prelude::*;

const ENCODERS: [&str; 5] = [
    "avenc_aac",
    "fdkaacenc",
    "opusenc",
    "vorbisenc",
    "lamemp3enc",
];
/// The muxer waits for both, and containers may hold seconds of sound ahead of the picture.
const QUEUE: &str = "queue max-size-buffers=0 max-size-bytes=0 max-size-time=0";

/// The way of sound into a muxer.
pub(super) struct AudioBranch {
    muxer: gst::Element,
    /// What the muxer takes.
    taken: gst::Caps,
    encoder: Option<&'static str>,
}

impl AudioBranch {
    pub(super) fn into(muxer: &gst::Element) -> Self {
        let templates = muxer.pad_template_list();
        let templates = templates.iter().filter(|template| {
            template.direction() == gst::PadDirection::Sink
                && template.name_template().starts_with("audio")
        });
        let mut taken = gst::Caps::new_empty();
        for template in templates {
            taken.merge(template.caps().clone());
        }
        let gives = |name: &&&str| {
            gst::ElementFactory::find(name).is_some_and(|factory| {
                factory.static_pad_templates().iter().any(|template| {
                    template.direction() == gst::PadDirection::Src
                        && template.caps().can_intersect(&taken)
                })
            })
        };
        let encoder = ENCODERS.iter().find(gives).copied();
        Self {
            muxer: muxer.clone(),
            taken,
            encoder,
        }
    }

    /// Whether sound in this form goes into the container as it is.
    pub(super) fn takes(&self, caps: &gst::CapsRef) -> bool {
        let is_whole = |structure: &gst::StructureRef| {
            // Frames of MPEG audio have to be told apart first.
            structure.name() != "audio/mpeg"
                || structure.get("framed").unwrap_or(false)
                || structure.get("parsed").unwrap_or(false)
        };
        caps.can_intersect(&self.taken) && caps.iter().all(is_whole)
    }

    /// Leads the sound of `pad` into the muxer.
    pub(super) fn add(
        &self,
        pipeline: &gst::Pipeline,
        pad: &gst::Pad,
        caps: &gst::CapsRef,
    ) -> anyhow::Result<()> {
        let words = if self.takes(caps) {
            QUEUE.to_owned()
        } else {
            let encoder = self.encoder.context("no encoder for sound is installed")?;
            format!("{QUEUE} ! audioconvert ! audioresample ! {encoder}")
        };
        let bin = gst::parse::bin_from_description(&words, true)?;
        pipeline.add(&bin)?;
        let connect = || -> anyhow::Result<()> {
            let entry = bin.static_pad("sink").context("a way in")?;
            let exit = bin.static_pad("src").context("a way out")?;
            let muxer = self
                .muxer
                .request_pad_simple("audio_%u")
                .context("a way into the muxer")?;
            exit.link(&muxer)?;
            bin.sync_state_with_parent()?;
            pad.link(&entry)?;
            Ok(())
        };
        let connected = connect();
        if connected.is_err() {
            // It is in nobody's way.
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
    fn what_the_container_takes_is_not_decoded() {
        gst::init().unwrap();
        let muxer = gst::ElementFactory::make("mp4mux").build().unwrap();
        let sound = AudioBranch::into(&muxer);
        for (text, taken) in [
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
            assert_eq!(sound.takes(&caps(text)), taken, "{text}");
        }
        assert!(sound.encoder.is_some());
    }
}
