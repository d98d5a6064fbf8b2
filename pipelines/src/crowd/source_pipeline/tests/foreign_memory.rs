//! Two elements for tests that stand for hardware: one makes frames that are not in system memory, as a decoder of a graphics
//! card does, and one brings them back.

// What the macros of glib make is public, whoever may reach it.
#![allow(unreachable_pub, missing_docs)]

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;

const SYSTEM: &str = "video/x-raw";
const FOREIGN: &str = "video/x-raw(memory:CrowdTest)";

fn templates(sink: &str, src: &str) -> Vec<gst::PadTemplate> {
    let template = |name: &str, direction, caps: &str| {
        let caps: gst::Caps = caps.parse().expect("caps");
        gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &caps).expect("a template")
    };
    vec![
        template("sink", gst::PadDirection::Sink, sink),
        template("src", gst::PadDirection::Src, src),
    ]
}

/// The same caps in the other memory.
fn in_other_memory(caps: &gst::Caps) -> gst::Caps {
    let mut other = gst::Caps::new_empty();
    for (structure, features) in caps.iter_with_features() {
        let features = match features.contains("memory:CrowdTest") {
            true => gst::CapsFeatures::new_empty(),
            false => gst::CapsFeatures::new(["memory:CrowdTest"]),
        };
        let caps = other.get_mut().expect("it is ours");
        caps.append_structure_full(structure.to_owned(), Some(features));
    }
    other
}

macro_rules! element {
    ($module:ident, $wrapper:ident, $name:literal, $class:literal, $sink:expr, $src:expr) => {
        mod $module {
            use super::*;

            #[derive(Default)]

            pub struct $wrapper;

            #[glib::object_subclass]
            impl ObjectSubclass for $wrapper {
                const NAME: &'static str = $name;
                type Type = super::$wrapper;
                type ParentType = gst_base::BaseTransform;
            }
            impl ObjectImpl for $wrapper {}
            impl GstObjectImpl for $wrapper {}
            impl ElementImpl for $wrapper {
                fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
                    static METADATA: std::sync::LazyLock<gst::subclass::ElementMetadata> =
                        std::sync::LazyLock::new(|| {
                            gst::subclass::ElementMetadata::new($name, $class, "A test", "Tests")
                        });
                    Some(&METADATA)
                }

                fn pad_templates() -> &'static [gst::PadTemplate] {
                    static TEMPLATES: std::sync::LazyLock<Vec<gst::PadTemplate>> =
                        std::sync::LazyLock::new(|| templates($sink, $src));
                    &TEMPLATES
                }
            }
            impl BaseTransformImpl for $wrapper {
                const MODE: BaseTransformMode = BaseTransformMode::AlwaysInPlace;
                const PASSTHROUGH_ON_SAME_CAPS: bool = false;
                const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

                fn transform_caps(
                    &self,
                    _: gst::PadDirection,
                    caps: &gst::Caps,
                    filter: Option<&gst::Caps>,
                ) -> Option<gst::Caps> {
                    let other = in_other_memory(caps);
                    Some(filter.map_or(other.clone(), |filter| filter.intersect(&other)))
                }

                fn transform_ip(
                    &self,
                    _: &mut gst::BufferRef,
                ) -> Result<gst::FlowSuccess, gst::FlowError> {
                    Ok(gst::FlowSuccess::Ok)
                }
            }
        }

        glib::wrapper! {
            pub struct $wrapper(ObjectSubclass<$module::$wrapper>)
                @extends gst_base::BaseTransform, gst::Element, gst::Object;
        }
    };
}

element!(
    upload,
    CrowdTestUpload,
    "crowdtestupload",
    "Codec/Decoder/Video",
    SYSTEM,
    FOREIGN
);
element!(
    download,
    CrowdTestDownload,
    "crowdtestdownload",
    "Filter/Converter/Video",
    FOREIGN,
    SYSTEM
);

/// Makes the elements known: `crowdtestupload` and `crowdtestdownload`.
pub(super) fn register() {
    gst::Element::register(
        None,
        "crowdtestupload",
        gst::Rank::NONE,
        CrowdTestUpload::static_type(),
    )
    .expect("it is new");
    gst::Element::register(
        None,
        "crowdtestdownload",
        gst::Rank::NONE,
        CrowdTestDownload::static_type(),
    )
    .expect("it is new");
}
