//! The HTTP client under the SDK, with something in between: a role, or in tests a fault.

use std::fmt::Debug;

use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

/// What happens to a call on its way to the table.
pub trait OnTheWay: Clone + Debug + Send + Sync + 'static {
    fn call(&self, on: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture;
}

/// The HTTP client that a function has.
pub fn plain() -> SharedHttpClient {
    shared::aws::http_client()
}

/// An HTTP client for the SDK whose calls this happens to.
pub fn client(inner: SharedHttpClient, between: impl OnTheWay) -> SharedHttpClient {
    SharedHttpClient::new(Between { inner, between })
}

#[derive(Clone, Debug)]
struct Between<I, B> {
    inner: I,
    between: B,
}

impl<B: OnTheWay> HttpClient for Between<SharedHttpClient, B> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Between { inner, between: self.between.clone() })
    }
}

impl<B: OnTheWay> HttpConnector for Between<SharedHttpConnector, B> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.between.call(&self.inner, request)
    }
}
