//! Errors of elements in words for people, who know the file and none of the elements.

use gst::glib;
use gst::prelude::*;

use crate::runner::described;

/// What an error message of the pipeline means for the file. `missing_plugin` is the name of what is not installed, if
/// something is missing.
pub(super) fn explained(error: &gst::message::Error, missing_plugin: Option<&str>) -> String {
    let text = described(None, &error.error(), error.debug());
    let source = error.src().and_then(|source| source.downcast_ref());
    let factory = source.and_then(gst::Element::factory);
    // What the program feeds, and the loaders of gdk-pixbuf, have explanations of their own.
    let is_explained = factory
        .is_some_and(|factory| ["appsrc", "gdkpixbufdec"].contains(&factory.name().as_str()));
    match missing_plugin {
        Some(plugin) => missing(plugin),
        None if is_explained => text,
        None => meaning(&error.error(), text),
    }
}

fn missing(plugin: &str) -> String {
    format!(
        "nothing is installed to decode it: a {plugin} is missing; on Debian and Ubuntu gstreamer1.0-libav and \
         gstreamer1.0-plugins-bad have most of them"
    )
}

fn meaning(error: &glib::Error, text: String) -> String {
    match error.kind::<gst::StreamError>() {
        Some(gst::StreamError::TypeNotFound) => {
            "it is no video or picture of a known type, or its beginning is damaged".into()
        }
        Some(gst::StreamError::CodecNotFound) => {
            format!("nothing is installed to decode it: {text}")
        }
        Some(
            gst::StreamError::Failed
            | gst::StreamError::Decode
            | gst::StreamError::Demux
            | gst::StreamError::Format,
        ) => format!("it is damaged, or no installed decoder understands it: {text}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_is_wrong_with_the_file() {
        let meaning = |error| {
            let error = glib::Error::new(error, "text of an element");
            meaning(&error, error.message().to_owned())
        };
        for (error, part) in [
            (gst::StreamError::TypeNotFound, "no video or picture"),
            (gst::StreamError::CodecNotFound, "nothing is installed"),
            (gst::StreamError::Demux, "damaged, or no installed decoder"),
            (gst::StreamError::Encode, "text of an element"),
        ] {
            let text = meaning(error);
            assert!(text.contains(part), "{text}");
        }
        assert!(missing("H.266 decoder").contains("a H.266 decoder is missing; on Debian"));
    }
}
