//! The page with TLS.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::portrait;
use super::running::{PATIENCE, Page, Running, command};

/// A key and a certificate for 127.0.0.1 that it signs itself.
fn certificate(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let (certificate, key) = (
        folder.join(format!("{name}.pem")),
        folder.join(format!("{name}.key")),
    );
    let ran = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .arg("-out")
        .arg(&certificate)
        .arg("-keyout")
        .arg(&key)
        .output()
        .expect("openssl is installed");
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    (certificate, key)
}

fn settings(certificate: &Path, key: &Path) -> String {
    format!(
        "[page]\nlisten = \"127.0.0.1:0\"\npictures = \"off\"\ntoken = \"long-enough-for-all\"\n\
         certificate = \"{}\"\nkey = \"{}\"\n{}",
        certificate.display(),
        key.display(),
        portrait("hall")
    )
}

/// The answer to a request by a client that trusts `authority` alone.
fn encrypted(page: &Page, authority: &Path, request: &str) -> String {
    let mut client = Command::new("openssl")
        .args([
            "s_client",
            "-quiet",
            "-verify_return_error",
            "-connect",
            &page.0,
        ])
        .arg("-CAfile")
        .arg(authority)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl is installed");
    let mut input = client.stdin.take().expect("it is piped");
    input.write_all(request.as_bytes()).expect("it is sent");
    // It stays open until the answer is complete.
    let mut answer = String::new();
    let mut output = client.stdout.take().expect("it is piped");
    output.read_to_string(&mut answer).expect("text");
    drop(input);
    let ran = client.wait_with_output().expect("it ends");
    format!("{answer}{}", String::from_utf8_lossy(&ran.stderr))
}

#[test]
fn with_a_certificate_the_page_is_encrypted_and_its_cookie_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (certificate, key) = certificate(folder.path(), "page");
    let mut running = Running::start(&settings(&certificate, &key));
    let page = running.page();
    assert!(
        running.log.contains("page: https://127.0.0.1:"),
        "{}",
        running.log
    );
    let body = "token=long-enough-for-all";
    let answer = encrypted(
        &page,
        &certificate,
        &format!(
            "POST /login HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
            page.0,
            body.len()
        ),
    );
    assert!(answer.contains("HTTP/1.1 303"), "{answer}");
    assert!(answer.contains("; Secure"), "{answer}");
    let plain = page.get("/", &[]);
    assert_eq!(plain.status, 400);
    let text = String::from_utf8(plain.body).expect("text");
    assert!(text.contains("use https://"), "{text}");
}

/// Asks for the health with trust in `authority` alone, until `is_done` with whether there was an answer.
fn ask_until(page: &Page, authority: &Path, mut is_done: impl FnMut(bool) -> bool) {
    let request = format!(
        "GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        page.0
    );
    let began = Instant::now();
    loop {
        let answer = encrypted(page, authority, &request);
        if is_done(answer.contains("HTTP/1.1 200")) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{answer}");
    }
}

#[test]
fn a_certificate_that_is_renewed_is_used_without_a_restart_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (used, used_key) = certificate(folder.path(), "page");
    let old = folder.path().join("old.pem");
    fs::copy(&used, &old).expect("it is writable");
    let (new, new_key) = certificate(folder.path(), "new");
    let mut running = Running::start(&settings(&used, &used_key));
    let page = running.page();
    ask_until(&page, &old, |is_answered| is_answered);
    ask_until(&page, &new, |is_answered| {
        assert!(!is_answered, "the new certificate is not in use yet");
        true
    });

    fs::write(&used, "no PEM\n").expect("it is writable");
    ask_until(&page, &old, |is_answered| {
        assert!(is_answered, "the old certificate stays in use");
        running.has_said("the old certificate stays in use")
    });

    fs::copy(&new, &used).expect("it is writable");
    fs::copy(&new_key, &used_key).expect("it is writable");
    ask_until(&page, &new, |is_answered| is_answered);
    running.until_said("the new certificate is in use");
    ask_until(&page, &old, |is_answered| {
        assert!(!is_answered, "the old certificate is still in use");
        true
    });
}

#[test]
fn a_certificate_that_cannot_be_used_is_reported_with_its_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (page, key) = certificate(folder.path(), "page");
    let (_, other_key) = certificate(folder.path(), "other");
    let missing = folder.path().join("missing.pem");
    let empty = folder.path().join("empty.pem");
    fs::write(&empty, "no PEM\n").expect("it is writable");
    let text = |path: &Path| path.display().to_string();
    for (certificate, key, expected) in [
        (&missing, &key, text(&missing)),
        (&page, &missing, text(&missing)),
        (
            &empty,
            &key,
            format!("{} contains no certificate in PEM", text(&empty)),
        ),
        (
            &page,
            &page,
            format!("{} contains no key in PEM", text(&page)),
        ),
        (
            &page,
            &other_key,
            format!("{} does not belong to the certificate", text(&other_key)),
        ),
    ] {
        let (mut command, _folder) = command(&settings(certificate, key));
        let ran = command.output().expect("it starts");
        assert_eq!(ran.status.code(), Some(1));
        let said = String::from_utf8(ran.stderr).expect("text");
        assert!(said.contains(&expected), "expected {expected} in: {said}");
    }
}
