//! Clients for AWS services.
//!
//! Region and credentials come from the environment variables that Lambda sets. Profiles, instance
//! metadata and other sources are not read: a function needs none of them, and looking for them
//! would slow down every cold start.

pub mod bucket;

use std::time::Duration;

use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::meta::region::ProvideRegion;
pub use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, ConfigBag, Credentials, Intercept, Region, RuntimeComponents,
    SharedCredentialsProvider, SharedHttpClient,
};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};

use crate::telemetry;

/// Time limit for opening a connection, TLS handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Time limit for one attempt of a DynamoDB call.
const DYNAMODB_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
/// Time limit for a DynamoDB call with all its attempts. The calls of a request also share the
/// request's own deadline, so a slow table leads to a 503 and not to a function that times out.
const DYNAMODB_OPERATION_TIMEOUT: Duration = Duration::from_secs(3);
/// Number of attempts for a DynamoDB call. All calls of a process share the SDK's retry budget, so
/// an overloaded table does not receive three times the load.
const DYNAMODB_ATTEMPTS: u32 = 3;

/// The region, the credentials and the HTTP client of every AWS client.
#[derive(Clone, Debug)]
pub struct Aws {
    pub(crate) region: Region,
    pub(crate) credentials: SharedCredentialsProvider,
    pub(crate) http_client: SharedHttpClient,
}

impl Aws {
    /// Reads the region and the credentials that Lambda puts into the environment.
    ///
    /// # Errors
    /// Returns a text when `AWS_REGION` is not set. The first call reports missing credentials.
    pub async fn from_env() -> Result<Aws, String> {
        let region = EnvironmentVariableRegionProvider::new().region().await;
        let region = region.ok_or_else(|| "AWS_REGION is not set".to_owned())?;
        let credentials = EnvironmentVariableCredentialsProvider::new();
        let credentials = SharedCredentialsProvider::new(credentials);
        Ok(Aws { region, credentials, http_client: http_client() })
    }

    /// Returns placeholders for the region and the credentials, for servers that are compatible
    /// with AWS and do not check credentials.
    pub fn elsewhere() -> Aws {
        Aws::with_access_key("local")
    }

    /// Returns the credentials for a server that is compatible with AWS, and that checks only the
    /// id of the access key. The embedded store is such a server.
    pub fn with_access_key(id: &str) -> Aws {
        let credentials = Credentials::new(id, "none", None, None, "local");
        Aws {
            region: Region::from_static("local"),
            credentials: SharedCredentialsProvider::new(credentials),
            http_client: http_client(),
        }
    }
}

/// Creates the HTTP client that the functions use. It trusts the certificate authorities of the
/// machine, or those in `SSL_CERT_FILE`.
pub fn http_client() -> SharedHttpClient {
    https(TlsContext::default())
}

/// Creates an HTTP client with these TLS settings. It uses rustls with ring, because AWS-LC, the
/// default of the SDK, collects entropy for 20 ms in every cold start.
fn https(tls: TlsContext) -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build_https()
}

/// Returns the time limits of a client. All clients have the same limit for opening a connection,
/// because the HTTP client keeps one pool of connections per limit.
fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}

/// Creates a client for DynamoDB, or for a compatible server when `endpoint` is given.
pub fn dynamodb_client(aws: &Aws, endpoint: Option<&str>) -> Client {
    let timeouts = timeouts(DYNAMODB_ATTEMPT_TIMEOUT, DYNAMODB_OPERATION_TIMEOUT);
    let mut config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws.region.clone())
        .credentials_provider(aws.credentials.clone())
        .http_client(aws.http_client.clone())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(DYNAMODB_ATTEMPTS))
        .interceptor(CallCounter);
    config.set_endpoint_url(endpoint.map(str::to_owned));
    Client::from_conf(config.build())
}

/// Counts every attempt of a call, retries included.
#[derive(Debug)]
struct CallCounter;

impl Intercept for CallCounter {
    fn name(&self) -> &'static str {
        "CallCounter"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = context.request().headers().get("x-amz-target");
        telemetry::count_call(operation.is_some_and(|name| name.ends_with(".TransactWriteItems")));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;
    use std::thread;

    use aws_smithy_http_client::tls::TrustStore;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use rustls::crypto::ring;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::sign::{CertifiedKey, SingleCertAndKey};
    use rustls::version::{TLS12, TLS13};
    use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

    use super::*;
    use crate::error::chain;
    use crate::monitoring::source::{Fetcher, LocalServers};

    /// A certificate authority that issues certificates to servers.
    struct Authority {
        issuer: Issuer<'static, KeyPair>,
        pem: String,
    }

    /// The key that a server signs its handshake with.
    #[derive(Clone, Copy, PartialEq)]
    enum Signer {
        /// The key of its certificate.
        Own,
        /// Another key: the server presents a certificate that is not its own.
        Other,
    }

    impl Authority {
        fn new() -> Authority {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let pem = params.self_signed(&key).unwrap().pem();
            Authority { issuer: Issuer::new(params, key), pem }
        }

        /// Returns the TLS settings of a client that trusts only this authority.
        fn trusted(&self) -> TlsContext {
            trusting(TrustStore::empty().with_pem_certificate(self.pem.as_str()))
        }

        /// Starts a server on `localhost` with a certificate for `name`, and returns its URL.
        fn serve(
            &self,
            name: &str,
            signer: Signer,
            version: &'static SupportedProtocolVersion,
        ) -> String {
            let (own, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
            let params = CertificateParams::new([name.to_owned()]).unwrap();
            let certificate = params.signed_by(&own, &self.issuer).unwrap().der().clone();
            let key = if signer == Signer::Own { own } else { other };
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
            let key = ring::sign::any_supported_type(&key).unwrap();
            let certified = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
            let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_protocol_versions(&[version])
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(certified));
            let config = Arc::new(config);
            let listener = TcpListener::bind("localhost:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            thread::spawn(move || {
                for stream in listener.incoming() {
                    // A client that refuses the certificate closes the connection, so an error is
                    // expected.
                    let _ = answer(stream.unwrap(), config.clone());
                }
            });
            format!("https://localhost:{port}")
        }
    }

    fn trusting(store: TrustStore) -> TlsContext {
        TlsContext::builder().with_trust_store(store).build().unwrap()
    }

    /// Answers one request with an empty JSON object. A DynamoDB client reads it as an answer
    /// without an item.
    fn answer(stream: TcpStream, config: Arc<ServerConfig>) -> std::io::Result<()> {
        let connection = ServerConnection::new(config).unwrap();
        let mut stream = BufReader::new(StreamOwned::new(connection, stream));
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line)?;
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        stream.read_exact(&mut vec![0; length])?;
        let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
        stream.get_mut().write_all(answer)?;
        stream.get_mut().conn.send_close_notify();
        stream.get_mut().flush()
    }

    /// Sends one request to a server. The error is the reason of the failure.
    async fn get(tls: TlsContext, url: &str) -> Result<(), String> {
        let aws = Aws { http_client: https(tls), ..Aws::elsewhere() };
        let config = dynamodb_client(&aws, Some(url)).config().to_builder();
        let config = config.retry_config(RetryConfig::disabled());
        let client = Client::from_conf(config.timeout_config(TimeoutConfig::disabled()).build());
        let sent = client.get_item().table_name("table").send().await;
        sent.map(drop).map_err(|error| chain(&error))
    }

    #[tokio::test]
    async fn a_server_needs_a_certificate_for_its_name_from_a_trusted_authority() {
        let authority = Authority::new();
        for version in [&TLS13, &TLS12] {
            let good = authority.serve("localhost", Signer::Own, version);
            get(authority.trusted(), &good).await.unwrap();
            // The impostor's authority has the same name as the trusted one, but another key.
            let impostor = Authority::new().serve("localhost", Signer::Own, version);
            let nobody = trusting(TrustStore::empty());
            for (tls, url, reason) in [
                (
                    authority.trusted(),
                    &authority.serve("localhost", Signer::Other, version),
                    "BadSignature",
                ),
                (
                    authority.trusted(),
                    &authority.serve("other.example", Signer::Own, version),
                    "not valid for name \"localhost\"",
                ),
                (authority.trusted(), &impostor, "BadSignature"),
                (nobody, &good, "UnknownIssuer"),
                // This client trusts the authorities of the machine, if it has any.
                (TlsContext::default(), &good, "UnknownIssuer"),
            ] {
                let refused = get(tls, url).await.unwrap_err();
                assert!(refused.contains("invalid peer certificate"), "{reason}: {refused}");
                assert!(refused.contains(reason), "{reason}: {refused}");
            }
        }
    }

    #[tokio::test]
    async fn a_list_is_not_downloaded_from_a_server_with_an_unknown_authority() {
        let url = Authority::new().serve("localhost", Signer::Own, &TLS13);
        let fetcher = Fetcher::new(Duration::from_secs(10), LocalServers::Refused);
        let refused = fetcher.fetch(&url.parse().unwrap(), 1).await.map(drop).unwrap_err();
        assert!(refused.contains("UnknownIssuer"), "{refused}");
    }
}
