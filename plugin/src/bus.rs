//! Messages of the elements on the bus.

use gst::prelude::*;

/// Posts each structure as an element message.
pub(crate) fn post(
    element: &impl IsA<gst::Element>,
    structures: impl IntoIterator<Item = gst::Structure>,
) {
    let element = element.upcast_ref();
    for structure in structures {
        let message = gst::message::Element::builder(structure).src(element);
        // Fails without a bus, which is no error: nobody listens.
        let _ = element.post_message(message.build());
    }
}
