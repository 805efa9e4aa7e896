//! The TLS provider of `reqwest`, which needs one even for plain HTTP.

/// Installs ring as the TLS provider of this process, unless one is installed already.
///
/// Call it before making a `reqwest` client.
pub fn install_provider() {
    // An error means that a provider is installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
