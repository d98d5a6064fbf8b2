//! The properties of the elements: a table with one row for each property, and the settings that the rows read and
//! write.
//!
//! An element keeps its settings in [`SharedSettings`]. The settings bring their table:
//!
//! ```ignore
//! #[derive(Default, Clone)]
//! struct Settings {
//!     boxes: bool,
//!     names: Names,
//! }
//!
//! impl HasProperties for Settings {
//!     fn properties() -> &'static PropertyTable<Self> {
//!         static TABLE: LazyLock<PropertyTable<Settings>> = LazyLock::new(|| PropertyTable::new("", [
//!             // A property that is a field of the settings.
//!             property!(
//!                 glib::ParamSpecBoolean::builder("boxes").mutable_playing(),
//!                 "Boxes",
//!                 "Draw a box around each face",
//!                 boxes,
//!             ),
//!             // Any other: how it is read and written. An error rejects the value.
//!             property!(
//!                 glib::ParamSpecString::builder("names").mutable_playing(),
//!                 "Names",
//!                 "Other names for labels, as LABEL=NAME",
//!                 |settings| settings.names.to_string().to_value(),
//!                 |settings, value| {
//!                     settings.names = read::<Option<String>>(value).unwrap_or_default().parse()?;
//!                     Ok(())
//!                 },
//!             ),
//!             // An old name is a second row with the same field.
//!             property!(
//!                 glib::ParamSpecBoolean::builder("frames").deprecated(),
//!                 "Frames",
//!                 "Deprecated: use boxes",
//!                 boxes,
//!             ),
//!         ]));
//!         &TABLE
//!     }
//! }
//!
//! impl ObjectImpl for Element {
//!     fn properties() -> &'static [glib::ParamSpec] {
//!         Settings::properties().specs()
//!     }
//!
//!     fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
//!         self.settings.set(&*self.obj(), pspec, value);
//!     }
//!
//!     fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
//!         self.settings.get(pspec, || self.stats())
//!     }
//! }
//! ```
//!
//! [`SharedSettings::current`] gives a frame its settings, [`SharedSettings::checked`] gives them to the start.
//!
//! # Rejected values
//!
//! A rejected value changes nothing: the last accepted one stays in effect and is what the property reads as, and the
//! element posts a warning. An element that has not been started yet refuses to start as well, until the property is set
//! to a value that it takes: a typo in a launch line must not go unnoticed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use gst::glib;
use gst::glib::value::FromValue;
use gst::prelude::*;

use crate::foreign;
use crate::stats::{self, Stats};

/// A property of an element with the settings `S`.
#[derive(Debug)]
pub(crate) struct Property<S> {
    pub(crate) spec: glib::ParamSpec,
    pub(crate) get: fn(&S) -> glib::Value,
    /// GObject has checked type and range; an error says what else is wrong with the value.
    pub(crate) set: fn(&mut S, &glib::Value) -> Result<(), Rejection>,
}

/// Why a value is rejected.
pub(crate) type Rejection = Box<dyn std::error::Error>;

/// Makes a [`Property`]: `property!(builder, nick, blurb, field)` if its value is a field of the settings, else
/// `property!(builder, nick, blurb, get, set)`. `property!(spec, field)` takes a spec that is built already.
macro_rules! property {
    ($spec:expr, $($field:ident).+ $(,)?) => {
        $crate::property::Property {
            spec: $spec,
            get: |settings| gst::prelude::ToValue::to_value(&settings.$($field).+),
            set: |settings, value| {
                settings.$($field).+ = $crate::property::read(value);
                Ok(())
            },
        }
    };
    ($builder:expr, $nick:expr, $blurb:expr, $($field:ident).+ $(,)?) => {
        $crate::property::property!($builder.nick($nick).blurb($blurb).build(), $($field).+)
    };
    ($builder:expr, $nick:expr, $blurb:expr, $get:expr, $set:expr $(,)?) => {
        $crate::property::Property {
            spec: $builder.nick($nick).blurb($blurb).build(),
            get: $get,
            set: $set,
        }
    };
}
pub(crate) use property;

/// The value as its property's type.
pub(crate) fn read<'a, T: FromValue<'a>>(value: &'a glib::Value) -> T {
    value.get().expect("GObject has checked the type")
}

/// A number of nanoseconds as a time; the largest number, which GStreamer takes for no time, is the longest time.
pub(crate) fn read_time(value: &glib::Value) -> gst::ClockTime {
    gst::ClockTime::from_nseconds(read::<u64>(value).min(gst::ClockTime::MAX.nseconds()))
}

/// Settings that are set by properties.
pub(crate) trait HasProperties: Default + Clone + 'static {
    /// All properties of the element.
    fn properties() -> &'static PropertyTable<Self>;
}

/// The properties of an element.
#[derive(Debug)]
pub(crate) struct PropertyTable<S> {
    specs: Vec<glib::ParamSpec>,
    rows: Vec<Property<S>>,
}

impl<S> PropertyTable<S> {
    /// These properties and the one that all elements have, `stats`, which says `more` about the fields that only this element
    /// adds.
    pub(crate) fn new<const N: usize>(more: &str, rows: [Property<S>; N]) -> Self {
        let specs = rows.iter().map(|row| row.spec.clone());
        Self {
            specs: specs.chain([Stats::param_spec(more)]).collect(),
            rows: rows.into(),
        }
    }

    /// For `ObjectImpl::properties`.
    pub(crate) fn specs(&self) -> &[glib::ParamSpec] {
        &self.specs
    }

    fn row(&self, name: &str) -> &Property<S> {
        let row = self.rows.iter().find(|row| row.spec.name() == name);
        row.expect("GObject knows only the properties of the table")
    }
}

/// The settings of an element: shared with the frames that are being worked on, replaced when a property is set.
#[derive(Debug, Default)]
pub(crate) struct SharedSettings<S> {
    current: Mutex<Arc<S>>,
    /// The properties that were set to a rejected value before the start, with the reason.
    rejected: Mutex<BTreeMap<String, String>>,
}

impl<S: HasProperties> SharedSettings<S> {
    /// The settings as they are now.
    pub(crate) fn current(&self) -> Arc<S> {
        Arc::clone(&self.current.lock().unwrap())
    }

    /// The settings with which the element starts.
    ///
    /// # Errors
    ///
    /// If a property was last set to a value that was rejected.
    pub(crate) fn checked(&self) -> Result<Arc<S>, gst::ErrorMessage> {
        match self.rejected.lock().unwrap().values().next() {
            Some(reason) => Err(gst::error_msg!(gst::LibraryError::Settings, ("{reason}"))),
            None => Ok(self.current()),
        }
    }

    /// For `ObjectImpl::set_property` of `element`.
    pub(crate) fn set(
        &self,
        element: &impl IsA<gst::Element>,
        spec: &glib::ParamSpec,
        value: &glib::Value,
    ) {
        let name = spec.name();
        if spec.flags().contains(glib::ParamFlags::DEPRECATED) {
            let remedy = spec.blurb().unwrap_or_default();
            gst::warning!(gst::CAT_DEFAULT, obj = element, "{name}: {remedy}");
        }
        let reason = match self.replace(name, value) {
            Ok(()) => {
                self.rejected.lock().unwrap().remove(name);
                return;
            }
            Err(rejection) => rejection.to_string(),
        };
        let warning = if element.current_state() >= gst::State::Paused {
            format!("{reason}; {name} stays as it was")
        } else {
            let warning = format!("{reason}; set {name} to another value before the start");
            self.rejected
                .lock()
                .unwrap()
                .insert(name.to_owned(), reason);
            warning
        };
        gst::element_warning!(element, gst::LibraryError::Settings, ("{warning}"));
    }

    fn replace(&self, name: &str, value: &glib::Value) -> Result<(), Rejection> {
        let mut current = self.current.lock().unwrap();
        let mut settings = S::clone(&current);
        foreign::text(value).map_err(|error| format!("{name}: expected text in UTF-8: {error}"))?;
        (S::properties().row(name).set)(&mut settings, value)?;
        *current = Arc::new(settings);
        Ok(())
    }

    /// For `ObjectImpl::property`.
    pub(crate) fn get(
        &self,
        spec: &glib::ParamSpec,
        stats: impl FnOnce() -> gst::Structure,
    ) -> glib::Value {
        match spec.name() {
            stats::PROPERTY => stats().to_value(),
            name => (S::properties().row(name).get)(&self.current()),
        }
    }
}
