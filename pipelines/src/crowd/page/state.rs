//! What the answers of the page are made from.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::crowd::config::PictureMode;
use crate::crowd::health::Health;
use crate::crowd::metrics::Metrics;
use crate::crowd::stream::Stream;
use crate::crowd::stream_list::StreamList;

/// What all requests share.
pub(super) struct PageState {
    pub(super) streams: Arc<StreamList>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) health: Health,
    pub(super) pictures: PictureMode,
    /// Where the page listens.
    pub(super) address: SocketAddr,
    pub(super) is_encrypted: bool,
    /// Whether visitors need a token.
    pub(super) has_login: bool,
    /// The places for viewers.
    pub(super) viewers: Arc<Semaphore>,
}

impl PageState {
    /// The streams now.
    pub(super) fn streams(&self) -> Vec<Arc<Stream>> {
        self.streams.all()
    }

    /// The scheme of the page's address.
    pub(super) fn scheme(&self) -> &'static str {
        match self.is_encrypted {
            true => "https",
            false => "http",
        }
    }

    /// Host and port of the page's address, as far as this computer knows them.
    pub(super) fn host(&self) -> String {
        match self.address.ip().is_unspecified() {
            true => format!("THIS_COMPUTER:{}", self.address.port()),
            false => self.address.to_string(),
        }
    }
}

/// An answer in JSON.
pub(super) fn as_json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
