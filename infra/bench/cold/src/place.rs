//! Where functions run: what Lambda, DynamoDB and S3 are to them, on this machine. The table is the
//! one of `template.yaml` in the embedded store that `cargo run` has, too.

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

/// What is seeded is that old: a pass lets a list rest for a minute first.
const AGE: Duration = Duration::from_secs(3_600);

pub(crate) struct Place {
    pub(crate) authority: Authority,
    server: Server,
    store: Store,
    http: reqwest::Client,
    dynamodb: String,
    s3: String,
    tenants: AtomicU32,
    passed: AtomicBool,
}

impl Place {
    pub(crate) async fn open() -> Result<Place> {
        let clock = Clock::new(|| {
            let age = i64::try_from(AGE.as_millis()).unwrap_or_default();
            Timestamp::from_millis(Clock::system().now().millis() - age)
        });
        let sources = ("WATCHLIST_SOURCES".to_owned(), local::sample_source());
        let server = Server::start(Options {
            port: 0,
            data: None,
            dynamodb_endpoint: None,
            key: None,
            clock,
            http_client: None,
            environment: BTreeMap::from([sources]),
            lists: None,
            schedules: false,
            events: None,
        });
        let server = server.await.map_err(|why| anyhow!(why))?;
        let authority = Authority::new()?;
        let store = Store::new(&server.dynamodb_endpoint);
        let dynamodb = authority.serve(store.router()).await?;
        let s3 = authority.serve(crate::s3::router(server.lists.clone())).await?;
        let place = Place {
            authority,
            server,
            store,
            http: reqwest::Client::new(),
            dynamodb: format!("https://localhost:{dynamodb}"),
            s3: format!("https://localhost:{s3}"),
            tenants: AtomicU32::new(0),
            passed: AtomicBool::new(false),
        };
        place.invoke("refresh-watchlists", &Value::Null).await?;
        Ok(place)
    }

    pub(crate) async fn close(self) {
        self.server.stop().await;
    }

    /// The names of the template's functions.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &str> {
        self.server.template.functions.iter().map(|function| function.name.as_str())
    }

    /// One that nobody has used yet.
    pub(crate) fn tenant(&self) -> String {
        format!("{TENANT}{:04}", self.tenants.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether nobody was made yet for passes to be over.
    pub(crate) fn is_first_pass(&self) -> bool {
        !self.passed.swap(true, Ordering::Relaxed)
    }

    /// Has the local server run a function on the same table.
    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> Result<Value> {
        let url = self.server.url();
        let url = format!("{url}/2015-03-31/functions/{function}/invocations");
        // The local server goes to the embedded store by itself.
        let _writing = self.store.writing(None);
        let answer = self.http.post(url).body(event.to_string()).send().await?.text().await?;
        serde_json::from_str(&answer).with_context(|| format!("{function} answers {answer:.400}"))
    }

    /// Does what one needs before the event that is measured; the `data` of the answer.
    pub(crate) async fn prepare(
        &self,
        tenant: &str,
        function: &str,
        route: &str,
        path: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value> {
        let answer = self.invoke(function, &event::http(tenant, route, path, body)?).await?;
        let (status, mut body) = event::answer(&answer).context("no HTTP answer")?;
        ensure!((200..300).contains(&status), "{route} answers {answer:.400}");
        Ok(body["data"].take())
    }

    /// What Lambda and the template give a function; `None` for one that is not of the template.
    pub(crate) fn environment(&self, function: Option<&str>) -> BTreeMap<String, String> {
        let bundle = self.authority.bundle.path().to_string_lossy();
        let root = self.authority.root.path().to_string_lossy();
        let name = function.unwrap_or("bench");
        let functions = &self.server.template.functions;
        let spec = functions.iter().find(|spec| Some(spec.name.as_str()) == function);
        let mut environment = spec.map(|spec| spec.environment.clone()).unwrap_or_default();
        // As long as what Lambda's role service hands out.
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
            // Where the stand-ins are, in the words of each language.
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
