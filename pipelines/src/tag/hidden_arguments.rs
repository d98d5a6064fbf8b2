//! Keeps logins and signatures of addresses on the command line out of the list of processes.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::inputs::remote_url::without_secrets;

/// The environment variable with the whole addresses, which only the user of this process can read.
pub(super) const VARIABLE: &str = "EMOTION_TAG_ADDRESSES";

/// The arguments of this process.
///
/// The system shows them to everybody. If an address among them has a login or a query, the process starts itself again,
/// under the same id and with addresses as they are shown, and then gets the whole ones from its environment.
///
/// # Errors
///
/// If it cannot start itself again.
pub fn arguments() -> io::Result<Vec<OsString>> {
    let arguments: Vec<_> = env::args_os().collect();
    if let Ok(addresses) = env::var(VARIABLE) {
        let addresses: Vec<(usize, String)> = serde_json::from_str(&addresses)?;
        return Ok(revealed(arguments, addresses));
    }
    let (shown, hidden) = hidden(&arguments);
    if hidden.is_empty() {
        return Ok(arguments);
    }
    let mut again = Command::new(env::current_exe()?);
    if let Some((name, rest)) = shown.split_first() {
        again.arg0(name).args(rest);
    }
    Err(again.env(VARIABLE, serde_json::to_string(&hidden)?).exec())
}

/// The arguments as they may be shown, and the whole addresses with their positions.
fn hidden(arguments: &[OsString]) -> (Vec<OsString>, Vec<(usize, String)>) {
    let mut hidden = Vec::new();
    let shown = arguments.iter().enumerate().map(|(index, argument)| {
        let whole = argument.to_str().unwrap_or_default();
        let shown = without_secrets(whole);
        if shown == whole {
            return argument.clone();
        }
        hidden.push((index, whole.to_owned()));
        OsString::from(shown)
    });
    (shown.collect(), hidden)
}

fn revealed(mut arguments: Vec<OsString>, addresses: Vec<(usize, String)>) -> Vec<OsString> {
    for (index, address) in addresses {
        if let Some(argument) = arguments.get_mut(index) {
            *argument = address.into();
        }
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_with_secrets_are_hidden_and_come_back() {
        let whole = [
            "emotion-tag",
            "--out",
            "o",
            "https://me:pass@host/a.mp4?sig=1",
            "https://host/b.mp4",
            "--root=https://me:pass@host",
        ];
        let arguments = whole.map(OsString::from).to_vec();
        let (shown, hidden) = hidden(&arguments);
        assert_eq!(shown[3], "https://host/a.mp4");
        assert_eq!(shown[5], "--root=https://host");
        assert_eq!(hidden.len(), 2);
        assert_eq!(revealed(shown, hidden), arguments);
    }
}
