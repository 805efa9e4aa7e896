//! Installs the TLS provider of `reqwest`, which needs a provider even for plain HTTP.

/// Installs ring as the TLS provider of this process, unless a provider is already installed.
///
/// Call this function before you create a `reqwest` client.
pub fn install_provider() {
    // An error means that a provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
