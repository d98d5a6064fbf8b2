//! Elements that bring frames of hardware decoders into the memory of the processor.
//!
//! Nothing here knows one kind of hardware: the registry is asked which element takes the kind of memory that a decoder
//! gives and makes system memory of it (`nvvidconv`, `vapostproc`, `cudadownload`, `gldownload` and others).

use gst::prelude::*;

/// The elements that take frames with `caps`, which are not in system memory, the most suitable first.
pub(super) fn downloaders(caps: &gst::CapsRef) -> Vec<gst::ElementFactory> {
    let registry = gst::Registry::get();
    let mut found: Vec<_> = registry
        .features(gst::ElementFactory::static_type())
        .into_iter()
        .filter_map(|feature| feature.downcast::<gst::ElementFactory>().ok())
        .filter(|factory| takes(factory, caps) && gives_system_memory(factory))
        .collect();
    found.sort_by_key(|factory| {
        let only_downloads = factory.name().ends_with("download");
        (!only_downloads, std::cmp::Reverse(factory.rank()))
    });
    found
}

/// Whether an element says that it takes the very kind of memory of `caps`. Elements that pass any memory through do not
/// count, nor do decoders and encoders.
fn takes(factory: &gst::ElementFactory, caps: &gst::CapsRef) -> bool {
    let class = factory.metadata("klass").unwrap_or_default();
    let is_filter = ["Filter", "Converter"]
        .iter()
        .any(|kind| class.contains(kind));
    is_filter
        && class.contains("Video")
        && templates(factory, gst::PadDirection::Sink).any(|template| {
            template.iter_with_features().any(|(structure, features)| {
                !features.is_any()
                    && !is_system(features)
                    && caps.iter_with_features().any(|(wanted, of)| {
                        wanted.name() == structure.name() && of.is_equal(features)
                    })
            })
        })
}

fn gives_system_memory(factory: &gst::ElementFactory) -> bool {
    templates(factory, gst::PadDirection::Src).any(|template| {
        template.iter_with_features().any(|(structure, features)| {
            structure.name() == "video/x-raw" && !features.is_any() && is_system(features)
        })
    })
}

fn is_system(features: &gst::CapsFeaturesRef) -> bool {
    features.is_equal(gst::CAPS_FEATURES_MEMORY_SYSTEM_MEMORY.as_ref())
}

fn templates(
    factory: &gst::ElementFactory,
    direction: gst::PadDirection,
) -> impl Iterator<Item = gst::Caps> {
    let templates = factory.static_pad_templates().into_iter();
    templates
        .filter(move |template| {
            template.direction() == direction && template.presence() == gst::PadPresence::Always
        })
        .map(|template| template.caps())
}
