//! Elements in a line that work in the caller's thread: a buffer in, what becomes of it out.

use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;

/// Elements between two pads of ours.
#[derive(Debug)]
pub(super) struct ElementChain {
    pipeline: gst::Pipeline,
    feed: gst::Pad,
    /// Keeps the other end alive.
    _drain: gst::Pad,
    caps: Option<gst::Caps>,
    out: Arc<Mutex<Output>>,
}

#[derive(Debug, Default)]
struct Output {
    caps: Option<gst::Caps>,
    buffer: Option<gst::Buffer>,
}

/// What came out.
#[derive(Debug)]
pub(super) struct ProcessedFrame {
    pub(super) buffer: gst::Buffer,
    pub(super) caps: gst::Caps,
}

impl ElementChain {
    /// Links `elements`, which have one pad `sink` and one `src` each, and starts them.
    pub(super) fn new(elements: &[gst::Element]) -> anyhow::Result<Self> {
        let pipeline = gst::Pipeline::new();
        pipeline.add_many(elements)?;
        gst::Element::link_many(elements)?;
        let end = |element: Option<&gst::Element>, name| {
            element
                .and_then(|element| element.static_pad(name))
                .ok_or_else(|| anyhow::anyhow!("an element without a pad {name}"))
        };
        // Nobody reads what else the elements say: it must not pile up for days.
        if let Some(bus) = pipeline.bus() {
            bus.set_sync_handler(|_, message| match message.type_() {
                gst::MessageType::Error => gst::BusSyncReply::Pass,
                _ => gst::BusSyncReply::Drop,
            });
        }
        let out = Arc::new(Mutex::new(Output::default()));
        let feed = gst::Pad::builder_from_template(&any("feed", gst::PadDirection::Src)?).build();
        let drain = drain(&out, &any("drain", gst::PadDirection::Sink)?);
        feed.link(&end(elements.first(), "sink")?)?;
        end(elements.last(), "src")?.link(&drain)?;
        let chain = Self {
            pipeline,
            feed,
            _drain: drain,
            caps: None,
            out,
        };
        chain.feed.set_active(true)?;
        chain._drain.set_active(true)?;
        if chain.pipeline.set_state(gst::State::Playing).is_err() {
            return Err(chain.error("the elements do not start"));
        }
        chain
            .feed
            .push_event(gst::event::StreamStart::new("frames"));
        Ok(chain)
    }

    /// Sends `buffer` with `caps` through, and returns what comes out, if anything does.
    ///
    /// # Errors
    ///
    /// When an element posts an error or refuses the caps.
    pub(super) fn run(
        &mut self,
        buffer: gst::Buffer,
        caps: &gst::Caps,
    ) -> anyhow::Result<Option<ProcessedFrame>> {
        if self.caps.as_ref() != Some(caps) {
            let is_first = self.caps.is_none();
            if !self.feed.push_event(gst::event::Caps::new(caps)) {
                return Err(self.error(&format!("the elements do not take {caps}")));
            }
            if is_first {
                let segment = gst::FormattedSegment::<gst::ClockTime>::new();
                self.feed.push_event(gst::event::Segment::new(&segment));
            }
            self.caps = Some(caps.clone());
        }
        self.feed.push(buffer).map_err(|flow| match flow {
            // Caps that an element refuses show with the buffer after them.
            gst::FlowError::NotNegotiated => {
                self.error(&format!("the elements do not take {caps}"))
            }
            _ => self.error(&format!("the elements stop: {flow}")),
        })?;
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let (buffer, caps) = (out.buffer.take(), out.caps.clone());
        Ok(buffer
            .zip(caps)
            .map(|(buffer, caps)| ProcessedFrame { buffer, caps }))
    }

    /// What an element has posted, else `otherwise`.
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
        // Elements that cannot even stop have already posted why.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// What lets a pad take all caps; without it, it would take none but those that it had first.
fn any(name: &str, direction: gst::PadDirection) -> Result<gst::PadTemplate, gst::glib::BoolError> {
    gst::PadTemplate::new(
        name,
        direction,
        gst::PadPresence::Always,
        &gst::Caps::new_any(),
    )
}

/// A pad that keeps the last buffer and its caps.
fn drain(out: &Arc<Mutex<Output>>, template: &gst::PadTemplate) -> gst::Pad {
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
    fn a_frame_comes_out_as_the_elements_leave_it() {
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
    fn elements_that_refuse_a_frame_are_an_error_and_take_the_next_one() {
        let mut chain = chain(&["emotionfacedetect"]);
        let (buffer, caps) = frame(gst_video::VideoFormat::I42010le, 64);
        let error = chain.run(buffer, &caps).expect_err("no such format");
        assert!(error.to_string().contains("do not take"), "{error}");
        let (buffer, caps) = frame(gst_video::VideoFormat::Gray8, 64);
        assert!(chain.run(buffer, &caps).expect("it runs").is_some());
    }
}
