//! The HTTP client under all that leaves a function: HTTP/1.1 over rustls with ring. The one that
//! the SDK has by itself also speaks HTTP/2 and to proxies, which a function has no use for and
//! would carry into every cold start.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use std::{env, fmt, iter};

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector as Tcp};
use hyper_util::client::legacy::{self, Client, connect};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Trusts the certificate authorities of the machine, or those of `SSL_CERT_FILE`. Made once, and
/// only where something is called.
pub fn tls() -> Result<Arc<ClientConfig>, String> {
    static TLS: LazyLock<Result<Arc<ClientConfig>, String>> = LazyLock::new(|| {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS: {error}"))?;
        Ok(Arc::new(config.with_root_certificates(authorities()).with_no_client_auth()))
    });
    TLS.clone()
}

/// From the bundle of the machine, where it has one. `rustls_native_certs` reads the folder beside
/// it, too, where Lambda's image has the same once more, and decodes in constant time, as if
/// they were secrets: that was more than anything else in a cold start.
fn authorities() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let is_folder_named = env::var_os("SSL_CERT_DIR").is_some();
    let bundle = env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let bundle = bundle.or_else(|| openssl_probe::probe().cert_file);
    let file = bundle.filter(|_| !is_folder_named).and_then(|path| File::open(path).ok());
    roots.add_parsable_certificates(file.map(BufReader::new).into_iter().flat_map(certificates));
    if roots.is_empty() {
        let native = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(native.certs);
        if roots.is_empty() {
            let why: Vec<String> = native.errors.iter().map(ToString::to_string).collect();
            tracing::warn!(target: "kyc", why = why.join("; "), "no certificate authority found");
        }
    }
    roots
}

/// Those of a file in PEM, one at a time; what does not read as one is left out.
fn certificates(mut pem: impl BufRead) -> impl Iterator<Item = CertificateDer<'static>> {
    let (mut line, mut text, mut is_inside) = (Vec::new(), Vec::new(), false);
    iter::from_fn(move || {
        loop {
            line.clear();
            if pem.read_until(b'\n', &mut line).ok()? == 0 {
                return None;
            }
            match line.trim_ascii() {
                b"-----BEGIN CERTIFICATE-----" => {
                    text.clear();
                    is_inside = true;
                }
                b"-----END CERTIFICATE-----" if is_inside => {
                    is_inside = false;
                    if let Ok(der) = STANDARD.decode(&text) {
                        return Some(CertificateDer::from(der));
                    }
                }
                line if is_inside => text.extend_from_slice(line),
                _ => {}
            }
        }
    })
}

/// The connector is made when it is first used: some functions never do.
pub fn connector() -> SharedHttpConnector {
    SharedHttpConnector::new(Connector(LazyLock::new(https)))
}

fn https() -> Result<Https, String> {
    let mut tcp = Tcp::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let https = HttpsConnector::from((tcp, tls()?));
    Ok(Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(https))
}

/// For the SDK. Its time-outs are those of attempts and operations, which hold for connecting and
/// reading, too.
pub fn client(connector: SharedHttpConnector) -> SharedHttpClient {
    http_client_fn(move |_, _| connector.clone())
}

type Https = Client<HttpsConnector<Tcp>, SdkBody>;

struct Connector(LazyLock<Result<Https, String>>);

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let https = match &*self.0 {
            Ok(https) => https,
            Err(why) => {
                let error = ConnectorError::other(why.clone().into(), None);
                return HttpConnectorFuture::ready(Err(error));
            }
        };
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
        let answer = https.request(request);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_bundle_holds_what_others_read_from_it() {
        let Some(path) = openssl_probe::probe().cert_file else { return };
        let Ok(file) = File::open(&path) else { return };
        let read = certificates(BufReader::new(file));
        let ours: BTreeSet<Vec<u8>> = read.map(|one| one.to_vec()).collect();
        let theirs = rustls_native_certs::load_certs_from_paths(Some(&path), None).certs;
        assert!(!theirs.is_empty());
        assert_eq!(ours, theirs.iter().map(|one| one.to_vec()).collect());
    }

    #[test]
    fn what_is_no_certificate_is_left_out() {
        let of =
            |text: &str| certificates(text.as_bytes()).map(|one| one.to_vec()).collect::<Vec<_>>();
        let block = |body: &str| {
            format!("-----BEGIN CERTIFICATE-----\r\n{body}\n-----END CERTIFICATE-----\n")
        };
        let good = block("AQ\r\nID");
        let texts = format!("# a comment\n{good}{}{good}AQID\n", block("!"));
        assert_eq!(of(&texts), [[1, 2, 3], [1, 2, 3]]);
        assert!(of(&good.replace("CERTIFICATE", "TRUSTED CERTIFICATE")).is_empty());
        assert_eq!(of(&format!("-----BEGIN CERTIFICATE-----\nAQ\n{good}")), [[1, 2, 3]]);
        assert!(of("-----BEGIN CERTIFICATE-----\nAQID\n").is_empty());
        assert!(of("").is_empty());
    }
}
