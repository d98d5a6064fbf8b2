//! The stores of all buckets that were asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::address::S3Address;
use super::store::S3Store;

/// The stores of all buckets that were asked for.
#[derive(Debug, Default)]
pub(crate) struct S3Stores(Mutex<BTreeMap<String, Arc<S3Store>>>);

impl S3Stores {
    /// The store with the bucket of `address`. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// If the environment has wrong settings, or this build knows no object stores.
    pub(crate) fn store(&self, address: &S3Address) -> anyhow::Result<Arc<S3Store>> {
        let mut stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = address.bucket();
        if let Some(known) = stores.get(bucket) {
            return Ok(known.clone());
        }
        let store = Arc::new(S3Store::connect(bucket)?);
        stores.insert(bucket.to_owned(), store.clone());
        Ok(store)
    }
}
