//! Addresses of objects, and of all objects whose keys have the same beginning.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `s3://BUCKET/KEY`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct S3Address {
    bucket: String,
    /// Without slashes at its beginning and its end; empty for the whole bucket.
    key: String,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct S3Object {
    /// Its address.
    pub address: S3Address,
    /// Size in bytes.
    pub size: u64,
    /// What changes with its content.
    pub validator: Option<String>,
}

impl S3Address {
    /// `None` if the text has another form.
    pub fn new(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        (scheme.eq_ignore_ascii_case("s3") && !bucket.is_empty()).then(|| Self {
            bucket: bucket.to_owned(),
            key: key.trim_matches('/').to_owned(),
        })
    }

    /// The bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The same bucket with another key.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self {
            bucket: self.bucket.clone(),
            key: key.to_owned(),
        }
    }

    /// The address of what has this path below this one.
    pub(crate) fn join(&self, path: &str) -> Self {
        match self.key.is_empty() {
            true => self.with_key(path),
            false => self.with_key(&format!("{}/{path}", self.key)),
        }
    }

    /// The path of this object below `root`; `None` if it is not below it.
    pub(crate) fn below(&self, root: &Self) -> Option<&str> {
        if self.bucket != root.bucket {
            return None;
        }
        match root.key.is_empty() {
            true => Some(&self.key),
            false => self.key.strip_prefix(&root.key)?.strip_prefix('/'),
        }
    }

    /// The address of the folder, as it were, that the object is in.
    pub(crate) fn folder(&self) -> Self {
        let folder = self.key.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.with_key(folder)
    }
}

impl fmt::Display for S3Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.key.is_empty() { "" } else { "/" };
        write!(f, "s3://{}{slash}{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> S3Address {
        S3Address::new(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn bucket_and_key_are_told_apart() {
        for (text, bucket, key, shown) in [
            ("s3://b/a/c.mp4", "b", "a/c.mp4", "s3://b/a/c.mp4"),
            ("S3://b/a/", "b", "a", "s3://b/a"),
            ("s3://b", "b", "", "s3://b"),
        ] {
            let found = address(text);
            assert_eq!((found.bucket(), found.key()), (bucket, key));
            assert_eq!(found.to_string(), shown);
        }
        for text in ["b/a", "s3:/b", "s3://", "s3:///a", "https://b/a"] {
            assert_eq!(S3Address::new(text), None, "{text}");
        }
    }

    #[test]
    fn a_path_below_an_address_is_joined_and_found_again() {
        for root in ["s3://b", "s3://b/talks"] {
            let clip = address(root).join("1/clip.mp4");
            assert_eq!(clip.below(&address(root)), Some("1/clip.mp4"));
            assert_eq!(clip.below(&clip.folder()), Some("clip.mp4"));
        }
        let clip = address("s3://b/talks/clip.mp4");
        for other in ["s3://c", "s3://b/talk", "s3://b/talks/clip.mp4"] {
            assert_eq!(clip.below(&address(other)), None, "{other}");
        }
    }
}
