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
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Trusts the certificate authorities of the machine, or those of `SSL_CERT_FILE`.
pub fn tls() -> Result<Arc<ClientConfig>, String> {
    static TLS: LazyLock<Result<Arc<ClientConfig>, String>> = LazyLock::new(|| {
        let config = ClientConfig::builder_with_provider(PROVIDER.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS: {error}"))?;
        let verifier = Arc::new(Verifier);
        // "Dangerous" is what rustls calls every verifier that is not given to it with its authorities.
        let config = config.dangerous().with_custom_certificate_verifier(verifier);
        Ok(Arc::new(config.with_no_client_auth()))
    });
    TLS.clone()
}

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(ring::default_provider()));

static TRUSTED: LazyLock<Result<Arc<WebPkiServerVerifier>, String>> = LazyLock::new(|| {
    let roots = Arc::new(authorities());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, PROVIDER.clone()).build();
    verifier.map_err(|error| format!("nobody is trusted: {error}"))
});

/// Reads the certificate authorities, so that they are there when a certificate is to be verified.
pub(crate) fn read_authorities() {
    LazyLock::force(&TRUSTED);
}

/// What rustls does by itself. It is asked with the server's answer, not when the client is made: until
/// then another thread can read the authorities.
#[derive(Debug)]
struct Verifier;

impl Verifier {
    fn trusted() -> Result<&'static WebPkiServerVerifier, rustls::Error> {
        TRUSTED.as_deref().map_err(|why| rustls::Error::General(why.clone()))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let trusted = Verifier::trusted()?;
        trusted.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Verifier::trusted()?.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Verifier::trusted()?.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER.signature_verification_algorithms.supported_schemes()
    }
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

    /// Of `nobody.example`, valid until 2126, signed by itself: whoever has its key is nobody's authority.
    const SELF_SIGNED: &str = "-----BEGIN CERTIFICATE-----
MIIBoTCCAUegAwIBAgIUEh6SIz7GEQJWTfWafakIa6/QvdAwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwObm9ib2R5LmV4YW1wbGUwIBcNMjYxMTI3MDgwMTM1WhgPMjEy
NjExMDMwODAxMzVaMBkxFzAVBgNVBAMMDm5vYm9keS5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEhstRDsKuLvM5G63jvz356Ia/czBX81SlGcEwKYJF
0mc2bFhhC/+/Zwp0zgO3FcQ+Tl6teYSQdCzd2N9KxcQZp6NrMGkwHQYDVR0OBBYE
FK5oblIL2TSe0vw8TinqWyUYgYYUMB8GA1UdIwQYMBaAFK5oblIL2TSe0vw8Tinq
WyUYgYYUMBkGA1UdEQQSMBCCDm5vYm9keS5leGFtcGxlMAwGA1UdEwEB/wQCMAAw
CgYIKoZIzj0EAwIDSAAwRQIgcrZnek5q373dEaLn6Hx05t/gemWgaCqsgLiB1qB3
/JcCIQCmAToqlfokmb/AXeAJ4qBRa4RZ1m20b21ZBoY6qnDlUQ==
-----END CERTIFICATE-----
";

    #[test]
    fn who_signs_for_himself_is_not_trusted() {
        let certificate = certificates(SELF_SIGNED.as_bytes()).next().unwrap();
        let name = ServerName::try_from("nobody.example").unwrap();
        let ask = |verifier: &dyn ServerCertVerifier| {
            verifier.verify_server_cert(&certificate, &[], &name, &[], UnixTime::now())
        };
        let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        match ask(&Verifier).unwrap_err() {
            // Of a machine that has no authorities.
            rustls::Error::General(_) => assert!(authorities().is_empty()),
            why => assert_eq!(why, unknown),
        }
        // It is refused for that and nothing else.
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let roots = Arc::new(roots);
        let trusting = WebPkiServerVerifier::builder_with_provider(roots, PROVIDER.clone());
        ask(&*trusting.build().unwrap()).unwrap();
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
