//! Which objects of GStreamer's analytics metadata are faces.

use std::fmt;

#[cfg(feature = "v1_24")]
use gst::glib;
#[cfg(feature = "v1_24")]
use gst::prelude::*;

use super::types::ROI_TYPE;
#[cfg(feature = "v1_24")]
use crate::property::read;

/// The types of objects that count as faces, whatever their case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaceTypes(Vec<String>);

impl Default for FaceTypes {
    /// `face`, as detectors of faces alone call what they find.
    fn default() -> Self {
        Self(vec![ROI_TYPE.to_owned()])
    }
}

#[cfg(feature = "v1_24")]
impl FaceTypes {
    /// From names with commas between them, without the spaces around each; none if there is no name.
    pub fn parse(names: &str) -> Self {
        let names = names.split(',').map(str::trim);
        let names = names.filter(|name| !name.is_empty());
        Self(names.map(ToOwned::to_owned).collect())
    }

    /// From the value of the property; the default for null.
    pub(crate) fn from_value(value: &glib::Value) -> Self {
        read::<Option<String>>(value).map_or_else(Self::default, |names| Self::parse(&names))
    }

    /// Whether an object of this type is a face.
    pub fn contains(&self, object_type: &str) -> bool {
        let mut names = self.0.iter();
        names.any(|name| name.eq_ignore_ascii_case(object_type))
    }

    /// The property of an element.
    pub(crate) fn param_spec() -> glib::ParamSpec {
        glib::ParamSpecString::builder("face-types")
            .nick("Types of faces")
            .blurb(
                "Types of objects in GStreamer's analytics metadata that count as faces on a frame without regions of \
                 interest for them, with commas between them; empty = none",
            )
            .default_value(&*Self::default().to_string())
            .mutable_playing()
            .build()
    }
}

impl fmt::Display for FaceTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}
