//! HTML pages that contain everything they need: style, script and data.

use serde::Serialize;

/// What all pages share: colours and common elements.
const STYLE: &str = include_str!("html_page.css");
/// What all pages share: elements, times, shares and bars.
const SCRIPT: &str = include_str!("html_page.js");
/// The text in a page that is replaced by its data.
pub(crate) const PLACEHOLDER: &str = "/*DATA*/null";

/// The page with the shared style and script, and with its data.
///
/// # Errors
///
/// If a value cannot be represented in JSON.
pub(crate) fn filled(page: &str, data: &impl Serialize) -> serde_json::Result<String> {
    // The data must not end the script that contains it.
    let json = serde_json::to_string(data)?.replace('<', "\\u003c");
    let page = page.replacen("/*STYLE*/\n", STYLE, 1);
    let page = page.replacen("/*SCRIPT*/\n", SCRIPT, 1);
    Ok(page.replacen(PLACEHOLDER, &json, 1))
}
