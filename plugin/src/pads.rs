//! The pads of the elements.

/// The templates of an always `sink` and an always `src` pad with these caps.
pub(crate) fn templates(caps: &gst::Caps) -> Vec<gst::PadTemplate> {
    [
        ("sink", gst::PadDirection::Sink),
        ("src", gst::PadDirection::Src),
    ]
    .map(|(name, direction)| {
        gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps)
            .expect("the name is not empty, and the caps are valid")
    })
    .into()
}
