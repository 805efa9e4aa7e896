//! Tests the request limits of a tenant.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api_tests::faults::{self, Meter};
use api_tests::{Answer, Api, Persona, chaos, json};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use futures_util::future::join_all;
use local::calls::Interceptor;
use shared::model::limit::RouteClass;
use shared::model::time::{Clock, Timestamp};

/// Returns the environment of a server with these limits, each as class, rate and burst.
pub(crate) fn environment(limits: &[(&str, u32, u32)]) -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> =
        [("WATCHLIST_SOURCES".to_owned(), local::sample_source())].into();
    for (class, rate, burst) in limits {
        environment.insert(format!("TENANT_{class}_RATE"), rate.to_string());
        environment.insert(format!("TENANT_{class}_BURST"), burst.to_string());
    }
    environment
}

/// A server with limits and a clock that only the test changes.
async fn limited(limits: &[(&str, u32, u32)]) -> (Api, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(1_795_000_000_000));
    (Api::set(clock(&now), None, None, environment(limits)).await, now)
}

fn clock(now: &Arc<AtomicI64>) -> Clock {
    let now = now.clone();
    Clock::new(move || Timestamp::from_millis(now.load(Ordering::SeqCst)))
}

fn ratelimit(answer: &Answer) -> [&str; 4] {
    ["limit", "remaining", "reset", "policy"]
        .map(|name| answer.header(&format!("ratelimit-{name}")).unwrap_or_default())
}

#[tokio::test]
async fn a_tenant_may_send_its_burst_and_then_its_rate() {
    let (api, now) = limited(&[("READ", 2, 3)]).await;
    let acme = Persona::of("acme");
    for remaining in ["2", "1", "0"] {
        let answer = api.get(&acme, "/customers").await;
        assert_eq!((ratelimit(&answer)[0], ratelimit(&answer)[1]), ("3", remaining));
        assert_eq!(answer.header("retry-after"), None);
        answer.expect(200);
    }
    let refused = api.get(&acme, "/customers").await;
    assert_eq!(ratelimit(&refused), ["3", "0", "2", "3;w=2"]);
    assert_eq!(refused.header("retry-after"), Some("1"));
    refused.refused(429, "TOO_MANY_REQUESTS");

    // At two tokens per second, there is one more token after half a second.
    now.fetch_add(500, Ordering::SeqCst);
    api.get(&acme, "/customers").await.expect(200);
    api.get(&acme, "/customers").await.refused(429, "TOO_MANY_REQUESTS");
    now.fetch_add(60_000, Ordering::SeqCst);
    assert_eq!(ratelimit(&api.get(&acme, "/customers").await)[1], "2");
    // An error response also reports the state of the bucket.
    let missing = "/customers/00000000-0000-7000-8000-000000000000";
    let missing = api.get(&acme, missing).await;
    assert_eq!(ratelimit(&missing)[1], "1");
    missing.refused(404, "CUSTOMER_NOT_FOUND");
}

#[tokio::test]
async fn a_bucket_belongs_to_one_tenant_and_one_class() {
    let (api, _) = limited(&[("READ", 1, 1), ("HEAVY", 1, 1)]).await;
    let (acme, bolt) = (Persona::of("acme"), Persona::of("bolt"));
    api.get(&acme, "/customers").await.expect(200);
    api.get(&acme, "/customers").await.refused(429, "TOO_MANY_REQUESTS");
    api.get(&bolt, "/customers").await.expect(200);
    // Writes are not limited here, and heavy routes have their own limit.
    let customer = api.create(&acme, &json!({ "name": "A" })).await;
    let created = api.post(&acme, "/customers", &json!({ "name": "B" })).await;
    assert_eq!(created.header("ratelimit-limit"), None);
    let organization = format!("{}/organization", api_tests::path_of(&customer));
    api.get(&acme, &organization).await.refused(404, "ORGANIZATION_NOT_FOUND");
    api.get(&acme, &organization).await.refused(429, "TOO_MANY_REQUESTS");
    // A request without a tenant does not use a bucket: it is refused with a 403.
    assert_eq!(api.get(&Persona::with("", &["kyc:*"]), "/customers").await.status, 403);
}

/// The bucket contains a time that was calculated with the old limit.
#[tokio::test]
async fn a_new_limit_does_not_lock_out_a_tenant_that_used_up_the_old_one() {
    let acme = Persona::of("acme");
    // A higher rate, and a smaller burst.
    for (rate, burst) in [(100, 30), (1, 3)] {
        let (old, now) = limited(&[("READ", 1, 30)]).await;
        for _ in 0..30 {
            old.get(&acme, "/customers").await.expect(200);
        }
        old.get(&acme, "/customers").await.refused(429, "TOO_MANY_REQUESTS");
        let limits = environment(&[("READ", rate, burst)]);
        let new = Api::set(clock(&now), Some(&old), None, limits).await;
        let answer = new.get(&acme, "/customers").await;
        assert_eq!(ratelimit(&answer)[1], "0");
        answer.expect(200);
        let refused = new.get(&acme, "/customers").await;
        assert_eq!(refused.header("retry-after"), Some("1"));
        refused.refused(429, "TOO_MANY_REQUESTS");
        now.fetch_add(1_000 / i64::from(rate), Ordering::SeqCst);
        new.get(&acme, "/customers").await.expect(200);
    }
}

/// All processes share the bucket of a tenant. Their clock does not advance, so the bucket does not
/// refill.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_requests_get_exactly_the_tokens_of_the_bucket() {
    let limits = [("READ", 1, 25)];
    let (one, now) = limited(&limits).await;
    let other = Api::set(clock(&now), Some(&one), None, environment(&limits)).await;
    let acme = Persona::of("acme");
    let requests = (0..80).map(|number| {
        let api = if number % 2 == 0 { &one } else { &other };
        api.get(&acme, "/customers")
    });
    let answers = join_all(requests).await;
    // If a busy machine does not read the bucket in time, the request is admitted without the
    // headers.
    let has_state = |answer: &&Answer| answer.header("ratelimit-limit").is_some();
    let in_time: Vec<&Answer> = answers.iter().filter(has_state).collect();
    let late = answers.len() - in_time.len();
    let admitted = in_time.iter().filter(|answer| answer.status == 200).count();
    assert!(in_time.iter().all(|answer| [200, 429].contains(&answer.status)));
    assert!(admitted <= 25 && admitted + late >= 25, "{admitted} admitted, {late} late");
}

#[tokio::test]
async fn a_refused_request_has_no_effect_and_does_not_use_its_idempotency_key() {
    let (api, now) = limited(&[("WRITE", 1, 1)]).await;
    let acme = Persona::of("acme");
    api.create(&acme, &json!({ "name": "A" })).await;
    let create = || {
        let call = api.call(&acme, "POST", "/customers").header("idempotency-key", "k");
        call.json(&json!({ "name": "B" })).send()
    };
    create().await.refused(429, "TOO_MANY_REQUESTS");
    let page = api.get(&acme, "/customers").await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    now.fetch_add(1_000, Ordering::SeqCst);
    let created = create().await;
    assert_eq!(created.header("idempotent-replayed"), None);
    created.expect(201);
}

#[tokio::test]
async fn a_limit_costs_one_call_and_no_limit_costs_none() {
    let now = Arc::new(AtomicI64::new(1_795_000_000_000));
    let mut calls = Vec::new();
    for limits in [&[][..], &[("READ", 1, 3)]] {
        let meter = Meter::default();
        let client = faults::client(meter.clone());
        let api = Api::set(clock(&now), None, Some(client), environment(limits)).await;
        let acme = Persona::of("acme");
        // With a limit, the requests find a full bucket, then a partly used one, and finally an
        // empty one, so the last request is refused.
        for _ in 0..4 {
            meter.take();
            api.get(&acme, "/customers").await;
            let consumed = meter.take();
            assert!(consumed.writes <= 1.0);
            calls.push(format!("{:?}", consumed.calls));
        }
    }
    let admitted = r#"{"Query": 1, "UpdateItem": 1}"#;
    let unlimited = r#"{"Query": 1}"#;
    // The third request emptied the bucket, so the last one needs no call.
    let refused = "{}";
    let expected = [[unlimited; 4], [admitted, admitted, admitted, refused]].concat();
    assert_eq!(calls, expected);
}

/// Leaves calls about a token bucket without an answer, and passes on all other calls.
#[derive(Clone, Debug)]
struct SilentBuckets;

impl Interceptor for SilentBuckets {
    fn call(&self, next: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        let partition = faults::body(&request)["Key"]["pk"]["S"].to_string();
        if partition.contains("#LIMIT#") {
            return HttpConnectorFuture::new(std::future::pending());
        }
        next.call(request)
    }
}

#[tokio::test]
async fn a_bucket_that_does_not_answer_admits_the_request() {
    let client = faults::client(SilentBuckets);
    let limits = environment(&[("READ", 1, 1)]);
    let api = Api::set(Clock::system(), None, Some(client), limits).await;
    for _ in 0..2 {
        let answer = api.get(&Persona::of("acme"), "/customers").await;
        assert_eq!(answer.header("ratelimit-limit"), None);
        answer.expect(200);
    }
}

/// Answers calls about a token bucket with this error code and counts them. Passes on all other
/// calls.
#[derive(Clone, Debug)]
struct FailingBuckets(&'static str, Arc<AtomicI64>);

impl Interceptor for FailingBuckets {
    fn call(&self, next: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        let partition = faults::body(&request)["Key"]["pk"]["S"].to_string();
        if partition.contains("#LIMIT#") {
            self.1.fetch_add(1, Ordering::SeqCst);
            let mut answer = chaos::refusal(400, self.0, json!({}));
            answer.headers_mut().remove("x-amz-retry-after");
            return HttpConnectorFuture::ready(Ok(answer));
        }
        next.call(request)
    }
}

/// The requests of one tenant overload its bucket. They must not be admitted, and the SDK must not
/// repeat the calls.
#[tokio::test]
async fn a_throttled_bucket_refuses_the_request() {
    for code in ["ThrottlingException", "ProvisionedThroughputExceededException"] {
        let calls = Arc::new(AtomicI64::new(0));
        let client = faults::client(FailingBuckets(code, calls.clone()));
        let limits = environment(&[("READ", 10, 20)]);
        let api = Api::set(Clock::system(), None, Some(client), limits).await;
        let refused = api.get(&Persona::of("acme"), "/customers").await;
        assert_eq!((ratelimit(&refused)[1], refused.header("retry-after")), ("0", Some("1")));
        refused.refused(429, "TOO_MANY_REQUESTS");
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }
}

/// A table that fails in another way must not stop a tenant.
#[tokio::test]
async fn a_bucket_that_fails_admits_the_request() {
    let calls = Arc::new(AtomicI64::new(0));
    let client = faults::client(FailingBuckets("AccessDeniedException", calls));
    let limits = environment(&[("READ", 1, 1)]);
    let api = Api::set(Clock::system(), None, Some(client), limits).await;
    api.get(&Persona::of("acme"), "/customers").await.expect(200);
}

#[test]
fn the_heavy_routes_are_those_of_the_template() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let template = std::fs::read_to_string(path).unwrap();
    let heavy = |route: &str| {
        let entry = format!("\"{route}\":\n          ThrottlingRateLimit: !Ref HeavyThrottleRate");
        template.contains(&entry)
    };
    let routes = local::template::Template::embedded().unwrap();
    let keys = routes.routes().flat_map(|(_, route)| {
        let head = (route.method == "GET").then(|| route.key().replacen("GET", "HEAD", 1));
        std::iter::once(route.key()).chain(head)
    });
    let mut count = 0;
    for key in keys {
        let class = RouteClass::of(&key);
        assert_eq!(class == RouteClass::Heavy, heavy(&key), "{key}");
        count += usize::from(class == RouteClass::Heavy);
    }
    assert_eq!(count, template.matches("ThrottlingRateLimit: !Ref HeavyThrottleRate").count());
}
