//! A chain of elements that runs in the caller's thread: a buffer in, a buffer out.

use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;

/// Linked elements between two pads of this program.
#[derive(Debug)]
pub(super) struct ElementChain {
    pipeline: gst::Pipeline,
    /// Sends buffers into the first element.
    source: gst::Pad,
    /// Keeps the pad that receives from the last element.
    _sink: gst::Pad,
    caps: Option<gst::Caps>,
    out: Arc<Mutex<Output>>,
}

#[derive(Debug, Default)]
struct Output {
    caps: Option<gst::Caps>,
    buffer: Option<gst::Buffer>,
}

/// A frame that the elements have processed.
#[derive(Debug)]
pub(super) struct ProcessedFrame {
    pub(super) buffer: gst::Buffer,
    pub(super) caps: gst::Caps,
}

impl ElementChain {
    /// Links `elements`, each with one pad `sink` and one pad `src`, and starts them.
    pub(super) fn new(elements: &[gst::Element]) -> anyhow::Result<Self> {
        let pipeline = gst::Pipeline::new();
        pipeline.add_many(elements)?;
        gst::Element::link_many(elements)?;
        let end = |element: Option<&gst::Element>, name| {
            element
                .and_then(|element| element.static_pad(name))
                .ok_or_else(|| anyhow::anyhow!("an element has no pad {name}"))
        };
        // Nobody reads the other messages, and they must not accumulate.
        if let Some(bus) = pipeline.bus() {
            bus.set_sync_handler(|_, message| match message.type_() {
                gst::MessageType::Error => gst::BusSyncReply::Pass,
                _ => gst::BusSyncReply::Drop,
            });
        }
        let out = Arc::new(Mutex::new(Output::default()));
        let source =
            gst::Pad::builder_from_template(&any("source", gst::PadDirection::Src)?).build();
        let sink = sink_pad(&out, &any("sink", gst::PadDirection::Sink)?);
        source.link(&end(elements.first(), "sink")?)?;
        end(elements.last(), "src")?.link(&sink)?;
        let chain = Self {
            pipeline,
            source,
            _sink: sink,
            caps: None,
            out,
        };
        chain.source.set_active(true)?;
        chain._sink.set_active(true)?;
        if chain.pipeline.set_state(gst::State::Playing).is_err() {
            return Err(chain.error("the elements do not start"));
        }
        chain
            .source
            .push_event(gst::event::StreamStart::new("frames"));
        Ok(chain)
    }

    /// Processes `buffer` with `caps`; `None` if the elements drop it.
    ///
    /// # Errors
    ///
    /// If an element posts an error or does not accept the caps.
    pub(super) fn run(
        &mut self,
        buffer: gst::Buffer,
        caps: &gst::Caps,
    ) -> anyhow::Result<Option<ProcessedFrame>> {
        if self.caps.as_ref() != Some(caps) {
            let is_first = self.caps.is_none();
            if !self.source.push_event(gst::event::Caps::new(caps)) {
                return Err(self.error(&format!("the elements do not take {caps}")));
            }
            if is_first {
                let segment = gst::FormattedSegment::<gst::ClockTime>::new();
                self.source.push_event(gst::event::Segment::new(&segment));
            }
            self.caps = Some(caps.clone());
        }
        self.source.push(buffer).map_err(|flow| match flow {
            // Caps that an element does not accept show only with the next buffer.
            gst::FlowError::NotNegotiated => {
                self.error(&format!("the elements do not take {caps}"))
            }
            _ => self.error(&format!("the elements stopped: {flow}")),
        })?;
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let (buffer, caps) = (out.buffer.take(), out.caps.clone());
        Ok(buffer
            .zip(caps)
            .map(|(buffer, caps)| ProcessedFrame { buffer, caps }))
    }

    /// The error that an element has posted, or `otherwise`.
    fn error(&self, otherwise: &str) -> anyhow::Error {
        let posted = self
            .pipeline
            .bus()
            .and_then(|bus| bus.pop_filtered(&[gst::MessageType::Error]));
        match posted.as_ref().map(|message| message.view()) {
            Some(gst::MessageView::Error(error)) => anyhow::anyhow!("{}", error.error().message()),
            _ => anyhow::anyhow!("{otherwise}"),
        }
    }
}

impl Drop for ElementChain {
    fn drop(&mut self) {
        // Elements that fail to stop have already posted the reason.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// A pad template for all caps. Without it, a pad would accept only its first caps.
fn any(name: &str, direction: gst::PadDirection) -> Result<gst::PadTemplate, gst::glib::BoolError> {
    gst::PadTemplate::new(
        name,
        direction,
        gst::PadPresence::Always,
        &gst::Caps::new_any(),
    )
}

/// A pad that stores the last buffer and its caps.
fn sink_pad(out: &Arc<Mutex<Output>>, template: &gst::PadTemplate) -> gst::Pad {
    let (buffers, events) = (out.clone(), out.clone());
    gst::Pad::builder_from_template(template)
        .chain_function(move |_, _, buffer| {
            let mut out = buffers.lock().unwrap_or_else(PoisonError::into_inner);
            out.buffer = Some(buffer);
            Ok(gst::FlowSuccess::Ok)
        })
        .event_function(move |_, _, event| {
            if let gst::EventView::Caps(caps) = event.view() {
                let mut out = events.lock().unwrap_or_else(PoisonError::into_inner);
                out.caps = Some(caps.caps_owned());
            }
            true
        })
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(names: &[&str]) -> ElementChain {
        crate::init().expect("GStreamer starts");
        let elements: Vec<_> = names
            .iter()
            .map(|name| gst::ElementFactory::make(name).build().expect("it exists"))
            .collect();
        ElementChain::new(&elements).expect("they start")
    }

    fn frame(format: gst_video::VideoFormat, side: u32) -> (gst::Buffer, gst::Caps) {
        let info = gst_video::VideoInfo::builder(format, side, side)
            .build()
            .expect("a format and a size");
        let buffer = gst::Buffer::from_slice(vec![128; info.size()]);
        (buffer, info.to_caps().expect("caps of it"))
    }

    #[test]
    fn a_frame_is_processed_by_the_elements() {
        let mut chain = chain(&["videoconvert", "jpegenc"]);
        for side in [32, 48] {
            let (buffer, caps) = frame(gst_video::VideoFormat::Rgb, side);
            let out = chain
                .run(buffer, &caps)
                .expect("it runs")
                .expect("a picture");
            let structure = out.caps.structure(0).expect("fixed caps");
            assert_eq!(structure.name(), "image/jpeg");
            assert_eq!(structure.get::<i32>("width"), Ok(side as i32));
            let map = out.buffer.map_readable().expect("memory");
            assert!(map.starts_with(&[0xff, 0xd8]), "no JPEG");
        }
    }

    #[test]
    fn a_frame_that_is_not_accepted_is_an_error_and_the_next_is_processed() {
        let mut chain = chain(&["emotionfacedetect"]);
        let (buffer, caps) = frame(gst_video::VideoFormat::Rgb8p, 64);
        let error = chain.run(buffer, &caps).expect_err("no such format");
        assert!(
            error.to_string().contains("put videoconvert in front"),
            "{error}"
        );
        let (buffer, caps) = frame(gst_video::VideoFormat::Gray8, 64);
        assert!(chain.run(buffer, &caps).expect("it runs").is_some());
    }
}
