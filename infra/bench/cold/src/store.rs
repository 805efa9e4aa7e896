//! Serves the table: the embedded store with a cache of its answers.
//!
//! Without the cache, the measured time would include the store's time for a read, and the store
//! would compete with the measured program for the processors of this machine. The cache answers
//! only reads, and only if no later write can have changed the answer. Every write goes to the
//! store.
//!
//! The text of a read determines which writes can change its answer. A read of keys depends on the
//! partitions that it names. A read of an index depends on its tenant, because every key contains
//! the tenant's name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, Response, StatusCode, header};
use local::AccessKey;
use serde_json::Value;

/// Prefix of every tenant name in a run. A number follows it.
pub(crate) const TENANT: &str = "bench-";

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
/// Operations that do not change the table.
const READS: [&str; 5] = ["GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"];
/// Headers that belong to a connection and must not be forwarded.
const CONNECTION: [HeaderName; 4] =
    [header::CONNECTION, header::CONTENT_LENGTH, header::DATE, header::TRANSFER_ENCODING];

#[derive(Clone)]
pub(crate) struct Store(Arc<Inner>);

struct Inner {
    endpoint: String,
    /// Header with the access key of the embedded store. The measured programs sign their requests
    /// with another key.
    authorization: String,
    http: reqwest::Client,
    cache: Mutex<Cache<Answer>>,
}

type Answer = (HeaderMap, Bytes);

impl Store {
    pub(crate) fn new(endpoint: &str, access_key: &AccessKey) -> Store {
        Store(Arc::new(Inner {
            endpoint: endpoint.to_owned(),
            authorization: access_key.authorization(),
            http: reqwest::Client::new(),
            cache: Mutex::new(Cache::default()),
        }))
    }

    pub(crate) fn router(&self) -> Router {
        let router = Router::new().fallback(serve).layer(DefaultBodyLimit::disable());
        router.with_state(self.clone())
    }

    /// Begins a write. `request` is the text of its body. Dropping the result, even after a
    /// canceled write, removes all answers from the cache that the write may have changed. If
    /// `request` is `None`, all answers are removed.
    pub(crate) fn begin_write<'a>(&'a self, request: Option<&'a str>) -> Write<'a> {
        Write { store: self, request }
    }

    fn cache(&self) -> MutexGuard<'_, Cache<Answer>> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forwards a request to the embedded store. Returns the answer without the headers of
    /// [`CONNECTION`].
    async fn forward(
        &self,
        headers: HeaderMap,
        body: Bytes,
    ) -> reqwest::Result<(StatusCode, Answer)> {
        let request = self.0.http.post(&self.0.endpoint).headers(headers);
        let request = request.header(header::AUTHORIZATION, &self.0.authorization);
        let answer = request.body(body).send().await?;
        let status = answer.status();
        let mut headers = answer.headers().clone();
        for name in CONNECTION {
            headers.remove(name);
        }
        Ok((status, (headers, answer.bytes().await?)))
    }
}

#[must_use]
pub(crate) struct Write<'a> {
    store: &'a Store,
    request: Option<&'a str>,
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        self.store.cache().invalidate(self.request);
    }
}

async fn serve(State(store): State<Store>, mut headers: HeaderMap, body: Bytes) -> Response<Body> {
    for name in [header::HOST, header::AUTHORIZATION].iter().chain(&CONNECTION) {
        headers.remove(name);
    }
    let target = headers.get(TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
    let is_read = target.rsplit('.').next().is_some_and(|operation| READS.contains(&operation));
    let text = String::from_utf8_lossy(&body).into_owned();
    let result = if is_read {
        let read = Read::new(target, &text);
        let writes = match store.cache().get(&read) {
            Ok(answer) => return response(StatusCode::OK, answer),
            Err(writes) => writes,
        };
        let result = store.forward(headers, body).await;
        if let Ok((StatusCode::OK, answer)) = &result {
            store.cache().insert(read, answer.clone(), writes);
        }
        result
    } else {
        let write = store.begin_write(Some(&text));
        let result = store.forward(headers, body).await;
        drop(write);
        result
    };
    match result {
        Ok((status, answer)) => response(status, answer),
        Err(error) => {
            // The measured program retries, so it seems slow. The message explains why.
            eprintln!("\nthe store does not answer: {error}");
            response(StatusCode::BAD_GATEWAY, (HeaderMap::new(), Bytes::new()))
        }
    }
}

fn response(status: StatusCode, (headers, body): Answer) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// A read request. Its body is parsed, because the SDK for Rust writes the members of an object in
/// a different order each time.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Read {
    target: String,
    body: Value,
    /// Names of partitions or tenants. A write can change the answer only if the write's text
    /// contains one of them. If the list is empty, every write can change the answer.
    depends_on: Vec<String>,
}

impl Read {
    fn new(target: &str, text: &str) -> Read {
        let body = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        let mut depends_on = partitions(&body);
        if depends_on.is_empty() {
            depends_on = tenants(text);
        }
        depends_on.sort_unstable();
        Read { target: target.to_owned(), body, depends_on }
    }
}

/// Returns the partition of every key in a request, or an empty list if the request does not name
/// keys.
fn partitions(body: &Value) -> Vec<String> {
    match body {
        Value::Array(values) => values.iter().flat_map(partitions).collect(),
        Value::Object(members) => {
            let own = body.pointer("/pk/S").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(members.values().flat_map(partitions)).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the names of this run's tenants that occur in a request.
fn tenants(text: &str) -> Vec<String> {
    let number = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    text.split(TENANT).skip(1).map(|rest| format!("{TENANT}{}", number(rest))).collect()
}

struct Cache<A> {
    answers: HashMap<Read, A>,
    /// Number of writes so far.
    writes: u64,
}

impl<A> Default for Cache<A> {
    fn default() -> Cache<A> {
        Cache { answers: HashMap::new(), writes: 0 }
    }
}

impl<A: Clone> Cache<A> {
    /// Returns the cached answer to a read. If there is none, returns the number of writes so far
    /// as the error, which [`Cache::insert`] needs.
    fn get(&self, read: &Read) -> Result<A, u64> {
        self.answers.get(read).cloned().ok_or(self.writes)
    }

    /// Stores the answer to a read, unless there was a write after [`Cache::get`] returned `writes`.
    fn insert(&mut self, read: Read, answer: A, writes: u64) {
        if writes == self.writes {
            self.answers.insert(read, answer);
        }
    }

    /// Removes the answers that a write may have changed. `None` removes all.
    fn invalidate(&mut self, write: Option<&str>) {
        self.writes += 1;
        let is_unchanged = |read: &Read| match write {
            Some(text) if !read.depends_on.is_empty() => {
                !read.depends_on.iter().any(|name| text.contains(name))
            }
            _ => false,
        };
        self.answers.retain(|read, _| is_unchanged(read));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get_item(body: &str) -> Read {
        Read::new("DynamoDB_20120810.GetItem", body)
    }

    #[test]
    fn the_order_of_members_does_not_matter() {
        let one = get_item(r#"{"Key":{"pk":{"S":"T#bench-0001"},"sk":{"S":"A"}},"TableName":"t"}"#);
        let same =
            get_item(r#"{"TableName":"t","Key":{"sk":{"S":"A"},"pk":{"S":"T#bench-0001"}}}"#);
        let other =
            get_item(r#"{"TableName":"t","Key":{"sk":{"S":"B"},"pk":{"S":"T#bench-0001"}}}"#);
        let mut cache = Cache::default();
        cache.insert(one, 1, 0);
        assert_eq!(cache.get(&same), Ok(1));
        assert_eq!(cache.get(&other), Err(0));
        let query = Read { target: "DynamoDB_20120810.Query".to_owned(), ..same };
        assert_eq!(cache.get(&query), Err(0));
    }

    #[test]
    fn a_write_removes_only_answers_that_it_may_have_changed() {
        let key = |pk: &str| format!(r#"{{"Key":{{"pk":{{"S":"{pk}"}},"sk":{{"S":"A"}}}}}}"#);
        let items = [key("T#bench-0001"), key("T#bench-0001#S#1"), key("T#WARM")];
        let index =
            |tenant: &str| format!(r#"{{"IndexName":"gsi1","Values":[{{"S":"{tenant}"}}]}}"#);
        let [one, session, warm] = &items;
        let (first, second) = (index("T#bench-0001"), index("T#bench-0002"));
        let list = r#"{"IndexName":"gsi1","Values":[{"S":"L#list"}]}"#.to_owned();
        let reads = [one, session, warm, &first, &second, &list];
        let remaining = |write: Option<&str>| {
            let mut cache = Cache::default();
            for read in reads {
                cache.insert(get_item(read), (), 0);
            }
            cache.invalidate(write);
            let is_cached = |read: &&&String| cache.get(&get_item(read)).is_ok();
            reads.iter().filter(is_cached).map(|read| read.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(remaining(Some(&key("T#bench-0001#S#1"))), [warm.as_str(), &second]);
        assert_eq!(remaining(Some(&key("T#bench-0002"))), [one.as_str(), session, warm, &first]);
        assert_eq!(remaining(Some(&key("L#list"))), [one.as_str(), session, warm, &first, &second]);
        assert!(remaining(None).is_empty());
    }

    #[test]
    fn an_answer_from_before_a_write_is_not_stored() {
        let mut cache = Cache::default();
        let Err(writes) = cache.get(&get_item("bench-0001")) else { panic!("the cache is empty") };
        cache.invalidate(Some("bench-0001"));
        cache.insert(get_item("bench-0001"), 1, writes);
        assert_eq!(cache.get(&get_item("bench-0001")), Err(1));
    }
}
