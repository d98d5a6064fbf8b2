//! Events for a web server, sent by POST from a thread of its own.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use gstemotion::back_off::{self, BackOff};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::messages::SourceNotice;
use super::worker_queue::WorkerQueue;
use crate::crowd::certificates;
use crate::crowd::config::{Secret, WebhookSettings};
use crate::crowd::log::log;
use crate::crowd::metrics::WebhookMetrics;
use crate::runner::StopFlag;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long the last events may take when the program ends.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
/// How often a pause looks whether the program ends.
const TICK: Duration = Duration::from_millis(100);

/// The queue of events and the thread that sends them.
#[derive(Debug)]
pub(super) struct Webhook {
    notices: WorkerQueue<SourceNotice>,
    closing: StopFlag,
    metrics: WebhookMetrics,
}

impl Webhook {
    pub(super) fn start(
        settings: &WebhookSettings,
        metrics: WebhookMetrics,
    ) -> anyhow::Result<Self> {
        let closing = StopFlag::default();
        let worker = Sender {
            agent: agent(settings)?,
            url: settings.url.clone(),
            token: settings.token.clone(),
            retries: settings.retries,
            closing: closing.clone(),
            metrics: metrics.clone(),
            has_failed: false,
        };
        Ok(Self {
            notices: WorkerQueue::start("webhook", settings.queue_size, |notices| {
                worker.run(notices);
            })?,
            closing,
            metrics,
        })
    }

    /// Queues an event. If too many wait, it is dropped and counted.
    pub(super) fn send(&self, notice: SourceNotice) {
        if !self.notices.push(notice) {
            self.metrics.dropped.inc();
        }
    }

    /// Sends what waits, each event once, for a short time.
    pub(super) fn close(&self) {
        self.closing.set();
        self.notices.close();
        if !self.notices.ends_within(CLOSE_TIMEOUT) {
            log("webhook", "the last events did not reach the server");
        }
    }
}

struct Sender {
    agent: ureq::Agent,
    url: String,
    token: Option<Secret>,
    retries: u32,
    closing: StopFlag,
    metrics: WebhookMetrics,
    has_failed: bool,
}

impl Sender {
    fn run(mut self, notices: &Receiver<SourceNotice>) {
        for notice in notices {
            match self.deliver(&notice) {
                Ok(()) => {
                    self.metrics.sent.inc();
                    if std::mem::take(&mut self.has_failed) {
                        log("webhook", "events are sent again");
                    }
                }
                Err(error) => {
                    self.metrics.dropped.inc();
                    if !std::mem::replace(&mut self.has_failed, true) {
                        log("webhook", &format!("{error:#}; events are lost"));
                    }
                }
            }
        }
    }

    /// Sends an event, again after a failure that may pass.
    fn deliver(&self, notice: &SourceNotice) -> anyhow::Result<()> {
        let json = serde_json::to_vec(notice)?;
        let mut back_off = BackOff::new(FIRST_PAUSE, LONGEST_PAUSE);
        for attempt in 0.. {
            match self.post(&json) {
                Ok(()) => return Ok(()),
                Err(error) if attempt >= self.retries || !may_pass(&error) => {
                    // An address in the message may contain a login.
                    return Err(anyhow::anyhow!(
                        "the server does not take an event: {}",
                        cause(&error)
                    ));
                }
                Err(error) if self.closing.is_set() => {
                    anyhow::bail!("the server does not take an event: {}", cause(&error))
                }
                Err(_) => {}
            }
            let pause = back_off.pause(Duration::ZERO);
            self.sleep(back_off::shortened(pause, gst::glib::random_double()));
        }
        Ok(())
    }

    fn post(&self, json: &[u8]) -> Result<(), ureq::Error> {
        let mut request = self.agent.post(&self.url).content_type("application/json");
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {}", token.reveal()));
        }
        request.send(json).map(drop)
    }

    fn sleep(&self, pause: Duration) {
        let end = std::time::Instant::now() + pause;
        while !self.closing.is_set() {
            let left = end.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(TICK));
        }
    }
}

/// Whether the same event may be taken later: not if the server calls it wrong.
fn may_pass(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::StatusCode(status) => *status >= 500 || *status == 429 || *status == 408,
        ureq::Error::BadUri(_) => false,
        _ => true,
    }
}

fn cause(error: &ureq::Error) -> String {
    match error {
        ureq::Error::StatusCode(status) => format!("it answers with the status {status}"),
        ureq::Error::BadUri(_) => "its address is wrong".into(),
        other => other.to_string(),
    }
}

fn agent(settings: &WebhookSettings) -> anyhow::Result<ureq::Agent> {
    let certificates = match &settings.tls_ca_file {
        Some(file) => certificates::read(file).map_err(anyhow::Error::msg)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let roots: Vec<_> = certificates
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(settings.timeout))
        .max_redirects(0)
        .tls_config(tls)
        .build();
    Ok(config.new_agent())
}
