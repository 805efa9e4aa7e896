//! Serves TLS as AWS's endpoints do: TLS 1.3, an RSA-2048 certificate that an intermediate
//! authority has issued, and connections that stay open. The handshake is most of a function's work
//! before its first answer, so times measured without TLS would be too low.

use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, RsaKeySize,
};
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, version};

/// Files with the trusted certificate authorities on Linux distributions, including Amazon Linux.
const SYSTEM_BUNDLES: [&str; 3] = [
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
];

/// A certificate authority for `localhost`, which is generated for each run.
pub(crate) struct Authority {
    config: Arc<ServerConfig>,
    /// File with the certificate of this authority.
    pub(crate) root: NamedTempFile,
    /// File with the public authorities that this machine trusts, and this authority. Reading it
    /// takes time, so it must be about as large as the file in a Lambda sandbox.
    pub(crate) bundle: NamedTempFile,
    /// Number of authorities in the bundle.
    pub(crate) bundle_size: usize,
}

impl Authority {
    pub(crate) fn new() -> Result<Authority> {
        let root_key = key()?;
        let root = authority("Bench Root");
        let root_certificate = root.self_signed(&root_key)?;
        let root_issuer = Issuer::new(root, root_key);
        let intermediate_key = key()?;
        let intermediate = authority("Bench RSA 2048 M01");
        let intermediate_certificate = intermediate.signed_by(&intermediate_key, &root_issuer)?;
        let intermediate_issuer = Issuer::new(intermediate, intermediate_key);
        let leaf_key = key()?;
        let mut leaf = CertificateParams::new(vec!["localhost".to_owned()])?;
        leaf.distinguished_name.push(DnType::CommonName, "localhost");
        leaf.use_authority_key_identifier_extension = true;
        let leaf_certificate = leaf.signed_by(&leaf_key, &intermediate_issuer)?;

        let chain = vec![leaf_certificate.der().clone(), intermediate_certificate.der().clone()];
        let private_key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        // AWS-LC signs with RSA much faster than ring. The work of the server is not part of the
        // measurement, so it should take as little time as possible.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(chain, private_key)?;

        let system = SYSTEM_BUNDLES.iter().find_map(|path| std::fs::read_to_string(path).ok());
        let public_authorities = system.unwrap_or_else(mozilla_authorities);
        let own = root_certificate.pem();
        let bundle = format!("{public_authorities}\n{own}");
        Ok(Authority {
            config: Arc::new(config),
            root: temporary_file(&own)?,
            bundle: temporary_file(&bundle)?,
            bundle_size: bundle.matches("BEGIN CERTIFICATE").count(),
        })
    }

    /// Serves a router with TLS at a new port, and returns the port.
    pub(crate) async fn serve(&self, router: Router) -> Result<u16> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        // `localhost` may also resolve to the IPv6 address. A client that tried that address first
        // would lose time if the server did not listen there.
        let ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok();
        let acceptor = TlsAcceptor::from(self.config.clone());
        for listener in [Some(listener), ipv6].into_iter().flatten() {
            tokio::spawn(accept(listener, acceptor.clone(), router.clone()));
        }
        Ok(port)
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, router: Router) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            stream.set_nodelay(true)?;
            let stream = TokioIo::new(acceptor.accept(stream).await?);
            let service = TowerToHyperService::new(router);
            // An error means that the client is gone: the processes are killed after a measurement.
            let _ = http1::Builder::new().serve_connection(stream, service).await;
            Ok::<(), std::io::Error>(())
        });
    }
}

fn key() -> Result<KeyPair> {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
        .map_err(|error| anyhow!("the RSA key was not generated: {error}"))
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Returns the certificates of the authorities that Mozilla trusts, in PEM format. They are used on a
/// machine without any of [`SYSTEM_BUNDLES`].
fn mozilla_authorities() -> String {
    use base64::Engine;
    let pem = |der: &[u8]| {
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    };
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|der| pem(der)).collect()
}

fn temporary_file(text: &str) -> Result<NamedTempFile> {
    let mut file =
        NamedTempFile::with_suffix(".pem").context("the temporary file was not created")?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}
