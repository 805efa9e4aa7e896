//! Faults under the SDK: an HTTP client for the table that ends a process between two calls.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use tokio::sync::Notify;

/// Where a process ends, counted in calls to the table from when it is armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The call with this number never leaves.
    Before(usize),
    /// The call with this number does its work, and its answer is lost.
    After(usize),
}

/// An HTTP client that lets calls through until its end comes. After that nothing leaves any more
/// and nothing is answered: for its caller the process is gone.
#[derive(Clone, Debug)]
pub struct Mortal {
    inner: SharedHttpClient,
    end: End,
    calls: Arc<AtomicUsize>,
    armed: Arc<AtomicBool>,
    ended: Arc<Notify>,
}

impl Mortal {
    pub fn new(end: End) -> Mortal {
        let inner = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
        Mortal { inner, end, calls: Arc::default(), armed: Arc::default(), ended: Arc::default() }
    }

    /// Counts from now on.
    pub fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Returns when the end has come.
    pub async fn ended(&self) {
        self.ended.notified().await;
    }
}

impl HttpClient for Mortal {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(MortalConnector { inner, of: self.clone() })
    }
}

#[derive(Clone, Debug)]
struct MortalConnector {
    inner: SharedHttpConnector,
    of: Mortal,
}

impl HttpConnector for MortalConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if !self.of.armed.load(Ordering::SeqCst) {
            return self.inner.call(request);
        }
        let call = self.of.calls.fetch_add(1, Ordering::SeqCst);
        let (end, is_after) = match self.of.end {
            End::Before(end) => (end, false),
            End::After(end) => (end, true),
        };
        if call < end {
            return self.inner.call(request);
        }
        let does_its_work = is_after && call == end;
        let (inner, ended) = (self.inner.clone(), self.of.ended.clone());
        HttpConnectorFuture::new(async move {
            if does_its_work {
                let _ = inner.call(request).await;
            }
            ended.notify_one();
            std::future::pending().await
        })
    }
}

/// An HTTP client that holds one call back, before it leaves, until it is let go.
#[derive(Clone, Debug)]
pub struct Gate {
    inner: SharedHttpClient,
    at: usize,
    calls: Arc<AtomicUsize>,
    armed: Arc<AtomicBool>,
    reached: Arc<Notify>,
    released: Arc<Notify>,
}

impl Gate {
    /// At the call with this number, counted from when it is armed.
    pub fn at(call: usize) -> Gate {
        let inner = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
        Gate {
            inner,
            at: call,
            calls: Arc::default(),
            armed: Arc::default(),
            reached: Arc::default(),
            released: Arc::default(),
        }
    }

    pub fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Returns when the call stands at the gate.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    pub fn release(&self) {
        self.released.notify_one();
    }
}

impl HttpClient for Gate {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(GateConnector { inner, of: self.clone() })
    }
}

#[derive(Clone, Debug)]
struct GateConnector {
    inner: SharedHttpConnector,
    of: Gate,
}

impl HttpConnector for GateConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let armed = self.of.armed.load(Ordering::SeqCst);
        if !armed || self.of.calls.fetch_add(1, Ordering::SeqCst) != self.of.at {
            return self.inner.call(request);
        }
        let (inner, of) = (self.inner.clone(), self.of.clone());
        HttpConnectorFuture::new(async move {
            of.reached.notify_one();
            of.released.notified().await;
            inner.call(request).await
        })
    }
}

/// An HTTP client that counts calls to the table, by operation.
#[derive(Clone, Debug)]
pub struct Tally {
    inner: SharedHttpClient,
    calls: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Tally {
    #[allow(clippy::new_without_default, reason = "it opens connections")]
    pub fn new() -> Tally {
        let inner = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
        Tally { inner, calls: Arc::default() }
    }

    pub fn reset(&self) {
        self.calls.lock().unwrap().clear();
    }

    pub fn calls(&self) -> BTreeMap<String, usize> {
        self.calls.lock().unwrap().clone()
    }
}

impl HttpClient for Tally {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(TallyConnector { inner, of: self.clone() })
    }
}

#[derive(Clone, Debug)]
struct TallyConnector {
    inner: SharedHttpConnector,
    of: Tally,
}

impl HttpConnector for TallyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        *self.of.calls.lock().unwrap().entry(operation).or_default() += 1;
        self.inner.call(request)
    }
}
