//! Certificates for one test, made by `openssl`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An authority that signs certificates. All files are PEM, `NAME.pem` and `NAME.key` in one folder.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    name: String,
}

/// A key on a curve that is quick to make.
const NEW_KEY: [&str; 5] = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
];

impl Authority {
    /// An authority of this name with its files in `folder`.
    ///
    /// # Panics
    ///
    /// When openssl is not installed.
    pub fn new(folder: &Path, name: &str) -> Self {
        let authority = Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
        };
        let (certificate, key) = (authority.file(name, "pem"), authority.file(name, "key"));
        let subject = format!("/CN=Authority {name}");
        let about = ["-x509", "-days", "2", "-subj", &subject];
        let files = ["-keyout", &key, "-out", &certificate];
        openssl(&[&["req"][..], &NEW_KEY, &about, &files].concat());
        authority
    }

    /// Makes a key and a certificate for these names, such as `DNS:localhost,IP:127.0.0.1`.
    ///
    /// # Panics
    ///
    /// When the folder is not writable.
    pub fn sign(&self, name: &str, names: &str) {
        let (request, key) = (self.file(name, "csr"), self.file(name, "key"));
        let subject = format!("/CN={name}");
        let files = ["-subj", &subject, "-keyout", &key, "-out", &request];
        openssl(&[&["req"][..], &NEW_KEY, &files].concat());
        let extensions = self.file(name, "ext");
        fs::write(&extensions, format!("subjectAltName={names}")).expect("it is writable");
        let (ours, our_key) = (self.file(&self.name, "pem"), self.file(&self.name, "key"));
        openssl(&[
            "x509",
            "-req",
            "-days",
            "2",
            "-CAcreateserial",
            "-in",
            &request,
            "-CA",
            &ours,
            "-CAkey",
            &our_key,
            "-extfile",
            &extensions,
            "-out",
            &self.file(name, "pem"),
        ]);
    }

    fn file(&self, name: &str, extension: &str) -> String {
        let file = self.folder.join(format!("{name}.{extension}"));
        file.display().to_string()
    }
}

fn openssl(arguments: &[&str]) {
    let made = Command::new("openssl").args(arguments).output();
    let made = made.expect("openssl is installed");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{said}");
}
