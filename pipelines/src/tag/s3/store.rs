//! One bucket of a store.

use std::fs::File;
use std::io::{Read, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path as Key;
use object_store::{
    ClientConfigKey, Error, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _,
    RetryConfig,
};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_stream::StreamExt as _;

use super::address::{S3Address, S3Object};
use super::failure::explained;
use crate::runner::StopFlag;

/// The size of a part that is read or written at once, in bytes; a store takes no smaller ones but the last.
const PART: u64 = 8 << 20;
/// How many parts are read at the same time.
const PARTS_AT_ONCE: u64 = 4;
/// How long the store may take for a part, and to be connected.
const REQUEST_TIMEOUT: &str = "60s";
const CONNECT_TIMEOUT: &str = "5s";
/// How often a request is sent again that failed by no fault of its own, and for how long.
const MOST_RETRIES: usize = 4;
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);

/// One bucket of a store.
#[derive(Debug)]
pub(crate) struct S3Store {
    runtime: Runtime,
    store: Arc<dyn ObjectStore>,
}

impl S3Store {
    /// The bucket in the store that the environment names. Nothing is asked yet.
    pub(crate) fn connect(bucket: &str) -> anyhow::Result<Self> {
        // Has no effect where the program has chosen one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("the system refuses an event loop for the object store")?;
        let is_plain = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]
            .iter()
            .filter_map(|name| std::env::var(name).ok())
            .any(|endpoint| endpoint.starts_with("http://"));
        let retry = RetryConfig {
            max_retries: MOST_RETRIES,
            retry_timeout: RETRY_TIMEOUT,
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_config(timeout(ClientConfigKey::Timeout), REQUEST_TIMEOUT)
            .with_config(timeout(ClientConfigKey::ConnectTimeout), CONNECT_TIMEOUT)
            .with_retry(retry);
        if is_plain {
            builder = builder.with_allow_http(true);
        }
        let store = builder.build();
        let store = store.map_err(|error| explained(&format!("s3://{bucket}"), &error))?;
        Ok(Self {
            runtime,
            store: Arc::new(store),
        })
    }

    /// All objects below `below`, by key.
    pub(crate) fn list(&self, below: &S3Address) -> anyhow::Result<Vec<S3Object>> {
        let prefix = key(below)?;
        let mut found = self.runtime.block_on(async {
            let mut listed = self.store.list(Some(&prefix));
            let mut found = Vec::new();
            while let Some(object) = listed.next().await {
                let object = object.map_err(|error| explained(&below.to_string(), &error))?;
                found.push(described(below, object));
            }
            anyhow::Ok(found)
        })?;
        found.sort_by(|a, b| a.address.key().cmp(b.address.key()));
        Ok(found)
    }

    /// The object at `address`, if there is one.
    pub(crate) fn find(&self, address: &S3Address) -> anyhow::Result<Option<S3Object>> {
        let key = key(address)?;
        match self.runtime.block_on(self.store.head(&key)) {
            Ok(found) => Ok(Some(described(address, found))),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(explained(&address.to_string(), &error)),
        }
    }

    /// The content of a small object, if there is one at `address`.
    pub(crate) fn read(&self, address: &S3Address) -> anyhow::Result<Option<Vec<u8>>> {
        let key = key(address)?;
        let read = async { self.store.get(&key).await?.bytes().await };
        match self.runtime.block_on(read) {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(explained(&address.to_string(), &error)),
        }
    }

    /// Writes the content of `object`, read in ranges, to the file `to`. Returns false if `stop` was set before its end.
    pub(crate) fn download(
        &self,
        object: &S3Object,
        to: &Path,
        stop: &StopFlag,
    ) -> anyhow::Result<bool> {
        let key = key(&object.address)?;
        let mut file = File::create(to)?;
        let mut at = 0;
        while at < object.size {
            if stop.is_set() {
                return Ok(false);
            }
            let end = object.size.min(at + PART * PARTS_AT_ONCE);
            let parts = self
                .runtime
                .block_on(self.read_parts(&key, object, at..end));
            for part in parts.map_err(|error| explained(&object.address.to_string(), &error))? {
                file.write_all(&part)?;
            }
            at = end;
        }
        Ok(true)
    }

    /// The parts of `object` in `range`, read at the same time, all of the same version.
    async fn read_parts(
        &self,
        key: &Key,
        object: &S3Object,
        range: std::ops::Range<u64>,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let mut reading = JoinSet::new();
        for (number, start) in range.clone().step_by(PART as usize).enumerate() {
            let (store, key) = (self.store.clone(), key.clone());
            let options = GetOptions {
                range: Some(GetRange::Bounded(start..range.end.min(start + PART))),
                if_match: object.validator.clone(),
                ..GetOptions::default()
            };
            reading.spawn(async move {
                let part = store.get_opts(&key, options).await?.bytes().await?;
                Ok::<_, Error>((number, part.to_vec()))
            });
        }
        let mut parts = Vec::new();
        while let Some(read) = reading.join_next().await {
            parts.push(read??);
        }
        parts.sort_by_key(|(number, _)| *number);
        Ok(parts.into_iter().map(|(_, part)| part).collect())
    }

    /// Writes the content of the file `from` to `to`, where it appears whole.
    pub(crate) fn upload(&self, from: &Path, to: &S3Address) -> anyhow::Result<()> {
        let key = key(to)?;
        let failed = |error: Error| explained(&to.to_string(), &error);
        let mut file = File::open(from)?;
        let size = file.metadata()?.len();
        if size <= PART {
            let mut content = Vec::new();
            file.read_to_end(&mut content)?;
            let put = self.store.put(&key, content.into());
            return self.runtime.block_on(put).map(drop).map_err(failed);
        }
        self.runtime.block_on(async {
            let mut upload = self.store.put_multipart(&key).await.map_err(failed)?;
            let mut parts = async || {
                loop {
                    let mut part = Vec::new();
                    Read::take(&mut file, PART).read_to_end(&mut part)?;
                    if part.is_empty() {
                        break;
                    }
                    upload.put_part(part.into()).await.map_err(failed)?;
                }
                anyhow::Ok(())
            };
            let written = parts().await;
            if let Err(error) = written {
                // The store keeps what was begun until somebody says that it is not needed.
                let _ = upload.abort().await;
                return Err(error);
            }
            upload.complete().await.map(drop).map_err(failed)
        })
    }

    /// Removes the object at `address`, if there is one.
    pub(crate) fn remove(&self, address: &S3Address) -> anyhow::Result<()> {
        let key = key(address)?;
        match self.runtime.block_on(self.store.delete(&key)) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(explained(&address.to_string(), &error)),
        }
    }
}

fn timeout(key: ClientConfigKey) -> AmazonS3ConfigKey {
    AmazonS3ConfigKey::Client(key)
}

fn key(address: &S3Address) -> anyhow::Result<Key> {
    Key::parse(address.key()).map_err(|error| explained(&address.to_string(), &error.into()))
}

/// The object in the bucket of `of`.
fn described(of: &S3Address, object: ObjectMeta) -> S3Object {
    S3Object {
        address: of.with_key(object.location.as_ref()),
        size: object.size,
        validator: object.e_tag,
    }
}
