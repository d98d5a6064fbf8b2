//! Messages to the service manager that started the program, by systemd's protocol `sd_notify`: ready, what it does, alive.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
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
        let report = move || report(&socket, &health, period, &stopped);
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

/// Reports in each `period` what has changed and that the program is alive, until the sender of `stopped` is dropped. While a
/// worker hangs it does not say that the program is alive, so that the service manager restarts it.
fn report(socket: &NotifySocket, health: &Health, period: Duration, stopped: &Receiver<()>) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::health::tests::impatient;

    #[test]
    fn while_a_worker_hangs_the_service_manager_hears_why_and_not_that_the_program_is_alive() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).expect("a socket");
        let longest = Duration::from_secs(60);
        manager
            .set_read_timeout(Some(longest))
            .expect("a time is set");
        let next = || {
            let mut bytes = [0; 4096];
            let length = manager.recv(&mut bytes).expect("a message");
            String::from_utf8(bytes[..length].to_vec()).expect("text")
        };
        let (stream, activity, health) = impatient();
        let socket = NotifySocket::open(path.as_os_str()).expect("a socket");
        let (stop, stopped) = mpsc::channel();
        let (socket, health, period) = (&socket, &health, Duration::from_millis(10));
        std::thread::scope(|scope| {
            scope.spawn(move || report(socket, health, period, &stopped));
            assert!(next().contains("WATCHDOG=1"));
            let frame = activity.begin(&stream);
            // Messages that were sent before the frame began may still be read.
            let hanging = loop {
                let said = next();
                if !said.contains("WATCHDOG=1") {
                    break said;
                }
            };
            let expected = "STATUS=a worker has been busy with a frame of hall for ";
            assert!(hanging.starts_with(expected), "{hanging}");
            drop(frame);
            while !next().contains("WATCHDOG=1") {}
            drop(stop);
            while !next().contains("STOPPING=1") {}
        });
    }
}
