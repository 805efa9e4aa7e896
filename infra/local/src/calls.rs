//! Creates HTTP clients for the SDK that pass each call through an interceptor. The interceptor is
//! the role of a function or, in tests, a fault.

use std::fmt::Debug;

use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

/// Receives the calls to the table. An interceptor can pass a call on, change it, or answer it.
pub trait Interceptor: Clone + Debug + Send + Sync + 'static {
    /// Answers a request, usually by passing it to `next`.
    fn call(&self, next: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture;
}

/// Returns the HTTP client that the functions also use on Lambda.
pub fn default_client() -> SharedHttpClient {
    shared::aws::http_client()
}

/// Returns an HTTP client whose calls pass through the interceptor.
pub fn intercepted(client: SharedHttpClient, interceptor: impl Interceptor) -> SharedHttpClient {
    SharedHttpClient::new(Intercepted { inner: client, interceptor })
}

#[derive(Clone, Debug)]
struct Intercepted<T, I> {
    inner: T,
    interceptor: I,
}

impl<I: Interceptor> HttpClient for Intercepted<SharedHttpClient, I> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Intercepted { inner, interceptor: self.interceptor.clone() })
    }
}

impl<I: Interceptor> HttpConnector for Intercepted<SharedHttpConnector, I> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.interceptor.call(&self.inner, request)
    }
}
