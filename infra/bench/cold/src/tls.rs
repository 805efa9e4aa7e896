//! TLS as AWS's endpoints have it: an RSA-2048 certificate below an intermediate one, TLS 1.3, and
//! connections that stay open. The handshake is most of what a function does before its first
//! answer, so an endpoint without TLS would measure something else.

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

/// Where Linux distributions, Amazon's among them, keep the certificate authorities they trust.
const SYSTEM_BUNDLES: [&str; 3] = [
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
];

/// A certificate authority for the names of this machine, made for one run.
pub(crate) struct Authority {
    config: Arc<ServerConfig>,
    /// This authority alone.
    pub(crate) root: NamedTempFile,
    /// Everybody a Lambda sandbox trusts, and this authority: reading them takes its time.
    pub(crate) bundle: NamedTempFile,
    pub(crate) trusted: usize,
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
        let leaf = leaf.signed_by(&leaf_key, &intermediate_issuer)?;

        let chain = vec![leaf.der().clone(), intermediate_certificate.der().clone()];
        let leaf_key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        // It signs with RSA in a fraction of the time of ring: what the far side takes is not measured.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(chain, leaf_key)?;

        let system = SYSTEM_BUNDLES.iter().find_map(|path| std::fs::read_to_string(path).ok());
        let everybody = system.unwrap_or_else(mozilla);
        let own = root_certificate.pem();
        let bundle = format!("{everybody}\n{own}");
        let trusted = bundle.matches("BEGIN CERTIFICATE").count();
        Ok(Authority {
            config: Arc::new(config),
            root: written(&own)?,
            bundle: written(&bundle)?,
            trusted,
        })
    }

    /// Serves it behind TLS at an address of its own; the port.
    pub(crate) async fn serve(&self, router: Router) -> Result<u16> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        // `localhost` may be this one, too; where it is, nobody should have to try twice.
        let also = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok();
        let acceptor = TlsAcceptor::from(self.config.clone());
        for listener in [Some(listener), also].into_iter().flatten() {
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
            // A client that goes away in the middle is killed by the harness; nobody asks why.
            let _ = http1::Builder::new().serve_connection(stream, service).await;
            Ok::<(), std::io::Error>(())
        });
    }
}

fn key() -> Result<KeyPair> {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
        .map_err(|error| anyhow!("no RSA key: {error}"))
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// What Mozilla trusts, for a machine that has no list of its own.
fn mozilla() -> String {
    use base64::Engine;
    let pem = |der: &[u8]| {
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
        let lines: Vec<_> = lines.collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    };
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|der| pem(der)).collect()
}

fn written(text: &str) -> Result<NamedTempFile> {
    let mut file = NamedTempFile::with_suffix(".pem").context("no temporary file")?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}
