//! Cameras as they are: what they send, how they are reached, and what is said when they fail.

use std::path::Path;
use std::process::Command;

use emotion_tests::camera::{RtspCamera, clip};

use super::http_camera::HttpCamera;
use super::portrait;
use super::running::Running;

const QUICK: &str = "[reconnect]\nfirst-pause-seconds = 0.2\nlongest-pause-seconds = 0.5\n[records]\njsonl = \"-\"\n";
const PAGE: &str = "[page]\nlisten = \"127.0.0.1:0\"\npictures = \"off\"\n";

fn source(name: &str, uri: &str) -> String {
    format!("[[source]]\nname = \"{name}\"\nuri = \"{uri}\"\n")
}

fn looped(clip: &Path) -> String {
    format!(
        "multifilesrc location={} loop=true ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96",
        clip.display()
    )
}

#[test]
fn motion_jpeg_and_single_pictures_of_an_http_camera_play_by_their_address() {
    let camera = HttpCamera::start();
    let stills = "snapshot-seconds = 0.2\ndetect = { max-faces = 1 }\n";
    let settings = [
        QUICK,
        &source("motion", &camera.uri("/mjpeg")),
        &source("stills", &camera.uri("/jpg")),
        stills,
    ]
    .concat();
    let mut running = Running::start(&settings);
    for name in ["motion", "stills"] {
        let first = running.record_of(name, |record| !record.faces.is_empty());
        assert_eq!((first.width, first.height), (512, 512));
        running.record_of(name, |record| record.running_time > first.running_time);
    }
    let before = camera.connections();
    running.record_of("stills", |_| true);
    running.record_of("motion", |_| true);
    running.signal("-TERM");
    assert!(running.end().success(), "{}", running.log);
    // One stream is one connection, however many pictures it has.
    assert!(before >= 2, "{before}");
    assert_eq!(
        running.log.matches("motion: playing").count(),
        1,
        "{}",
        running.log
    );
    assert_eq!(
        running.log.matches("stills: playing").count(),
        1,
        "{}",
        running.log
    );
}

#[test]
fn a_camera_that_offers_udp_alone_plays_and_tells_so_where_tcp_is_asked_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let line = looped(&clip(folder.path()));
    let camera = RtspCamera::serve_with("play", &line, &[], &[("RTSP_TRANSPORT", "udp")]);
    let tcp = [&source("tcp", &camera.uri()), "transport = \"tcp\"\n"].concat();
    let mut running = Running::start(&[QUICK, &source("auto", &camera.uri()), &tcp].concat());
    let said = running.until_said("tcp: ");
    assert!(said.contains("does not offer this transport"), "{said}");
    running.record_of("auto", |_| true);
}

#[test]
fn the_senders_clock_is_in_the_records() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let camera = RtspCamera::start(&clip(folder.path()), &[]);
    let running = Running::start(&[QUICK, &source("camera", &camera.uri())].concat());
    let record = running.record_of("camera", |record| record.sender_time.is_some());
    let (sender, ours) = (
        record.sender_time.expect("it is there"),
        record.wall_clock.expect("it is there"),
    );
    // Both are clocks of this computer; the day and the hour are the same unless it strikes now.
    assert_eq!(sender[..11], ours[..11]);
    assert!(sender <= ours, "{sender} {ours}");
}

/// Makes a certificate for 127.0.0.1 and its key, and returns their paths and the certificate's fingerprint.
fn certificate(folder: &Path, name: &str) -> (String, String, String) {
    let path = |end: &str| folder.join(format!("{name}.{end}")).display().to_string();
    let (certificate, key) = (path("pem"), path("key"));
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args([
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ])
        .args(["-out", &certificate, "-keyout", &key])
        .output()
        .expect("openssl is installed");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let print = Command::new("openssl")
        .args([
            "x509",
            "-noout",
            "-fingerprint",
            "-sha256",
            "-in",
            &certificate,
        ])
        .output()
        .expect("openssl is installed");
    let print = String::from_utf8(print.stdout).expect("text");
    let print = print
        .trim()
        .rsplit('=')
        .next()
        .expect("a fingerprint")
        .to_owned();
    (certificate, key, print)
}

#[test]
fn an_encrypted_camera_is_trusted_by_its_authority_or_its_fingerprint_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (pem, key, print) = certificate(folder.path(), "camera");
    let (_, _, other) = certificate(folder.path(), "other");
    let line = looped(&clip(folder.path()));
    let tls = format!("{pem}:{key}");
    let camera = RtspCamera::serve_with("play", &line, &[], &[("RTSP_TLS", &tls)]);
    let uri = format!("rtsps://127.0.0.1:{}/live", camera.port());
    let of = |name: &str, setting: &str| [source(name, &uri), format!("{setting}\n")].concat();
    let settings = [
        QUICK.to_owned(),
        of("unknown", ""),
        of("wrong", &format!("tls-fingerprint = \"sha256:{other}\"")),
        of("authority", &format!("tls-ca-file = \"{pem}\"")),
        of("pinned", &format!("tls-fingerprint = \"sha256:{print}\"")),
    ]
    .concat();
    let mut running = Running::start(&settings);
    let digits = print.replace(':', "").to_lowercase();
    let mut said = [running.until_said(": the c"), running.until_said(": the c")].concat();
    while !(said.contains("unknown: ") && said.contains("wrong: ")) {
        said += &running.until_said(": the c");
    }
    assert!(
        said.contains("is not trusted: no trusted authority has signed it"),
        "{said}"
    );
    assert!(
        said.contains("another certificate than that of tls-fingerprint"),
        "{said}"
    );
    // Who knows that it is the right camera can copy the setting.
    assert!(said.contains(&format!("sha256:{digits}")), "{said}");
    running.record_of("authority", |_| true);
    running.record_of("pinned", |_| true);
    running.signal("-TERM");
    running.end();
    let plays = |name: &str| running.log.contains(&format!("{name}: playing"));
    assert!(!plays("unknown") && !plays("wrong"), "{}", running.log);
}

#[test]
fn the_causes_of_a_failure_are_told_apart() {
    let closed = emotion_tests::free_port();
    let sound = "audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay0 pt=8";
    let sound = RtspCamera::serve("play", sound, &[]);
    let odd = "videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=5/1 ! rtpvrawpay name=pay0 pt=96";
    let odd = RtspCamera::serve("play", odd, &[]);
    let settings = [
        QUICK,
        &source("name", "rtsp://camera.invalid/x"),
        &source("port", &format!("rtsp://127.0.0.1:{closed}/x")),
        &source("path", &odd.uri().replace("/live", "/nowhere")),
        &source("sound", &sound.uri()),
    ]
    .concat();
    let mut running = Running::start(&settings);
    for _ in 0..4 {
        running.until_said("again in");
    }
    for said in [
        "name: the name camera.invalid is not found",
        &format!("port: 127.0.0.1:{closed} refuses the connection"),
        "path: Not found",
        "sound: the stream has no video, only ",
    ] {
        assert!(
            running.log.contains(said),
            "{said} is not in\n{}",
            running.log
        );
    }
}

#[test]
fn what_a_camera_says_is_printed_without_control_characters_and_in_short() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut request = [0; 4096];
            while let Ok(length @ 1..) = client.read(&mut request) {
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                let sequence = text
                    .lines()
                    .find(|line| line.starts_with("CSeq"))
                    .unwrap_or("CSeq: 1");
                let reason = match text.starts_with("OPTIONS") {
                    true => "200 OK\r\nPublic: DESCRIBE, SETUP, PLAY".to_owned(),
                    false => format!("404 \u{1b}[31mRED\u{7}{}", "A".repeat(3000)),
                };
                let _ =
                    client.write_all(format!("RTSP/1.0 {reason}\r\n{sequence}\r\n\r\n").as_bytes());
            }
        }
    });
    let mut running = Running::start(
        &[
            QUICK,
            &source("evil", &format!("rtsp://127.0.0.1:{port}/x")),
        ]
        .concat(),
    );
    let said = running.until_said("evil: ");
    assert!(
        !said.contains(['\u{1b}', '\u{7}']) && said.len() < 1000,
        "{said:?}"
    );
}

#[test]
fn a_file_that_asks_to_be_turned_and_one_that_is_told_to_are_upright() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (lying, tagged) = (
        folder.path().join("lying.mp4"),
        folder.path().join("tagged.mp4"),
    );
    // Files of the tests have no rotation; ffmpeg writes one, as telephones do.
    let portrait = emotion_tests::picture::portrait();
    let ffmpeg = |arguments: &[&str]| {
        let ran = Command::new("ffmpeg")
            .args(["-v", "error", "-y"])
            .args(arguments)
            .output();
        let ran = ran.expect("ffmpeg is installed");
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
    };
    let text = |path: &Path| path.to_str().expect("plain").to_owned();
    ffmpeg(&[
        "-loop",
        "1",
        "-i",
        &text(&portrait),
        "-t",
        "1",
        "-r",
        "10",
        "-vf",
        "crop=512:400:0:0,transpose=1",
        "-pix_fmt",
        "yuv420p",
        &text(&lying),
    ]);
    ffmpeg(&[
        "-i",
        &text(&lying),
        "-c",
        "copy",
        "-metadata:s:v",
        "rotate=90",
        &text(&tagged),
    ]);
    let file = |name: &str, path: &Path, rest: &str| {
        format!(
            "[[source]]\nname = \"{name}\"\nfile = {path:?}\ndetect = {{ max-faces = 1 }}\n{rest}\n"
        )
    };
    let settings = [
        QUICK.to_owned(),
        file("lying", &lying, ""),
        file("tagged", &tagged, ""),
        file("told", &lying, "rotation = 270"),
        file("mirrored", &tagged, "mirror = true"),
    ]
    .concat();
    let running = Running::start(&settings);
    let mut centres = std::collections::BTreeMap::new();
    let mut sizes = std::collections::BTreeMap::new();
    while centres.len() < 3 || sizes.len() < 4 {
        let record = running.record();
        let name = record.source.clone().expect("it is named");
        sizes.insert(name.clone(), (record.width, record.height));
        if let Some(face) = record.faces.first() {
            centres.insert(
                name,
                face.box_normalized.x + face.box_normalized.width / 2.0,
            );
        }
    }
    assert_eq!(sizes["lying"], (400, 512));
    for name in ["tagged", "told", "mirrored"] {
        assert_eq!(sizes[name], (512, 400), "{name}");
    }
    // The face of the portrait is left of the middle.
    assert!((0.38..0.52).contains(&centres["tagged"]), "{centres:?}");
    assert!(
        (centres["tagged"] - centres["told"]).abs() < 0.03,
        "{centres:?}"
    );
    assert!(
        (centres["tagged"] + centres["mirrored"] - 1.0).abs() < 0.03,
        "{centres:?}"
    );
}

#[test]
fn masked_parts_are_neither_analysed_nor_shown() {
    let whole = "masks = [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]]\n";
    let other = "masks = [[[0.0, 0.6], [1.0, 0.6], [1.0, 1.0], [0.0, 1.0]]]\n";
    let settings = [QUICK, &portrait("masked"), whole, &portrait("seen"), other].concat();
    let running = Running::start(&settings);
    running.record_of("seen", |record| !record.faces.is_empty());
    for _ in 0..5 {
        let masked = running.record_of("masked", |_| true);
        assert!(masked.faces.is_empty(), "{masked:?}");
    }
}

#[test]
fn frozen_black_and_covered_pictures_are_noticed() {
    let made = |name: &str, pattern: &str| {
        let caps = "video/x-raw,format=I420,width=320,height=240,framerate=10/1";
        let line = match name {
            "frozen" => {
                format!("videotestsrc num-buffers=1 {pattern} ! {caps} ! imagefreeze is-live=true")
            }
            _ => format!("videotestsrc is-live=true {pattern} ! {caps}"),
        };
        format!("[[source]]\nname = \"{name}\"\nlaunch = \"{line}\"\n")
    };
    let check = "[picture-check]\nfrozen-seconds = 1\nblack-seconds = 1\ncovered-seconds = 1\n";
    let settings = [
        PAGE,
        check,
        &made("frozen", "pattern=snow"),
        &made("black", "pattern=black"),
        &made("covered", "pattern=solid-color foreground-color=0xff606060"),
        &made("good", "pattern=snow"),
    ]
    .concat();
    let mut running = Running::start(&settings);
    let page = running.page();
    for name in ["frozen", "black", "covered"] {
        while !running
            .log
            .contains(&format!("{name}: the picture is {name}"))
        {
            running.until_said("the picture is");
        }
        let metric =
            format!("emotion_crowd_picture_problem{{source=\"{name}\",problem=\"{name}\"}}");
        assert_eq!(page.metric(&metric), 1.0);
    }
    assert!(
        !running.log.contains("good: the picture"),
        "{}",
        running.log
    );
}

#[test]
fn a_short_file_is_played_again_and_again_without_growing_pauses() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clip = clip(folder.path());
    let settings = [
        QUICK,
        PAGE,
        &format!("[[source]]\nname = \"clip\"\nfile = {clip:?}\nat-end = \"restart\"\n"),
    ]
    .concat();
    let mut running = Running::start(&settings);
    let page = running.page();
    let rounds = |page: &super::running::Page| {
        page.metric("emotion_crowd_reconnects_total{source=\"clip\"}")
    };
    while rounds(&page) < 4.0 {
        running.record_of("clip", |_| true);
    }
    running.signal("-TERM");
    assert!(running.end().success());
    for said in ["the stream ended", "clip: playing"] {
        assert_eq!(running.log.matches(said).count(), 1, "{}", running.log);
    }
}
