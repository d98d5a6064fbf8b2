//! A mosquitto for one test, on a free port of this machine, and a client that listens to it.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

use crate::{PATIENCE, free_port};

/// A running broker; dropping it stops it.
pub struct Mosquitto {
    folder: tempfile::TempDir,
    /// The port that it listens on.
    pub port: u16,
    process: Option<Child>,
}

impl Mosquitto {
    /// Starts a broker with these lines in addition to its basic configuration.
    ///
    /// # Panics
    ///
    /// When mosquitto is not installed or does not start.
    pub fn start(configuration: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let text = format!(
            "listener {port} 127.0.0.1\npersistence true\npersistence_location {}/\nuser root\n{configuration}\n",
            folder.path().display()
        );
        fs::write(folder.path().join("mosquitto.conf"), text).unwrap();
        let mut broker = Self {
            folder,
            port,
            process: None,
        };
        broker.resume();
        broker
    }

    /// Starts it again after [`stop`](Self::stop).
    ///
    /// # Panics
    ///
    /// When mosquitto is not installed or does not start.
    pub fn resume(&mut self) {
        // Debian installs it where only the path of root leads.
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let mut process = Command::new("mosquitto")
            .env("PATH", path)
            .arg("-c")
            .arg(self.folder.path().join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto is installed (Debian: mosquitto)");
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(process.try_wait().unwrap().is_none(), "mosquitto ended");
            assert!(Instant::now() < deadline, "mosquitto does not listen");
            std::thread::yield_now();
        }
        self.process = Some(process);
    }

    /// Stops it gracefully, so that it keeps its sessions.
    ///
    /// # Panics
    ///
    /// When it cannot be ended.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let ended = Command::new("kill")
                .arg(process.id().to_string())
                .status()
                .unwrap();
            assert!(ended.success());
            process.wait().unwrap();
        }
    }

    /// The folder with its configuration and its sessions.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The payloads on `topic` from now on, including those from while the broker was stopped.
    ///
    /// # Panics
    ///
    /// When the broker does not accept the subscription.
    pub fn listen(&self, topic: &str) -> Receiver<Vec<u8>> {
        // The broker ends an older connection of the same name.
        static LISTENERS: AtomicUsize = AtomicUsize::new(0);
        let name = format!("listener-{}", LISTENERS.fetch_add(1, Ordering::Relaxed));
        let mut options = MqttOptions::new(name, "127.0.0.1", self.port);
        options.set_clean_session(false);
        options.set_credentials("anna", "secret");
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut connection) = Client::new(options, 8);
        client.subscribe(topic, QoS::AtLeastOnce).unwrap();
        let (payloads, receiver) = channel();
        let (subscribed, is_subscribed) = channel();
        std::thread::spawn(move || {
            let _client = client;
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::SubAck(_))) => {
                        let _ = subscribed.send(());
                    }
                    Ok(Event::Incoming(Packet::Publish(publish)))
                        if payloads.send(publish.payload.to_vec()).is_err() =>
                    {
                        return;
                    }
                    _ => {}
                }
            }
        });
        is_subscribed.recv_timeout(PATIENCE).unwrap();
        receiver
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.stop();
    }
}
