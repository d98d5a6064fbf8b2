//! What a request shows about who sends it, and the checks of tokens, for the page and the API.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many tokens are compared at a time.
pub(super) const CHECKS: usize = 16;

/// The value of a header, if it is text.
pub(super) fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The token in the header for it.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    text(headers, header::AUTHORIZATION)?.strip_prefix("Bearer ")
}

/// Whether a request comes from this page, or from no page at all: the host of its origin is the one that it was sent to.
pub(super) fn is_own_origin(headers: &HeaderMap) -> bool {
    if !headers.contains_key(header::ORIGIN) {
        return true;
    }
    let origin = text(headers, header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, host)| text(headers, header::HOST) == Some(host))
}

/// Makes guesses slow: a token is compared only by one of a few checks at a time, and a wrong one keeps its check busy for
/// a while. So a guess costs time also for a client that does not wait for the answer, and nobody is locked out: a right
/// token waits for its turn only.
#[derive(Debug)]
pub(super) struct TokenChecks {
    places: Arc<Semaphore>,
    /// How long a wrong token keeps its check busy, and its client waiting.
    pause: Duration,
}

/// The comparison of a token.
#[derive(Debug)]
pub(super) struct TokenCheck {
    /// `None` for a client that need not wait when all are busy.
    place: Option<OwnedSemaphorePermit>,
    pause: Duration,
}

impl TokenChecks {
    /// Checks that a wrong token keeps busy for `pause`.
    pub(super) fn new(pause: Duration) -> Self {
        Self {
            places: Arc::new(Semaphore::new(CHECKS)),
            pause,
        }
    }

    /// Waits for a check. A client that `had_access` need not wait for those that guess.
    pub(super) async fn begin(&self, had_access: bool) -> TokenCheck {
        let places = self.places.clone();
        TokenCheck {
            place: match had_access {
                true => places.try_acquire_owned().ok(),
                false => places.acquire_owned().await.ok(),
            },
            pause: self.pause,
        }
    }
}

impl TokenCheck {
    /// The token was wrong.
    pub(super) async fn fail(self) {
        let Self { place, pause } = self;
        // Goes on if the client leaves.
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            drop(place);
        });
        tokio::time::sleep(pause).await;
    }
}
