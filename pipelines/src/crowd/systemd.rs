//! Messages to the service manager that started the program, by systemd's protocol `sd_notify`: ready, what it does, alive.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;

use super::health::Health;
use super::log::warn;

/// How often the state is looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// The thread that reports; dropping it reports the end.
#[derive(Debug)]
pub(super) struct ServiceNotifier {
    /// Dropping it ends the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The socket of the service manager.
#[derive(Debug)]
struct NotifySocket {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl ServiceNotifier {
    /// Reports `health` to the service manager, if one wants to know: it sets `NOTIFY_SOCKET`, and `WATCHDOG_USEC` if it
    /// restarts a program that hangs.
    pub(super) fn start(health: Health) -> anyhow::Result<Option<Self>> {
        let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let socket = NotifySocket::open(&name)
            .with_context(|| format!("NOTIFY_SOCKET: {}", name.display()))?;
        let watchdog = std::env::var("WATCHDOG_USEC").ok();
        let watchdog = watchdog.and_then(|text| text.parse().ok());
        // As often as systemd advises, so that a late message is no reason for a restart.
        let period = watchdog.map_or(PERIOD, |most| Duration::from_micros(most) / 2);
        let period = period.clamp(Duration::from_millis(10), PERIOD);
        let (stop, stopped) = mpsc::channel::<()>();
        let report = move || {
            let (mut was_ready, mut last) = (false, String::new());
            loop {
                let mut lines = Vec::new();
                let is_ready = was_ready || health.unready().is_none();
                if is_ready && !was_ready {
                    lines.push("READY=1".to_owned());
                }
                was_ready = is_ready;
                let hanging = health.hanging();
                if hanging.is_none() {
                    lines.push("WATCHDOG=1".to_owned());
                }
                let status = hanging.unwrap_or_else(|| health.summary());
                if status != last {
                    lines.push(format!("STATUS={status}"));
                    last = status;
                }
                socket.send(&lines.join("\n"));
                match stopped.recv_timeout(period) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => return socket.send("STOPPING=1\nSTATUS=ending"),
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("systemd".into())
            .spawn(report)
            .context("the system refuses a thread")?;
        Ok(Some(Self {
            stop: Some(stop),
            thread: Some(thread),
        }))
    }
}

impl Drop for ServiceNotifier {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has printed so.
            let _ = thread.join();
        }
    }
}

impl NotifySocket {
    fn open(name: &OsStr) -> std::io::Result<Self> {
        // A name that begins with @ is one without a file.
        let address = match name.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(name)?,
        };
        Ok(Self {
            socket: UnixDatagram::unbound()?,
            address,
        })
    }

    fn send(&self, message: &str) {
        if message.is_empty() {
            return;
        }
        let sent = self.socket.send_to_addr(message.as_bytes(), &self.address);
        if let Err(error) = sent {
            warn(
                "systemd",
                &format!("cannot reach the service manager: {error}"),
            );
        }
    }
}
