//! Strings that others have made, which the bindings take for UTF-8 without a look, and read even where there is none.

use std::ffi::CStr;

use gst::glib;
use gst_video::VideoRegionOfInterestMeta;

/// The type of a region; none if it has no type (quark 0) or one that is not UTF-8.
pub(crate) fn roi_type(roi: &VideoRegionOfInterestMeta) -> Option<&'static str> {
    let meta: *const gst_video::ffi::GstVideoRegionOfInterestMeta = std::ptr::from_ref(roi).cast();
    // SAFETY: the binding is a transparent wrapper of this structure, and `roi` is borrowed meanwhile.
    let quark = unsafe { (*meta).roi_type };
    quark_text(quark)
}

/// The text of a quark; none for 0, for a number that is no quark, and for text that is not UTF-8.
pub(crate) fn quark_text(quark: glib::ffi::GQuark) -> Option<&'static str> {
    // SAFETY: GLib takes any number, and returns null or a string that stays for the life of the process.
    let text = unsafe { glib::ffi::g_quark_to_string(quark) };
    // SAFETY: as above; the string ends with NUL.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_str().ok())?
}

/// The text in a value; none if it holds no string, or null.
///
/// # Errors
///
/// If the string is not UTF-8.
pub(crate) fn text(value: &glib::Value) -> Result<Option<&str>, std::str::Utf8Error> {
    if !value.is_type(glib::Type::STRING) {
        return Ok(None);
    }
    // SAFETY: the value holds a string, and is borrowed as long as the result.
    let text = unsafe { glib::gobject_ffi::g_value_get_string(value.as_ptr()) };
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the string ends with NUL, and belongs to the borrowed value.
    unsafe { CStr::from_ptr(text) }.to_str().map(Some)
}

/// The text in a field of a structure, if it is there and UTF-8.
pub(crate) fn text_field<'a>(structure: &'a gst::StructureRef, name: &str) -> Option<&'a str> {
    text(structure.value(name).ok()?).ok().flatten()
}

/// The elements of an array field, or none if any of them cannot be read.
pub(crate) fn array_field<T>(
    structure: &gst::StructureRef,
    name: &str,
    read: impl Fn(&glib::Value) -> Option<T>,
) -> Vec<T> {
    structure
        .get::<gst::ArrayRef<'_>>(name)
        .ok()
        .and_then(|values| values.iter().map(|value| read(value)).collect())
        .unwrap_or_default()
}
