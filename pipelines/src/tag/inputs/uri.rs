//! Addresses by their schemes.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use percent_encoding::percent_decode;

/// The scheme of an address, RFC 3986, section 3.1; `None` for a path.
pub(super) fn scheme(name: &[u8]) -> Option<&[u8]> {
    let end = name.windows(3).position(|found| found == b"://")?;
    let scheme = &name[..end];
    let is_scheme = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
    is_scheme.then_some(scheme)
}

/// The path in an address with `file://`, RFC 8089; `None` if it is on another machine.
pub(super) fn local_path(address: &str) -> Option<PathBuf> {
    let (_, rest) = address.split_once("://")?;
    let path = match rest.get(..10) {
        Some(host) if host.eq_ignore_ascii_case("localhost/") => &rest[9..],
        _ => rest,
    };
    let bytes: Vec<u8> = percent_decode(path.as_bytes()).collect();
    path.starts_with('/')
        .then(|| PathBuf::from(OsString::from_vec(bytes)))
}
