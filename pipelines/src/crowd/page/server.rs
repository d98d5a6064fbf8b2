//! Accepts connections and serves them, each within limits of time.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use super::connections::{Connection, ConnectionTable};
use crate::crowd::log::warn;
use crate::crowd::page_tls::TlsAcceptors;

/// How long a client may take for the head of a request, and how long a connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a client may take to agree on a key.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may read nothing of what is sent.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest head of a request in bytes.
const LONGEST_HEAD: usize = 16 * 1024;
/// The pause after the system refused a connection, which it does when open files run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);
/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;
/// The answer to a client that does not use TLS.
const NO_TLS: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n\
                      this port speaks TLS: use https://\n";

/// Serves connections without end.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<TlsAcceptors>>,
    router: Router,
    table: Arc<ConnectionTable>,
) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            // The client left before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => {
                warn("page", &format!("cannot accept a connection: {error}"));
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(connection) = table.admit(peer.ip().to_canonical()) else {
            warn("page", "all connections are in use, a new one was refused");
            continue;
        };
        let number = connection.number();
        let served = serve_connection(stream, tls.clone(), router.clone(), connection);
        // A client that breaks the rules or leaves is no event.
        let task = tokio::spawn(async move { served.await.unwrap_or_default() });
        table.set_task(number, task.abort_handle());
    }
}

async fn serve_connection(
    stream: TcpStream,
    tls: Option<Arc<TlsAcceptors>>,
    router: Router,
    connection: Arc<Connection>,
) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let Some(tls) = tls else {
        return serve_requests(with_timeout(stream), router, connection).await;
    };
    let handshake = async {
        let mut first = [0];
        stream.peek(&mut first).await?;
        let mut stream = with_timeout(stream);
        if first != [TLS_HANDSHAKE] {
            // What is not read resets the connection, and the answer with it.
            if stream.read(&mut [0; 1024]).await? > 0 {
                stream.write_all(NO_TLS.as_bytes()).await?;
                stream.shutdown().await?;
            }
            anyhow::bail!("no TLS");
        }
        anyhow::Ok(tls.current().accept(stream).await?)
    };
    let stream = timeout(HANDSHAKE_TIMEOUT, handshake).await??;
    serve_requests(stream, router, connection).await
}

/// `stream`, which fails when the client reads nothing for some time.
fn with_timeout(stream: TcpStream) -> std::pin::Pin<Box<TimeoutStream<TcpStream>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    Box::pin(stream)
}

async fn serve_requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    connection: Arc<Connection>,
) -> anyhow::Result<()> {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (router, connection) = (router.clone(), connection.clone());
        async move {
            sleep(connection.pause(Instant::now())).await;
            request
                .extensions_mut()
                .insert(ConnectInfo(connection.peer));
            request.extensions_mut().insert(connection);
            router.call(request.map(Body::new)).await
        }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await?;
    Ok(())
}
