//! The status of a stream: what the page, metrics and messages show of it.

use std::time::{Duration, Instant};

use gstemotion::face::Face;

use crate::crowd::history::EmotionHistory;
use crate::crowd::outage::Outage;
use crate::crowd::outputs::StatusReport;
use crate::crowd::picture_check::PictureProblem;

/// The state of the connection of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum ConnectionState {
    /// It is being opened.
    #[default]
    Opening,
    /// Frames arrive.
    Playing,
    /// It failed for this reason and will be opened again.
    Waiting(String),
    /// It reached its end.
    Ended,
    /// It failed for this reason and will not be opened again.
    Failed(String),
}

/// The current status of a stream.
#[derive(Debug, Default)]
pub(crate) struct StreamStatus {
    pub(crate) connection: ConnectionState,
    /// What is wrong with its pictures.
    pub(crate) picture: Option<PictureProblem>,
    /// `None` while frames arrive.
    pub(crate) outage: Option<Outage>,
    /// The faces of the last analysed frame.
    pub(crate) faces: Vec<Face>,
    /// Width and height of a frame in pixels.
    pub(crate) size: (u32, u32),
    /// The time from the arrival of the last frame to its results.
    pub(crate) latency: Duration,
    pub(crate) history: EmotionHistory,
    /// When the last results came.
    pub(crate) analysed: Option<Instant>,
    /// When the last frame arrived since the stream was opened.
    pub(super) last_frame: Option<Instant>,
}

impl ConnectionState {
    /// Its name in the API and in messages.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Playing => "playing",
            Self::Waiting(_) => "waiting",
            Self::Ended => "ended",
            Self::Failed(_) => "failed",
        }
    }

    /// Why no frames arrive, if it failed.
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Waiting(reason) | Self::Failed(reason) => Some(reason),
            _ => None,
        }
    }
}

impl StreamStatus {
    /// What is reported of it.
    pub(super) fn report(&self) -> StatusReport {
        StatusReport {
            status: self.connection.name(),
            reason: self.connection.reason().map(str::to_owned),
            picture: self.picture.map(PictureProblem::name),
        }
    }
}
