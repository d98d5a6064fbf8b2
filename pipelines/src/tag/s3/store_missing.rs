//! What stands for a store in a build without the cargo feature `s3`.

use std::convert::Infallible;
use std::path::Path;

use anyhow::bail;

use super::address::{S3Address, S3Object};
use crate::runner::StopFlag;

/// A store, which no build without the cargo feature `s3` has.
#[derive(Debug)]
pub(crate) struct S3Store(Infallible);

impl S3Store {
    pub(crate) fn connect(_bucket: &str) -> anyhow::Result<Self> {
        bail!("this build knows no object stores: build it with the cargo feature s3")
    }

    pub(crate) fn list(&self, _below: &S3Address) -> anyhow::Result<Vec<S3Object>> {
        match self.0 {}
    }

    pub(crate) fn find(&self, _address: &S3Address) -> anyhow::Result<Option<S3Object>> {
        match self.0 {}
    }

    pub(crate) fn read(&self, _address: &S3Address) -> anyhow::Result<Option<Vec<u8>>> {
        match self.0 {}
    }

    pub(crate) fn download(
        &self,
        _object: &S3Object,
        _to: &Path,
        _stop: &StopFlag,
    ) -> anyhow::Result<bool> {
        match self.0 {}
    }

    pub(crate) fn upload(&self, _from: &Path, _to: &S3Address) -> anyhow::Result<()> {
        match self.0 {}
    }

    pub(crate) fn remove(&self, _address: &S3Address) -> anyhow::Result<()> {
        match self.0 {}
    }
}
