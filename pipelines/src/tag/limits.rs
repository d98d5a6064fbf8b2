//! What one file may take of the machine: time without progress, and memory.

use std::fmt;
use std::fs;
use std::str::FromStr;
use std::time::Duration;

/// The limits of one file; a worker process that exceeds one is killed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// How long nothing may be read, decoded or analysed.
    pub timeout: Duration,
    /// How much memory the process may have resident; `None` for any amount.
    pub memory: Option<MemorySize>,
}

impl Default for Limits {
    /// 10 seconds, and half of the machine's memory.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            memory: machine_memory().map(|MemorySize(bytes)| MemorySize(bytes / 2)),
        }
    }
}

/// An amount of memory in bytes, written as `500M` or `4G`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemorySize(pub u64);

/// The text is no amount of memory.
#[derive(Debug, thiserror::Error)]
#[error("expected a whole number with K, M, G or T behind it, such as 500M or 4G, found {0:?}")]
pub struct InvalidMemorySize(String);

/// Letter and number of bytes of each unit.
const UNITS: [(char, u64); 4] = [
    ('T', 1 << 40),
    ('G', 1 << 30),
    ('M', 1 << 20),
    ('K', 1 << 10),
];

impl FromStr for MemorySize {
    type Err = InvalidMemorySize;

    fn from_str(text: &str) -> Result<Self, InvalidMemorySize> {
        let parse = || {
            let unit = text.chars().last()?.to_ascii_uppercase();
            let (_, bytes) = UNITS.into_iter().find(|(letter, _)| *letter == unit)?;
            let number: u64 = text[..text.len() - 1].trim_end().parse().ok()?;
            number.checked_mul(bytes).filter(|size| *size > 0).map(Self)
        };
        parse().ok_or_else(|| InvalidMemorySize(text.to_owned()))
    }
}

impl fmt::Display for MemorySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = *self;
        let fits = |unit: &&(char, u64)| bytes >= unit.1;
        match UNITS.iter().find(fits) {
            Some((letter, unit)) => write!(f, "{:.1} {letter}iB", bytes as f64 / *unit as f64),
            None => write!(f, "{bytes} B"),
        }
    }
}

/// The memory that the process `id` has resident; `None` where the system does not tell or the process is gone.
pub(super) fn resident_memory(id: u32) -> Option<MemorySize> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    kibibytes(&status, "VmRSS:")
}

/// The memory of the machine, or of the container if that has less; `None` where the system does not tell.
fn machine_memory() -> Option<MemorySize> {
    let machine = kibibytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")?;
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let container = container.and_then(|text| text.trim().parse().ok());
    Some(container.map_or(machine, |bytes| machine.min(MemorySize(bytes))))
}

/// The value of a line such as `VmRSS:   1234 kB`.
fn kibibytes(text: &str, name: &str) -> Option<MemorySize> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(MemorySize(number << 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_of_memory_has_a_unit() {
        for (text, bytes) in [
            ("500M", 500 << 20),
            ("4G", 4 << 30),
            ("1 k", 1 << 10),
            ("2T", 2 << 40),
        ] {
            assert_eq!(text.parse::<MemorySize>().unwrap(), MemorySize(bytes));
        }
        for text in [
            "",
            "5",
            "G",
            "0G",
            "-1G",
            "1.5G",
            "4GB",
            "9999999999T",
            "4€",
        ] {
            let error = text.parse::<MemorySize>().unwrap_err().to_string();
            assert!(error.contains("500M or 4G"), "{text}: {error}");
        }
        assert_eq!(MemorySize(3 << 29).to_string(), "1.5 GiB");
        assert_eq!(MemorySize(7).to_string(), "7 B");
    }

    #[test]
    fn a_process_has_resident_memory_and_less_than_the_machine() {
        let own = resident_memory(std::process::id()).expect("Linux tells");
        assert!(own > MemorySize(1 << 20), "{own}");
        assert!(Some(own) < machine_memory(), "{own}");
        assert_eq!(resident_memory(u32::MAX), None);
    }
}
