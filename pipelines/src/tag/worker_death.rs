//! How a worker process ended, in words.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use signal_hook::consts::SIGKILL;

/// How a process ended.
pub(super) struct Death {
    /// What follows the name of the process, and the last line that it printed.
    pub(super) how: String,
    /// Whether it was killed, as the system does when memory runs out.
    pub(super) was_killed: bool,
}

impl Death {
    /// `said` is appended to the reason.
    pub(super) fn new(status: io::Result<ExitStatus>, said: &str) -> Self {
        match status {
            Ok(status) => Self {
                how: format!("{}{said}", described(status)),
                was_killed: status.signal() == Some(SIGKILL),
            },
            Err(error) => Self {
                how: format!("is lost: {error}"),
                was_killed: false,
            },
        }
    }
}

fn described(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(SIGKILL), _) => "was killed (SIGKILL), as happens when memory runs out".into(),
        (Some(signal), _) => {
            let name = signal_hook::low_level::signal_name(signal);
            let name = name.map_or(format!("signal {signal}"), str::to_owned);
            format!("crashed ({name})")
        }
        (None, Some(code)) => format!("ended with exit status {code}"),
        (None, None) => "ended".into(),
    }
}
