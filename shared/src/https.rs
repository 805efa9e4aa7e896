//! The HTTP client under all that leaves a function: HTTP/1.1 over rustls with ring. The one that
//! the SDK has by itself also speaks HTTP/2 and to proxies, which a function has no use for and
//! would carry into every cold start.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector as Tcp};
use hyper_util::client::legacy::{self, Client, connect};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Trusts the certificate authorities of the machine, or those of `SSL_CERT_FILE`. Made once: to
/// read them takes longer than all else that a function does before its first request.
pub fn tls() -> Result<Arc<ClientConfig>, String> {
    static TLS: LazyLock<Result<Arc<ClientConfig>, String>> = LazyLock::new(|| {
        let mut roots = RootCertStore::empty();
        let native = rustls_native_certs::load_native_certs();
        let (trusted, _) = roots.add_parsable_certificates(native.certs);
        if trusted == 0 {
            let why: Vec<String> = native.errors.iter().map(ToString::to_string).collect();
            tracing::warn!(target: "kyc", why = why.join("; "), "no certificate authority found");
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS: {error}"))?;
        Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    });
    TLS.clone()
}

pub fn connector() -> Result<SharedHttpConnector, String> {
    let mut tcp = Tcp::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let https = HttpsConnector::from((tcp, tls()?));
    let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(https);
    Ok(SharedHttpConnector::new(Connector(client)))
}

/// For the SDK. Its time-outs are those of attempts and operations, which hold for connecting and
/// reading, too.
pub fn client(connector: SharedHttpConnector) -> SharedHttpClient {
    http_client_fn(move |_, _| connector.clone())
}

struct Connector(Client<HttpsConnector<Tcp>, SdkBody>);

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        let captured = connect::capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || metadata(&captured));
        }
        let answer = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(failed)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// By which the SDK gives up a connection that it had trouble with.
fn metadata(captured: &CaptureConnection) -> Option<ConnectionMetadata> {
    let is_there = captured.connection_metadata().is_some();
    let captured = captured.clone();
    let poison = move || {
        if let Some(connection) = captured.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    is_there.then(|| ConnectionMetadata::builder().proxied(false).poison_fn(poison).build())
}

/// What the SDK repeats: everything but what was wrong with the request itself.
fn failed(error: legacy::Error) -> ConnectorError {
    let source = error.source().and_then(|source| source.downcast_ref::<hyper::Error>());
    match source {
        Some(source) if source.is_user() => ConnectorError::user(error.into()),
        // The other side closed the connection in the middle of its answer.
        Some(source) if source.is_incomplete_message() => {
            ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
        }
        _ => ConnectorError::io(error.into()),
    }
}
