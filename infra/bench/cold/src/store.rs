//! The table as the programs reach it: the embedded store, and before it a memory of what it answered. How
//! long a store takes to read an item is none of what is measured, and it would have to share this
//! machine's processors with the program that waits for it. Only reads are answered from memory, and only
//! where nothing was written since that they could have seen; every write goes to the store.
//!
//! What a read could see is known by its words: items of the partitions that it names or, where it asks
//! an index, rows of its tenant, whose name every key has.

use std::collections::HashMap;
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

    /// What is held until something is written, or was given up half way: the words of the request, or
    /// none where they do not say which items that concerns.
    pub(crate) fn writing<'a>(&'a self, words: Option<&'a str>) -> Writing<'a> {
        Writing { store: self, words }
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
    words: Option<&'a str>,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.store.memory().forget(self.words);
    }
}

async fn serve(State(store): State<Store>, mut headers: HeaderMap, body: Bytes) -> Response<Body> {
    for name in [header::HOST].iter().chain(&CONNECTION) {
        headers.remove(name);
    }
    let target = headers.get(TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
    let is_read = target.rsplit('.').next().is_some_and(|operation| READS.contains(&operation));
    let text = String::from_utf8_lossy(&body).into_owned();
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
        let writing = store.writing(Some(&text));
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

/// One question in any of the words that a program may put it in: Rust's SDK writes the members of an
/// object in another order each time.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Question {
    target: String,
    body: Value,
    /// What a write has to name to change the answer; nothing where any may.
    about: Vec<String>,
}

impl Question {
    fn new(target: &str, text: &str) -> Question {
        let body = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        let mut about = partitions(&body);
        if about.is_empty() {
            about = tenants(text);
        }
        about.sort_unstable();
        Question { target: target.to_owned(), body, about }
    }
}

/// Of the keys that are asked for.
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

/// That are named.
fn tenants(text: &str) -> Vec<String> {
    let number = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    text.split(TENANT).skip(1).map(|rest| format!("{TENANT}{}", number(rest))).collect()
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

    /// What those words may have changed.
    fn forget(&mut self, written: Option<&str>) {
        self.writes += 1;
        let is_other = |question: &Question| match written {
            Some(words) if !question.about.is_empty() => {
                !question.about.iter().any(|name| words.contains(name))
            }
            _ => false,
        };
        self.answers.retain(|question, _| is_other(question));
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
    fn a_write_leaves_what_it_can_not_have_changed() {
        let key = |pk: &str| format!(r#"{{"Key":{{"pk":{{"S":"{pk}"}},"sk":{{"S":"A"}}}}}}"#);
        let items = [key("T#bench-0001"), key("T#bench-0001#S#1"), key("T#WARM")];
        let index =
            |tenant: &str| format!(r#"{{"IndexName":"gsi1","Values":[{{"S":"{tenant}"}}]}}"#);
        let [one, session, warm] = &items;
        let (first, second) = (index("T#bench-0001"), index("T#bench-0002"));
        let list = r#"{"IndexName":"gsi1","Values":[{"S":"L#list"}]}"#.to_owned();
        let questions = [one, session, warm, &first, &second, &list];
        let left = |written: Option<&str>| {
            let mut memory = Memory { answers: HashMap::new(), writes: 0 };
            for question in questions {
                memory.keep(get(question), (), 0);
            }
            memory.forget(written);
            let is_left = |question: &&&String| memory.recall(&get(question)).is_ok();
            questions.iter().filter(is_left).map(|question| question.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(left(Some(&key("T#bench-0001#S#1"))), [warm.as_str(), &second]);
        assert_eq!(left(Some(&key("T#bench-0002"))), [one.as_str(), session, warm, &first]);
        assert_eq!(left(Some(&key("L#list"))), [one.as_str(), session, warm, &first, &second]);
        assert!(left(None).is_empty());
    }

    #[test]
    fn what_may_have_been_read_before_a_write_is_not_kept() {
        let mut memory = Memory { answers: HashMap::new(), writes: 0 };
        let Err(writes) = memory.recall(&get("bench-0001")) else { panic!("nothing is known") };
        memory.forget(Some("bench-0001"));
        memory.keep(get("bench-0001"), 1, writes);
        assert_eq!(memory.recall(&get("bench-0001")), Err(1));
    }
}
