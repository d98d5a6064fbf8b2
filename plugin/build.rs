//! Puts the commit and the release date into the plugin's description, and its own name into the library.

use std::env;

fn main() {
    gst_plugin_version_helper::info();
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-link-arg-cdylib=-Wl,-soname,libgstemotion.so");
    }
}
