//! Parts of an archive, or of many cameras, for several machines.

use std::fmt;
use std::num::NonZeroU32;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use twox_hash::XxHash64;

/// One of the parts into which files or cameras are divided, such as `3/10`.
///
/// A file belongs to the part that a hash of its path below the root gives, a camera to that of its name. So it is always the
/// same part, whatever others there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// From 1 to `of`.
    number: NonZeroU32,
    /// Number of parts.
    of: NonZeroU32,
}

/// The text names no part.
#[derive(Debug, thiserror::Error)]
#[error("expected a part and the number of parts, such as 1/4 to 4/4, found {0:?}")]
pub struct InvalidShard(String);

impl Shard {
    /// From 1 to [`Shard::of`].
    pub fn number(self) -> u32 {
        self.number.get()
    }

    /// The number of parts.
    pub fn of(self) -> u32 {
        self.of.get()
    }

    /// The name of its work folder and in that of its manifest, such as `3-of-10`.
    pub(crate) fn file_name(self) -> String {
        format!("{}-of-{}", self.number, self.of)
    }

    /// All parts of as many as there are of this one.
    pub fn all(self) -> impl Iterator<Item = Self> {
        let numbers = (1..=self.of()).filter_map(NonZeroU32::new);
        numbers.map(move |number| Self { number, ..self })
    }

    /// Whether the file with this path below the root, or the camera of this name, belongs to this part.
    pub fn contains(self, name: &Path) -> bool {
        let hash = XxHash64::oneshot(0, name.as_os_str().as_bytes());
        hash % u64::from(self.of()) == u64::from(self.number() - 1)
    }
}

impl FromStr for Shard {
    type Err = InvalidShard;

    fn from_str(text: &str) -> Result<Self, InvalidShard> {
        let parse = || {
            let (number, of) = text.split_once('/')?;
            let shard = Self {
                number: number.parse().ok()?,
                of: of.parse().ok()?,
            };
            (shard.number <= shard.of).then_some(shard)
        };
        parse().ok_or_else(|| InvalidShard(text.to_owned()))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl Serialize for Shard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(text: &str) -> Shard {
        text.parse().unwrap()
    }

    #[test]
    fn each_file_belongs_to_one_part_and_the_parts_are_about_equal() {
        let mut counts = [0; 4];
        for number in 0..4000 {
            let name = format!("talks/{number}.mp4");
            let parts: Vec<_> = shard("1/4")
                .all()
                .filter(|shard| shard.contains(Path::new(&name)))
                .collect();
            let [part] = parts[..] else {
                panic!("{name}: {parts:?}");
            };
            counts[part.number() as usize - 1] += 1;
        }
        assert!(
            counts.iter().all(|count| (900..1100).contains(count)),
            "{counts:?}"
        );
    }

    /// Other releases have to find the same part.
    #[test]
    fn the_part_of_a_file_never_changes() {
        let part = |name: &str| {
            let mut all = shard("1/10").all();
            all.find(|shard| shard.contains(Path::new(name)))
        };
        let parts = ["a.mp4", "a/b.mp4", "talks/ü.mov"].map(|name| part(name).unwrap().number());
        assert_eq!(parts, [7, 1, 4]);
    }

    #[test]
    fn a_part_is_printed_as_it_is_written_and_others_are_rejected() {
        assert_eq!(shard("3/10").to_string(), "3/10");
        for text in ["", "3", "0/4", "5/4", "1/0", "-1/4", "1/4/4", "a/b"] {
            let error = text.parse::<Shard>().unwrap_err().to_string();
            assert!(error.contains("1/4 to 4/4"), "{text}: {error}");
        }
    }
}
