//! Provides the environment in which functions run: local replacements for Lambda, DynamoDB and S3.
//! The table is defined by `template.yaml` and kept in the embedded store that `cargo run` also
//! uses.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use local::{Options, Server};
use serde_json::Value;
use shared::model::time::{Clock, Timestamp};

use crate::event;
use crate::store::{Store, TENANT};
use crate::tls::Authority;

/// Age of the prepared data. It must exceed one minute, because a pass does not use newer lists.
const AGE: Duration = Duration::from_secs(3_600);

pub(crate) struct TestBed {
    pub(crate) authority: Authority,
    server: Server,
    store: Store,
    http: reqwest::Client,
    /// Address of the replacement for DynamoDB.
    dynamodb: String,
    /// Address of the replacement for S3.
    s3: String,
    /// Number of tenants that [`TestBed::new_tenant`] has named.
    tenants: AtomicU32,
    is_pass_prepared: AtomicBool,
}

impl TestBed {
    /// Starts all servers and loads the sample watchlist.
    pub(crate) async fn start() -> Result<TestBed> {
        let clock = Clock::new(|| {
            let age = i64::try_from(AGE.as_millis()).unwrap_or_default();
            Timestamp::from_millis(Clock::system().now().millis() - age)
        });
        let sources = ("WATCHLIST_SOURCES".to_owned(), local::sample_source());
        let server = Server::start(Options {
            port: 0,
            data: None,
            table: None,
            key: None,
            clock,
            http_client: None,
            environment: BTreeMap::from([sources]),
            lists: None,
            schedules: false,
            events: None,
        });
        let server = server.await.map_err(|error| anyhow!(error))?;
        let authority = Authority::new()?;
        let store = Store::new(&server.table.endpoint, &server.access_key);
        let dynamodb = authority.serve(store.router()).await?;
        let s3 = authority.serve(crate::s3::router(server.lists.clone())).await?;
        let test_bed = TestBed {
            authority,
            server,
            store,
            http: reqwest::Client::new(),
            dynamodb: format!("https://localhost:{dynamodb}"),
            s3: format!("https://localhost:{s3}"),
            tenants: AtomicU32::new(0),
            is_pass_prepared: AtomicBool::new(false),
        };
        test_bed.invoke("refresh-watchlists", &Value::Null).await?;
        Ok(test_bed)
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }

    /// Returns the names of the template's functions.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &str> {
        self.server.template.functions.iter().map(|function| function.name.as_str())
    }

    /// Returns a name that no earlier call has returned, for a tenant without data.
    pub(crate) fn new_tenant(&self) -> String {
        format!("{TENANT}{:04}", self.tenants.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns whether the caller must create the customers of a pass. Only the first call returns
    /// `true`.
    pub(crate) fn claim_pass_preparation(&self) -> bool {
        !self.is_pass_prepared.swap(true, Ordering::Relaxed)
    }

    /// Runs a function in the local server, on the same table.
    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> Result<Value> {
        let path = format!("2015-03-31/functions/{function}/invocations");
        let url = format!("{}/{path}", self.server.url());
        // The local server accesses the embedded store without the cache, so all cached answers are
        // removed after the call.
        let _write = self.store.begin_write(None);
        let answer = self
            .http
            .post(url)
            .header("authorization", self.server.access_key.authorization())
            .body(event.to_string())
            .send()
            .await?
            .text()
            .await?;
        serde_json::from_str(&answer).with_context(|| format!("{function} answered {answer:.400}"))
    }

    /// Sends a request that prepares the measured events. Returns the `data` of the answer.
    pub(crate) async fn prepare(
        &self,
        tenant: &str,
        function: &str,
        route: &str,
        path: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value> {
        let answer = self.invoke(function, &event::http(tenant, route, path, body)?).await?;
        let (status, mut body) =
            event::answer(&answer).context("the answer is not an HTTP answer")?;
        ensure!((200..300).contains(&status), "{route} answered {answer:.400}");
        Ok(body["data"].take())
    }

    /// Returns the environment variables that Lambda and the template set for a function. Use
    /// `None` for a function that is not in the template.
    pub(crate) fn environment(&self, function: Option<&str>) -> BTreeMap<String, String> {
        let bundle = self.authority.bundle.path().to_string_lossy();
        let root = self.authority.root.path().to_string_lossy();
        let name = function.unwrap_or("bench");
        let functions = &self.server.template.functions;
        let spec = functions.iter().find(|spec| Some(spec.name.as_str()) == function);
        let mut environment = spec.map(|spec| spec.environment.clone()).unwrap_or_default();
        // The token is about as long as the session tokens that Lambda provides.
        let token = "IQoJb3JpZ2luX2VjEJf/".repeat(36);
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE"),
            ("AWS_DEFAULT_REGION", "eu-central-1"),
            ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_NAME", name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/26/[$LATEST]0123456789abcdef0123456789abcdef"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            ("AWS_SESSION_TOKEN", &token),
            ("LANG", "en_US.UTF-8"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("TZ", ":UTC"),
            ("_HANDLER", "bootstrap"),
            ("TABLE_NAME", &self.server.template.table.name),
            // Addresses and certificates of the local replacements, as each SDK expects them.
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.dynamodb),
            ("DYNAMODB_ENDPOINT", &self.dynamodb),
            ("AWS_ENDPOINT_URL_S3", &self.s3),
            ("SSL_CERT_FILE", &bundle),
            ("AWS_CA_BUNDLE", &bundle),
            ("NODE_EXTRA_CA_CERTS", &root),
        ] {
            environment.insert(name.to_owned(), value.to_owned());
        }
        if let Some(sources) = environment.get_mut("WATCHLIST_SOURCES") {
            *sources = local::sample_source();
        }
        environment
    }
}
