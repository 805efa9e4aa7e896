//! Serves HTTP on a port of the local cloud. Every port has the same time limits, so that idle and
//! slow callers cannot exhaust the connections of the server.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::StatusCode;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Time limit for the head of a request, and again for its body. The limit for the head starts when
/// the connection opens or the previous answer ends, so it also ends idle connections.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause after a connection could not be accepted, for example because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Time that running requests have to finish after the server stops accepting connections.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Answers requests until `stop` resolves. Then waits up to [`STOP_TIMEOUT`] for running requests.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send,
) {
    let (stopping, _) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (router, stopping) = (router.clone(), stopping.subscribe());
                    connections.spawn(serve_connection(stream, router, stopping));
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            // Removes connections that have ended.
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    stopping.send_replace(());
    let _ = timeout(STOP_TIMEOUT, async { while connections.join_next().await.is_some() {} }).await;
}

/// Answers the requests of one connection. Errors concern only this caller and are ignored.
async fn serve_connection(stream: TcpStream, router: Router, mut stopping: watch::Receiver<()>) {
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_TIMEOUT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopping.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Reads the body of a request. The connection closes after an answer to an incomplete body.
///
/// # Errors
/// Returns the status of the answer: 408 if the caller does not send the body within
/// [`REQUEST_TIMEOUT`], or 413 if the body has more than `limit` bytes or cannot be read.
pub(crate) async fn read_body(body: Body, limit: usize) -> Result<Bytes, StatusCode> {
    match timeout(REQUEST_TIMEOUT, to_bytes(body, limit)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}
