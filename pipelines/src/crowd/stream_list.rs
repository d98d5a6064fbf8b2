//! The streams that there are at the moment.

use std::sync::{Arc, PoisonError, RwLock};

use super::stream::Stream;

/// The streams in the order of the settings. Streams come and go while the program runs.
#[derive(Debug, Default)]
pub(super) struct StreamList(RwLock<Vec<Arc<Stream>>>);

impl StreamList {
    /// The streams now.
    pub(super) fn all(&self) -> Vec<Arc<Stream>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Replaces all streams.
    pub(super) fn set(&self, streams: Vec<Arc<Stream>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = streams;
    }
}
