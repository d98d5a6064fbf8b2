//! Properties of elements, by their names in GStreamer.

use std::fmt;

use gst::glib;
use gst::prelude::*;
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// `facedetect`, by the name that GStreamer's OpenCV plugin does not use.
pub const FACEDETECT: &str = "emotionfacedetect";
/// `emotionclassify`.
pub const EMOTIONCLASSIFY: &str = "emotionclassify";
/// `emotionoverlay`.
pub const EMOTIONOVERLAY: &str = "emotionoverlay";

/// Names and values of properties of one element, which has checked them.
#[derive(Debug, Clone, Default)]
pub struct ElementProperties(Vec<(String, String)>);

impl ElementProperties {
    /// One property, which the element is known to take.
    pub fn of(name: &str, value: &str) -> Self {
        Self(vec![(name.to_owned(), value.to_owned())])
    }

    pub(super) fn facedetect<'de, D: Deserializer<'de>>(table: D) -> Result<Self, D::Error> {
        table.deserialize_map(Table(FACEDETECT))
    }

    pub(super) fn emotionclassify<'de, D: Deserializer<'de>>(table: D) -> Result<Self, D::Error> {
        table.deserialize_map(Table(EMOTIONCLASSIFY))
    }

    /// Whether no property is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn emotionoverlay<'de, D: Deserializer<'de>>(table: D) -> Result<Self, D::Error> {
        table.deserialize_map(Table(EMOTIONOVERLAY))
    }
}

/// Makes an element with these properties; later ones take precedence.
///
/// # Errors
///
/// If the element is not installed.
pub fn make_element(
    name: &str,
    properties: &[&ElementProperties],
) -> Result<gst::Element, glib::BoolError> {
    let element = gst::ElementFactory::make(name).build()?;
    for (name, value) in properties.iter().flat_map(|properties| &properties.0) {
        element.set_property_from_str(name, value);
    }
    Ok(element)
}

/// Reads the properties of the element of this name.
struct Table(&'static str);

impl<'de> Visitor<'de> for Table {
    type Value = ElementProperties;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "properties of {}", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ElementProperties, A::Error> {
        let element = make_element(self.0, &[]).map_err(A::Error::custom)?;
        let mut properties = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(Property {
                kind: self.0,
                element: &element,
                name: &name,
            })?;
            properties.push((name, value));
        }
        Ok(ElementProperties(properties))
    }
}

/// Reads a value and checks that the element accepts it.
struct Property<'a> {
    /// The name of the element's factory.
    kind: &'static str,
    element: &'a gst::Element,
    name: &'a str,
}

impl<'de> DeserializeSeed<'de> for Property<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        let text = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(is) => is.to_string(),
            other => {
                return Err(D::Error::custom(format!(
                    "expected a text, a number, true or false, found {}",
                    other.type_str()
                )));
            }
        };
        self.check(&text).map_err(D::Error::custom)?;
        Ok(text)
    }
}

impl Property<'_> {
    fn check(&self, text: &str) -> Result<(), String> {
        let Self {
            kind,
            element,
            name,
        } = *self;
        let spec = element
            .find_property(name)
            .filter(|spec| spec.flags().contains(glib::ParamFlags::WRITABLE))
            .ok_or_else(|| {
                format!(
                    "{kind} has no property {name} to be set: gst-inspect-1.0 {kind} lists them"
                )
            })?;
        let value = glib::Value::deserialize_with_pspec(text, &spec).ok();
        let value = value
            .filter(|value| is_whole_in_range(&spec, text) && is_in_range(&spec, value))
            .ok_or_else(|| {
                let about = spec.blurb().unwrap_or_default();
                let range = range(&spec).map_or(String::new(), |(least, most)| {
                    format!(": expected a number from {least} to {most}")
                });
                format!("{kind} does not take {text:?} for {name}{range} ({about})")
            })?;
        element.set_property_from_value(name, &value);
        Ok(())
    }
}

/// The least and the greatest number of a property of whole numbers.
fn range(spec: &glib::ParamSpec) -> Option<(i128, i128)> {
    macro_rules! bounds {
        ($($kind:ty),*) => {
            $(if let Some(spec) = spec.downcast_ref::<$kind>() {
                return Some((spec.minimum().into(), spec.maximum().into()));
            })*
        };
    }
    bounds!(
        glib::ParamSpecInt,
        glib::ParamSpecUInt,
        glib::ParamSpecInt64,
        glib::ParamSpecUInt64
    );
    None
}

/// Whether a text for a property of whole numbers is one in its range. GStreamer itself takes -3 for 4294967293 where no
/// sign is allowed.
fn is_whole_in_range(spec: &glib::ParamSpec, text: &str) -> bool {
    let Some((least, most)) = range(spec) else {
        return true;
    };
    let number = text.trim().parse::<i128>();
    number.is_ok_and(|number| (least..=most).contains(&number))
}

/// Whether a number is in the range of its property. Setting another number would panic.
fn is_in_range(spec: &glib::ParamSpec, value: &glib::Value) -> bool {
    macro_rules! check {
        ($($kind:ty),*) => {
            $(if let Some(spec) = spec.downcast_ref::<$kind>() {
                let value = value.get().unwrap_or(spec.minimum());
                return spec.minimum() <= value && value <= spec.maximum();
            })*
        };
    }
    check!(
        glib::ParamSpecDouble,
        glib::ParamSpecFloat,
        glib::ParamSpecInt,
        glib::ParamSpecUInt,
        glib::ParamSpecUInt64
    );
    true
}
