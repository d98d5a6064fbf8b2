//! `emotion-crowd` among real parts: an RTSP server that is switched off and on, a broker, Prometheus' parser, a browser.

#[path = "../../../../plugin/tests/it/common/broker.rs"]
#[allow(dead_code)] // the plugin's tests need more of it
mod broker;
mod camera;
mod running;

mod publishing;
mod settings;
mod streams;
mod web;

/// A live source that always shows one face.
pub(crate) fn portrait(name: &str) -> String {
    let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/media/astronaut.png");
    format!(
        "[[source]]\nname = \"{name}\"\nlaunch = '''filesrc location=\"{picture}\" ! pngdec ! videoconvert \
         ! video/x-raw,format=I420 ! imagefreeze is-live=true ! video/x-raw,framerate=25/1'''\n\
         detect = {{ max-faces = 1 }}\n"
    )
}
