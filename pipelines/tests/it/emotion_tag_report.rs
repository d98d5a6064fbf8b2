//! The report of `emotion-tag` in a real browser.

use std::path::Path;
use std::process::Command;

use crate::common::*;

/// The page in a browser.
fn rendered(page: &Path, profile: &Path) -> String {
    let browser = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| {
            Command::new(name)
                .arg("--version")
                .output()
                .is_ok_and(|output| output.status.success())
        });
    let output = Command::new(browser.expect("Chromium is installed (Debian: chromium)"))
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        // A page that wants anything from elsewhere does not get it.
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).expect("a page is text")
}

#[test]
fn a_browser_shows_each_face_over_time_and_thumbnails_only_on_request() {
    let archive = Archive::new();
    let clip = archive.clip("clip.mp4", 100..200, H264);
    for (name, arguments) in [
        ("without", &["--report"][..]),
        ("with", &["--report", "--thumbnails"]),
    ] {
        let out = archive.path(name);
        let ran = Command::new(env!("CARGO_BIN_EXE_emotion-tag"))
            .args(["--every", "5/s", "--out"])
            .arg(&out)
            .args(arguments)
            .arg(&clip)
            .output()
            .expect("it starts");
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        let summary =
            std::fs::read_to_string(out.join("clip.mp4.summary.json")).expect("it was written");
        let summary: serde_json::Value = serde_json::from_str(&summary).expect("it is JSON");
        let persons = summary["persons"].as_array().expect("there are some").len();
        assert!(persons >= 1);

        let page = rendered(&out.join("clip.mp4.html"), &archive.path("profile"));
        assert!(
            page.contains("<title>clip.mp4: faces and emotions</title>"),
            "{page}"
        );
        assert_eq!(page.matches("class=\"card person\"").count(), persons);
        assert!(page.matches("class=\"span\"").count() >= persons);
        let has_faces = page.contains("<img src=\"data:image/jpeg;base64,")
            || page.contains("src=\"data:image/jpeg");
        assert_eq!(has_faces, name == "with");
    }
}

#[test]
fn an_archive_has_a_table_of_all_faces_and_a_page_with_their_pictures() {
    let archive = Archive::new();
    let clip = archive.clip("clip.mp4", 100..200, H264);
    let out = archive.path("out");
    let emotion_tag = |arguments: &[&str]| {
        let ran = Command::new(env!("CARGO_BIN_EXE_emotion-tag"))
            .args(arguments)
            .arg(&out)
            .output()
            .expect("it starts");
        let errors = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{errors}");
        String::from_utf8(ran.stdout).expect("it prints text")
    };
    let clip = clip.to_str().expect("a name of letters");
    emotion_tag(&["--every", "5/s", "--thumbnails", "--elan", clip, "--out"]);
    assert!(out.join("clip.mp4.eaf").is_file());

    let said = emotion_tag(&["table"]);
    assert!(said.contains("\nall files"), "{said}");
    let table = std::fs::read_to_string(out.join("archive.csv")).expect("it was written");
    assert!(table.contains("\nclip.mp4,"), "{table}");

    emotion_tag(&["report"]);
    let page = rendered(&out.join("archive.html"), &archive.path("profile"));
    assert!(page.contains(">clip.mp4</h2>"), "{page}");
    assert!(page.contains("src=\"data:image/jpeg;base64,"), "{page}");
    assert!(page.contains("Emotions of face 1 over time"), "{page}");
}
