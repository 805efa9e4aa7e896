//! The table as the programs reach it: the embedded store, and before it a memory of what it answered. How
//! long a store takes to read an item is none of what is measured, and it would have to share this
//! machine's processors with the program that waits for it. Only reads are answered from memory, and only
//! where nothing was written since that they could have seen; every write goes to the store.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, Response, StatusCode, header};
use serde_json::Value;

/// How every tenant of a run is called, before its number.
pub(crate) const TENANT: &str = "bench-";

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
/// Operations that change nothing.
const READS: [&str; 5] = ["GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"];
/// Of the connection, not of the answer.
const CONNECTION: [HeaderName; 4] =
    [header::CONNECTION, header::CONTENT_LENGTH, header::DATE, header::TRANSFER_ENCODING];

#[derive(Clone)]
pub(crate) struct Store(Arc<Inner>);

struct Inner {
    endpoint: String,
    http: reqwest::Client,
    memory: Mutex<Memory<Answer>>,
}

type Answer = (HeaderMap, Bytes);

impl Store {
    pub(crate) fn new(endpoint: &str) -> Store {
        Store(Arc::new(Inner {
            endpoint: endpoint.to_owned(),
            http: reqwest::Client::new(),
            memory: Mutex::new(Memory { answers: HashMap::new(), writes: 0 }),
        }))
    }

    pub(crate) fn router(&self) -> Router {
        let router = Router::new().fallback(serve).layer(DefaultBodyLimit::disable());
        router.with_state(self.clone())
    }

    /// What is held until something that names these tenants is written, or was given up half way.
    pub(crate) fn writing(&self, text: &str) -> Writing<'_> {
        Writing { store: self, tenants: tenants(text) }
    }

    fn memory(&self) -> MutexGuard<'_, Memory<Answer>> {
        self.0.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, headers: HeaderMap, body: Bytes) -> reqwest::Result<(StatusCode, Answer)> {
        let answer = self.0.http.post(&self.0.endpoint).headers(headers).body(body).send().await?;
        let status = answer.status();
        let mut headers = answer.headers().clone();
        for name in CONNECTION {
            headers.remove(name);
        }
        Ok((status, (headers, answer.bytes().await?)))
    }
}

#[must_use]
pub(crate) struct Writing<'a> {
    store: &'a Store,
    tenants: BTreeSet<String>,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.store.memory().forget(&self.tenants);
    }
}

async fn serve(State(store): State<Store>, mut headers: HeaderMap, body: Bytes) -> Response<Body> {
    for name in [header::HOST].iter().chain(&CONNECTION) {
        headers.remove(name);
    }
    let target = headers.get(TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
    let is_read = target.rsplit('.').next().is_some_and(|operation| READS.contains(&operation));
    let text = String::from_utf8_lossy(&body);
    let answered = if is_read {
        let question = Question::new(target, &text);
        let writes = match store.memory().recall(&question) {
            Ok(answer) => return response(StatusCode::OK, answer),
            Err(writes) => writes,
        };
        let answered = store.ask(headers, body).await;
        if let Ok((StatusCode::OK, answer)) = &answered {
            store.memory().keep(question, answer.clone(), writes);
        }
        answered
    } else {
        let writing = store.writing(&text);
        let answered = store.ask(headers, body).await;
        drop(writing);
        answered
    };
    match answered {
        Ok((status, answer)) => response(status, answer),
        Err(error) => {
            // A program would try again, and look slow.
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

/// The tenants that a text names.
fn tenants(text: &str) -> BTreeSet<String> {
    let number = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    text.split(TENANT).skip(1).map(number).collect()
}

/// One question in any of the words that a program may put it in: Rust's SDK writes the members of an
/// object in another order each time.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Question {
    target: String,
    body: Value,
    tenants: BTreeSet<String>,
}

impl Question {
    fn new(target: &str, body: &str) -> Question {
        Question {
            target: target.to_owned(),
            body: serde_json::from_str(body).unwrap_or_else(|_| Value::from(body)),
            tenants: tenants(body),
        }
    }
}

struct Memory<A> {
    answers: HashMap<Question, A>,
    /// How often something was forgotten.
    writes: u64,
}

impl<A: Clone> Memory<A> {
    /// The answer, else what `keep` has to be given with it.
    fn recall(&self, question: &Question) -> Result<A, u64> {
        self.answers.get(question).cloned().ok_or(self.writes)
    }

    /// Unless something was written since it was asked.
    fn keep(&mut self, question: Question, answer: A, writes: u64) {
        if writes == self.writes {
            self.answers.insert(question, answer);
        }
    }

    /// Keeps only what is about other tenants alone.
    fn forget(&mut self, written: &BTreeSet<String>) {
        self.writes += 1;
        let is_apart = |question: &Question| {
            !question.tenants.is_empty() && question.tenants.is_disjoint(written)
        };
        self.answers.retain(|question, _| !written.is_empty() && is_apart(question));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(body: &str) -> Question {
        Question::new("DynamoDB_20120810.GetItem", body)
    }

    #[test]
    fn the_order_of_members_is_none_of_the_question() {
        let one = get(r#"{"Key":{"pk":{"S":"T#bench-0001"},"sk":{"S":"A"}},"TableName":"t"}"#);
        let same = get(r#"{"TableName":"t","Key":{"sk":{"S":"A"},"pk":{"S":"T#bench-0001"}}}"#);
        let other = get(r#"{"TableName":"t","Key":{"sk":{"S":"B"},"pk":{"S":"T#bench-0001"}}}"#);
        let mut memory = Memory { answers: HashMap::new(), writes: 0 };
        memory.keep(one, 1, 0);
        assert_eq!(memory.recall(&same), Ok(1));
        assert_eq!(memory.recall(&other), Err(0));
        let query = Question { target: "DynamoDB_20120810.Query".to_owned(), ..same };
        assert_eq!(memory.recall(&query), Err(0));
    }

    #[test]
    fn a_write_leaves_what_is_about_other_tenants_alone() {
        let questions = ["T#bench-0001", "T#bench-0002", "bench-0001 bench-0002", "T#WARM"];
        let left = |written: &str| {
            let mut memory = Memory { answers: HashMap::new(), writes: 0 };
            for question in questions {
                memory.keep(get(question), question, 0);
            }
            memory.forget(&tenants(written));
            let is_left = |question: &&str| memory.recall(&get(question)).is_ok();
            questions.into_iter().filter(is_left).collect::<Vec<_>>()
        };
        assert_eq!(left("[T#bench-0001] [T#bench-0003]"), ["T#bench-0002"]);
        assert_eq!(left("bench-0003"), ["T#bench-0001", "T#bench-0002", "bench-0001 bench-0002"]);
        assert!(left("a list").is_empty());
    }

    #[test]
    fn what_may_have_been_read_before_a_write_is_not_kept() {
        let mut memory = Memory { answers: HashMap::new(), writes: 0 };
        let Err(writes) = memory.recall(&get("bench-0001")) else { panic!("nothing is known") };
        memory.forget(&tenants("bench-0001"));
        memory.keep(get("bench-0001"), 1, writes);
        assert_eq!(memory.recall(&get("bench-0001")), Err(1));
    }
}
