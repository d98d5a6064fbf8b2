//! Tells settings that reach into this computer from those that only reach into the network.

use serde_json::{Map, Value};

/// The schemes of addresses that lead to another computer.
const NETWORK_SCHEMES: [&str; 19] = [
    "http", "https", "rtmp", "rtmps", "rtmpt", "rtp", "rist", "rtsp", "rtsps", "rtspt", "rtspu",
    "rtsph", "rtsp-sdp", "rtspst", "rtspsu", "rtspsh", "srt", "udp", "whep",
];

/// The first of `settings` that reads a file, a device or the environment of this computer, or runs a launch line.
pub(super) fn local_setting(settings: &Map<String, Value>) -> Option<&str> {
    let is_local = |(key, value): &(&String, &Value)| match key.as_str() {
        "file" | "device" | "launch" | "tls-ca-file" => !value.is_null(),
        "uri" => !value.is_null() && value.as_str().is_none_or(|uri| !is_in_network(uri)),
        // { file = "…" } and { env = "…" } would send a secret of this computer to the camera.
        "password" => value.is_object(),
        "detect" | "classify" => value.as_object().is_some_and(|properties| {
            properties.iter().any(|(name, value)| {
                let is_path = value.as_str().is_some_and(|text| text.contains('/'));
                is_path || name.contains("location")
            })
        }),
        _ => false,
    };
    settings.iter().find(is_local).map(|(key, _)| key.as_str())
}

fn is_in_network(uri: &str) -> bool {
    let scheme = uri.split_once("://").map_or("", |(scheme, _)| scheme);
    let scheme = scheme.to_ascii_lowercase();
    NETWORK_SCHEMES.contains(&scheme.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_reaches_into_this_computer_is_found() {
        for (settings, expected) in [
            (
                json!({ "name": "a", "uri": "rtsp://camera", "password": "x" }),
                None,
            ),
            (json!({ "name": "a", "uri": "HTTP://camera" }), None),
            (json!({ "uri": "file:///etc/passwd" }), Some("uri")),
            (json!({ "uri": "v4l2:///dev/video0" }), Some("uri")),
            (json!({ "file": "a.mp4" }), Some("file")),
            (json!({ "launch": "filesrc" }), Some("launch")),
            (json!({ "device": "/dev/video0" }), Some("device")),
            (
                json!({ "uri": "rtsp://x", "password": { "env": "HOME" } }),
                Some("password"),
            ),
            (
                json!({ "detect": { "model-location": "x" } }),
                Some("detect"),
            ),
            (
                json!({ "classify": { "labels": "/etc/x" } }),
                Some("classify"),
            ),
            (json!({ "classify": { "threshold": 0.5 } }), None),
        ] {
            let map = settings.as_object().expect("an object");
            assert_eq!(local_setting(map), expected, "{settings}");
        }
    }
}
