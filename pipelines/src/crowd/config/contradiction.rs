//! Mistakes that do not show in one value alone, or only in the files that a value names.

use std::fs;
use std::path::{Path, PathBuf};

use gstemotion::broker;

use super::{
    ApiSettings, Config, KafkaSettings, MqttSettings, PageSettings, RecordSettings, WebhookSettings,
};
use crate::crowd::certificates;
use crate::crowd::page_tls::TlsAcceptors;

/// A mistake in the settings.
#[derive(Debug)]
pub(super) struct Contradiction {
    /// The tables and the key that lead to the wrong setting.
    path: Vec<String>,
    /// What was expected, and what was found.
    pub(super) message: String,
}

impl Contradiction {
    fn at(path: &[&str], message: impl Into<String>) -> Self {
        Self {
            path: path.iter().map(|key| (*key).to_owned()).collect(),
            message: message.into(),
        }
    }

    pub(super) fn path(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }
}

/// The first mistake in `config`.
pub(super) fn find(config: &Config) -> Option<Contradiction> {
    sources(config)
        .or_else(|| records(&config.records))
        .or_else(|| config.mqtt.as_ref().and_then(mqtt))
        .or_else(|| config.kafka.as_ref().and_then(kafka))
        .or_else(|| config.page.as_ref().and_then(page))
        .or_else(|| config.webhook.as_ref().and_then(webhook))
        .or_else(|| {
            config
                .api
                .as_ref()
                .and_then(|settings| api(settings, config.page.as_ref()))
        })
        .or_else(|| reconnect(config))
}

fn sources(config: &Config) -> Option<Contradiction> {
    if config.sources.is_empty() && config.page.is_none() {
        let message =
            "no source: expected at least one [[source]] with a name and a uri, or a [page]";
        return Some(Contradiction::at(&[], message));
    }
    for (index, source) in config.sources.iter().enumerate() {
        let certificates = source.tls_ca_file.as_deref().map(certificates::read);
        if let Some(Err(error)) = certificates {
            let path = ["source", &index.to_string(), "tls-ca-file"];
            return Some(Contradiction::at(&path, error));
        }
        let name = &source.name;
        if config.sources[..index]
            .iter()
            .any(|other| other.name == *name)
        {
            let message = format!("a second source named {name}: expected names that differ");
            return Some(Contradiction::at(&["source", &index.to_string()], message));
        }
    }
    None
}

fn records(records: &RecordSettings) -> Option<Contradiction> {
    let file = records.file.as_ref().map(|file| file.path.as_path());
    let file = file.filter(|path| *path != Path::new("-"));
    if records.has_rotation && file.is_none() {
        let message = "a rotation needs a file: set jsonl to its path";
        return Some(Contradiction::at(&["records"], message));
    }
    let path = file?;
    let why = unwritable(path)?;
    let message = format!("{}: cannot write records there: {why}", path.display());
    Some(Contradiction::at(&["records", "jsonl"], message))
}

/// Why no file can be written at `path`, as far as that can be known without creating it.
fn unwritable(path: &Path) -> Option<String> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Some(format!("there is no folder {}", folder.display()));
    }
    let found = fs::metadata(path).ok()?;
    if found.is_dir() {
        return Some("it is a folder".into());
    }
    // A device or a pipe may wait for its other end.
    if !found.is_file() {
        return None;
    }
    let opened = fs::OpenOptions::new().append(true).open(path);
    opened.err().map(|error| error.to_string())
}

fn mqtt(mqtt: &MqttSettings) -> Option<Contradiction> {
    let error = mqtt.publisher().check().err()?;
    let key = match &error {
        gstemotion::mqtt::Error::Broker(error) => {
            let files = [&mqtt.tls_ca_file, &mqtt.tls_certificate_file];
            key_of_broker(error, files)
        }
        gstemotion::mqtt::Error::Address(_) => "address",
    };
    Some(Contradiction::at(&["mqtt", key], error.to_string()))
}

fn kafka(kafka: &KafkaSettings) -> Option<Contradiction> {
    let error = kafka.publisher().check().err()?;
    let path = match &error {
        gstemotion::kafka::Error::Broker(error) => {
            let files = [&kafka.tls_ca_file, &kafka.tls_certificate_file];
            vec!["kafka", key_of_broker(error, files)]
        }
        gstemotion::kafka::Error::NotBuilt => vec!["kafka"],
        _ => vec!["kafka", "address"],
    };
    Some(Contradiction::at(&path, error.to_string()))
}

/// The key of the setting that is wrong, for a broker with these files of authorities and of a certificate.
fn key_of_broker(error: &broker::Error, files: [&Option<PathBuf>; 2]) -> &'static str {
    let broker::Error::Certificate { path, .. } = error else {
        return match error {
            broker::Error::Incomplete(key, _) => key,
            _ => "address",
        };
    };
    let is_it = |file: &Option<PathBuf>| {
        let shown = file.as_ref().map(|file| file.display().to_string());
        shown.as_ref() == Some(path)
    };
    match files.map(is_it) {
        [true, _] => "tls-ca-file",
        [_, true] => "tls-certificate-file",
        _ => "tls-key-file",
    }
}

fn page(page: &PageSettings) -> Option<Contradiction> {
    if page.token.is_none() && !page.listen.ip().is_loopback() {
        let message = format!(
            "other computers can reach {}: set a token, or listen on 127.0.0.1",
            page.listen
        );
        return Some(Contradiction::at(&["page", "listen"], message));
    }
    let tls = TlsAcceptors::of(page.certificate.as_deref(), page.key.as_deref());
    if let Err(error) = tls {
        return Some(Contradiction::at(
            &["page", "certificate"],
            format!("{error:#}"),
        ));
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    let token = page.token.as_ref()?.reveal();
    (!token.chars().all(is_plain)).then(|| {
        let message =
            "expected letters, digits, '-', '_', '.' and '~', because a token is part of a cookie";
        Contradiction::at(&["page", "token"], message)
    })
}

fn webhook(webhook: &WebhookSettings) -> Option<Contradiction> {
    let path = webhook.tls_ca_file.as_deref()?;
    let error = certificates::read(path).err()?;
    Some(Contradiction::at(&["webhook", "tls-ca-file"], error))
}

fn api(api: &ApiSettings, page: Option<&PageSettings>) -> Option<Contradiction> {
    let Some(page) = page else {
        let message = "the API is part of the page: expected a [page]";
        return Some(Contradiction::at(&["api"], message));
    };
    if let Some(token) = &api.token {
        if page.token.as_ref() == Some(token) {
            let message = "expected another token than that of the page, which is for looking only";
            return Some(Contradiction::at(&["api", "token"], message));
        }
        if !token.reveal().chars().all(|c| c.is_ascii_graphic()) {
            let message = "expected ASCII letters, digits and signs without spaces";
            return Some(Contradiction::at(&["api", "token"], message));
        }
    }
    let state = api.state.as_deref()?;
    let why = unwritable(state)?;
    let message = format!("{}: cannot keep changes there: {why}", state.display());
    Some(Contradiction::at(&["api", "state"], message))
}

fn reconnect(config: &Config) -> Option<Contradiction> {
    let settings = &config.reconnect;
    (settings.longest_pause < settings.first_pause).then(|| {
        let message = format!(
            "the longest pause is {} s and the first {} s: expected the longest not to be shorter",
            settings.longest_pause.as_secs_f64(),
            settings.first_pause.as_secs_f64()
        );
        Contradiction::at(&["reconnect", "longest-pause-seconds"], message)
    })
}
