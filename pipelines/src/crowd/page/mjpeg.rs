//! Live pictures as one endless response: JPEGs in a multipart body (MJPEG), which browsers show in an `<img>`.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::WatchStream;

use crate::crowd::stream::Stream;

const CONTENT_TYPE: &str = "multipart/x-mixed-replace; boundary=picture";

/// The pictures of `stream` from now on. A slow client gets fewer of them, always the newest.
pub(super) fn pictures(stream: &Stream) -> Response {
    let pictures = WatchStream::from_changes(stream.picture.subscribe());
    let parts = pictures.map(|picture| Ok::<_, Infallible>(part(&picture)));
    (
        [(header::CONTENT_TYPE, CONTENT_TYPE)],
        Body::from_stream(parts),
    )
        .into_response()
}

/// One picture, with the boundary at its end, because a browser shows a picture only when it has received what follows.
fn part(picture: &[u8]) -> Bytes {
    let mut part = format!(
        "--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
        picture.len()
    )
    .into_bytes();
    part.extend_from_slice(picture);
    part.extend_from_slice(b"\r\n--picture\r\n");
    part.into()
}
