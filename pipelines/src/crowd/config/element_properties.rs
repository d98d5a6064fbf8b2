//! Properties of an element, by their names in GStreamer.

use std::fmt;
use std::marker::PhantomData;

use gst::prelude::*;
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// An element that has properties here.
pub trait Kind {
    /// Its name in GStreamer.
    const ELEMENT: &'static str;
}

/// `facedetect`, by the name that GStreamer's OpenCV plugin does not have.
#[derive(Debug)]
pub struct Detect;

/// `emotionclassify`.
#[derive(Debug)]
pub struct Classify;

/// `emotionoverlay`.
#[derive(Debug)]
pub struct Overlay;

impl Kind for Detect {
    const ELEMENT: &'static str = "emotionfacedetect";
}

impl Kind for Classify {
    const ELEMENT: &'static str = "emotionclassify";
}

impl Kind for Overlay {
    const ELEMENT: &'static str = "emotionoverlay";
}

/// Values that the element of this kind takes.
#[derive(Debug)]
pub struct ElementProperties<K> {
    values: Vec<(String, String)>,
    kind: PhantomData<K>,
}

impl<K> Default for ElementProperties<K> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            kind: PhantomData,
        }
    }
}

impl<K: Kind> ElementProperties<K> {
    /// Makes the element with these properties and then those of `more`.
    ///
    /// # Errors
    ///
    /// When GStreamer does not have it.
    pub fn element(&self, more: &Self) -> Result<gst::Element, gst::glib::BoolError> {
        let element = gst::ElementFactory::make(K::ELEMENT).build()?;
        for (name, value) in self.values.iter().chain(&more.values) {
            element.set_property_from_str(name, value);
        }
        Ok(element)
    }
}

impl<'de, K: Kind> Deserialize<'de> for ElementProperties<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Table(PhantomData))
    }
}

struct Table<K>(PhantomData<K>);

impl<'de, K: Kind> Visitor<'de> for Table<K> {
    type Value = ElementProperties<K>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "properties of {}", K::ELEMENT)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let element = gst::ElementFactory::make(K::ELEMENT)
            .build()
            .map_err(A::Error::custom)?;
        let mut properties = ElementProperties::default();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(Property {
                kind: K::ELEMENT,
                element: &element,
                name: &name,
            })?;
            properties.values.push((name, value));
        }
        Ok(properties)
    }
}

/// Checks a value as the element takes it.
struct Property<'a> {
    /// What the element is called.
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
            .filter(|spec| spec.flags().contains(gst::glib::ParamFlags::WRITABLE))
            .ok_or_else(|| {
                format!(
                    "{kind} has no property {name} to be set: gst-inspect-1.0 {kind} lists them"
                )
            })?;
        let refuses = || {
            let about = spec.blurb().unwrap_or_default();
            format!("{kind} does not take {text:?} for {name} ({about})")
        };
        let value = gst::glib::Value::deserialize_with_pspec(text, &spec).map_err(|_| refuses())?;
        if !is_within(&spec, &value) {
            return Err(refuses());
        }
        element.set_property_from_value(name, &value);
        Ok(())
    }
}

/// Whether a number lies in the range of its property; to set another would be a programming error.
fn is_within(spec: &gst::glib::ParamSpec, value: &gst::glib::Value) -> bool {
    fn in_range<T: PartialOrd>(value: Result<T, impl Sized>, least: T, most: T) -> bool {
        value.is_ok_and(|value| least <= value && value <= most)
    }
    use gst::glib::{
        ParamSpecDouble, ParamSpecFloat, ParamSpecInt, ParamSpecUInt, ParamSpecUInt64,
    };
    if let Some(spec) = spec.downcast_ref::<ParamSpecDouble>() {
        in_range(value.get(), spec.minimum(), spec.maximum())
    } else if let Some(spec) = spec.downcast_ref::<ParamSpecFloat>() {
        in_range(value.get(), spec.minimum(), spec.maximum())
    } else if let Some(spec) = spec.downcast_ref::<ParamSpecInt>() {
        in_range(value.get(), spec.minimum(), spec.maximum())
    } else if let Some(spec) = spec.downcast_ref::<ParamSpecUInt>() {
        in_range(value.get(), spec.minimum(), spec.maximum())
    } else if let Some(spec) = spec.downcast_ref::<ParamSpecUInt64>() {
        in_range(value.get(), spec.minimum(), spec.maximum())
    } else {
        true
    }
}
