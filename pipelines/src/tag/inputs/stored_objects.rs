//! Finds objects in a store.

use crate::tag::s3::{S3Address, S3Object, S3Stores};

/// The object at `address` and the address of its folder; or `address` itself and all objects below it.
///
/// # Errors
///
/// If the store does not answer.
pub(super) fn find(
    stores: &S3Stores,
    address: &S3Address,
) -> anyhow::Result<(S3Address, Vec<S3Object>)> {
    let store = stores.store(address)?;
    if !address.key().is_empty()
        && let Some(object) = store.find(address)?
    {
        return Ok((address.folder(), vec![object]));
    }
    Ok((address.clone(), store.list(address)?))
}

/// Whether a part of a path begins with a dot, as hidden files and folders do.
pub(super) fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('.'))
}
