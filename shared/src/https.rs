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
    static TLS: LazyLock<Result<Arc<ClientConfig>, String>> =
        LazyLock::new(|| trusting(&TRUSTED).map(Arc::new));
    TLS.clone()
}

type Trusted = LazyLock<Result<Arc<WebPkiServerVerifier>, String>>;

static TRUSTED: Trusted = LazyLock::new(|| verifier(authorities()));

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(ring::default_provider()));

/// Reads the certificate authorities, so that they are there when a certificate is to be verified.
pub(crate) fn read_authorities() {
    LazyLock::force(&TRUSTED);
}

fn verifier(roots: RootCertStore) -> Result<Arc<WebPkiServerVerifier>, String> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), PROVIDER.clone())
        .build()
        .map_err(|error| format!("nobody is trusted: {error}"))
}

fn trusting(trusted: &'static Trusted) -> Result<ClientConfig, String> {
    let config = ClientConfig::builder_with_provider(PROVIDER.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?;
    // Rustls calls every verifier dangerous that it has not made itself. This one leaves all checks to
    // the one that it would have made.
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(Verifier(trusted)));
    Ok(config.with_no_client_auth())
}

/// Leaves every check to rustls' own verifier, and only differs in when that has to be there: with the
/// server's answer instead of before the first connection. Until then another thread can read the
/// authorities; where it has not ended, the handshake has nothing else to do than to wait for it.
#[derive(Debug)]
struct Verifier(&'static Trusted);

impl Verifier {
    fn trusted(&self) -> Result<&'static WebPkiServerVerifier, rustls::Error> {
        self.0.as_deref().map_err(|why| rustls::Error::General(why.clone()))
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
        let trusted = self.trusted()?;
        trusted.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trusted()?.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trusted()?.verify_tls13_signature(message, cert, dss)
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

    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::sign::{CertifiedKey, SingleCertAndKey};
    use rustls::{
        CertificateError, ClientConnection, ServerConfig, ServerConnection,
        SupportedProtocolVersion,
    };

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

    /// A certificate authority that signs for servers.
    struct Authority(Issuer<'static, KeyPair>, CertificateDer<'static>);

    impl Authority {
        fn new() -> Authority {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let certificate = params.self_signed(&key).unwrap().der().clone();
            Authority(Issuer::new(params, key), certificate)
        }

        /// A server of that name, which signs with another key than that of its certificate where it
        /// has only stolen it.
        fn server(
            &self,
            name: &str,
            is_stolen: bool,
            version: &'static SupportedProtocolVersion,
        ) -> ServerConnection {
            let (own, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
            let params = CertificateParams::new([name.to_owned()]).unwrap();
            let certificate = params.signed_by(&own, &self.0).unwrap().der().clone();
            let key = if is_stolen { other } else { own };
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
            let key = ring::sign::any_supported_type(&key).unwrap();
            let certified = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
            let config = ServerConfig::builder_with_provider(PROVIDER.clone())
                .with_protocol_versions(&[version])
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(certified));
            ServerConnection::new(Arc::new(config)).unwrap()
        }
    }

    /// Both ends in memory, until the client is content or gives up.
    fn handshake(
        trusted: &'static Trusted,
        mut server: ServerConnection,
    ) -> Result<(), rustls::Error> {
        let name = ServerName::try_from("table.example").unwrap();
        let mut client = ClientConnection::new(Arc::new(trusting(trusted).unwrap()), name).unwrap();
        while client.is_handshaking() {
            let mut sent = Vec::new();
            client.write_tls(&mut sent).unwrap();
            server.read_tls(&mut sent.as_slice()).unwrap();
            server.process_new_packets().unwrap();
            let mut sent = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut sent).unwrap();
            }
            let mut sent = sent.as_slice();
            while !sent.is_empty() {
                client.read_tls(&mut sent).unwrap();
                client.process_new_packets()?;
            }
        }
        Ok(())
    }

    #[test]
    fn a_server_is_who_it_says_by_the_word_of_an_authority() {
        static AUTHORITY: LazyLock<Authority> = LazyLock::new(Authority::new);
        static KNOWN: Trusted = LazyLock::new(|| {
            let mut roots = RootCertStore::empty();
            roots.add(AUTHORITY.1.clone()).unwrap();
            verifier(roots)
        });
        static NOBODY: Trusted = LazyLock::new(|| verifier(RootCertStore::empty()));
        for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
            let good = || AUTHORITY.server("table.example", false, version);
            handshake(&KNOWN, good()).unwrap();
            let refused = |server| match handshake(&KNOWN, server) {
                Err(rustls::Error::InvalidCertificate(why)) => why,
                other => panic!("{other:?}"),
            };
            let stolen = AUTHORITY.server("table.example", true, version);
            assert_eq!(refused(stolen), CertificateError::BadSignature);
            let other = AUTHORITY.server("other.example", false, version);
            assert!(matches!(refused(other), CertificateError::NotValidForNameContext { .. }));
            // It calls itself as the authority does.
            let impostor = Authority::new().server("table.example", false, version);
            assert_eq!(refused(impostor), CertificateError::BadSignature);
            assert!(matches!(handshake(&NOBODY, good()), Err(rustls::Error::General(_))));
        }
    }

    #[test]
    fn what_functions_use_trusts_no_stranger() {
        // Whether the machine has authorities or not.
        let stranger = Authority::new().server("table.example", false, &rustls::version::TLS13);
        handshake(&TRUSTED, stranger).unwrap_err();
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
