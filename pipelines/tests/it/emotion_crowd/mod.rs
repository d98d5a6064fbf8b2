//! `emotion-crowd` with real peers: an RTSP server that is switched off and on, a broker, Prometheus' parser, a browser.

mod browser;
mod running;
mod viewer;

mod cameras;
mod control;
mod encryption;
mod events;
mod http_camera;
#[cfg(feature = "kafka")]
mod kafka;
mod limits;
mod monitoring;
mod page_in_browser;
mod publishing;
mod settings;
mod streams;
mod undisturbed;
mod web;
mod zones;

/// A live source that always shows one face.
pub(crate) fn portrait(name: &str) -> String {
    let picture = emotion_tests::picture::portrait();
    format!(
        "[[source]]\nname = \"{name}\"\nlaunch = '''filesrc location=\"{}\" ! pngdec ! videoconvert \
         ! video/x-raw,format=I420 ! imagefreeze is-live=true ! video/x-raw,framerate=25/1'''\n\
         detect = {{ max-faces = 1 }}\n",
        picture.display()
    )
}
