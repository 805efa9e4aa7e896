//! Checks that a caller cannot find out whether something exists in another tenant. If a request
//! names an object of another tenant, in any place, the answer equals byte for byte the answer for
//! an object that never existed.

use std::time::Instant;

use api_tests::{Answer, Api, Call, Persona, TEMPLATE, Value, json};

use crate::customers::forged_cursor;
use crate::matrix::{Ids, PERMISSIONS, ROWS, everything};

/// An id that does not exist.
const UNKNOWN: &str = "01920000-0000-7000-8000-000000000000";
/// A client id of the other tenant, and an unused one of the same length and form.
const CLIENTS: (&str, &str) = ("acme-crm-0001", "none-crm-0001");
/// Number of header variants of each request that [`path_pairs`] returns.
const HEADERS: usize = 4;

/// A request that names an object of another tenant, and the same request with an object that never
/// existed.
struct Pair {
    name: String,
    foreign: Call,
    unknown: Call,
}

/// The objects of the other tenant.
struct Foreign {
    ids: Ids,
    etag: String,
    customers_cursor: String,
    sessions_cursor: String,
}

fn personas(tenant: &str) -> Vec<Persona> {
    let mut personas: Vec<Persona> =
        PERMISSIONS.iter().map(|permission| Persona::with(tenant, &[permission])).collect();
    personas.extend([Persona::of(tenant), Persona::with(tenant, &["other:read"])]);
    personas
}

/// Returns the answer without the values that differ in every answer.
fn comparable(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let (status, headers, _) = answer.without_request_id();
    let text = match answer.header("x-request-id") {
        Some(id) if !id.is_empty() => answer.text.replace(id, ""),
        _ => answer.text.clone(),
    };
    (status, headers, text)
}

/// Returns the result of [`comparable`] without the values that also differ between two successes:
/// new ids, times, and the client id in the request.
fn comparable_success(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let (status, mut headers, text) = comparable(answer);
    headers.retain(|(name, _)| !["etag", "location", "content-length"].contains(&name.as_str()));
    let (foreign, unknown) = CLIENTS;
    let text = text.replace(foreign, unknown).replace(&foreign.to_uppercase(), unknown);
    let parts = text.split('"').map(|part| match part.len() {
        36 if uuid::Uuid::parse_str(part).is_ok() => "an id",
        24 if part.starts_with("20") && part.ends_with('Z') => "a time",
        _ => part,
    });
    (status, headers, parts.collect::<Vec<_>>().join("\""))
}

async fn assert_same_answers(pair: Pair) {
    let (foreign, unknown) = (pair.foreign.send().await, pair.unknown.send().await);
    if (200..300).contains(&unknown.status) {
        assert_eq!(comparable_success(&foreign), comparable_success(&unknown), "{}", pair.name);
    } else {
        assert_eq!(comparable(&foreign), comparable(&unknown), "{}", pair.name);
    }
}

/// Returns requests that name a foreign object in their path. There are four variants of each
/// request: without further headers, with `If-Match`, with an idempotency key that the other tenant
/// has used, and with headers that name the other tenant.
fn path_pairs(api: &Api, who: &Persona, foreign: &Foreign, own: &Ids) -> Vec<Pair> {
    let unknown_ids = Ids::unknown();
    let tenant = api.tenant("acme");
    let mut pairs = Vec::new();
    for row in ROWS.iter().filter(|row| row.has_id()) {
        let mut ids = vec![(foreign.ids.clone(), unknown_ids.clone())];
        if row.route.contains("{alert_id}") {
            // The alert is foreign, but the customer belongs to the caller.
            let with_own_customer =
                |ids: &Ids| Ids { customer: own.customer.clone(), ..ids.clone() };
            ids.push((with_own_customer(&foreign.ids), with_own_customer(&unknown_ids)));
        }
        for (foreign_ids, unknown_ids) in ids {
            let request = |ids: &Ids| row.request(api, who, ids);
            let key = |tenant: &str| format!("{tenant} {}", row.route);
            let plain = (request(&foreign_ids), request(&unknown_ids));
            let with_etag = (
                request(&foreign_ids).header("if-match", &foreign.etag),
                request(&unknown_ids).header("if-match", "\"987654\""),
            );
            let with_key = (
                request(&foreign_ids).header("idempotency-key", &key("acme")),
                request(&unknown_ids).header("idempotency-key", &key("nobody")),
            );
            let with_tenant = (
                request(&foreign_ids)
                    .header("x-tenant-id", &tenant)
                    .header("tenant-id", &tenant)
                    .header("tenant_id", &tenant),
                request(&unknown_ids),
            );
            for (headers, (foreign, unknown)) in [
                ("plain", plain),
                ("If-Match", with_etag),
                ("Idempotency-Key", with_key),
                ("tenant", with_tenant),
            ] {
                let name = format!("{} {headers} {who:?}", row.route);
                pairs.push(Pair { name, foreign, unknown });
            }
        }
    }
    pairs
}

/// Returns requests that name a foreign object in the query, the body or a header instead of in the
/// path.
fn other_pairs(api: &Api, who: &Persona, foreign: &Foreign, own: &[Ids; 2]) -> Vec<Pair> {
    let cursor = |text: &str| format!("cursor={text}");
    let altered = |cursor: &str| cursor.chars().rev().collect::<String>();
    let customer = format!("/customers/{}", own[0].customer);
    let get = |path: String| api.call(who, "GET", &path);
    let send = |method: &str, path: &str, body: Value| api.call(who, method, path).json(&body);
    let with_key = |path: &str, body: Value, tenant: &str| {
        send("POST", path, body).header("idempotency-key", &format!("{tenant} POST {path}"))
    };
    let new_customer = || json!({ "name": "New" });
    let new_session = || json!({ "client_id": "new" });
    let with_party = |id: &str| {
        json!({ "parties": [{ "party_id": "p", "kind": "company", "name": "P", "customer_id": id }],
            "relationships": [] })
    };
    let list = |query: String| get(format!("/customers?{query}"));
    let sessions = |query: String| get(format!("{customer}/sessions?{query}"));
    let export = |query: String| get(format!("{customer}/export?{query}"));
    let alerts = |query: String| get(format!("{customer}/alerts?{query}"));
    let with_client = |client: &str| json!({ "name": "New", "client_id": client });
    let foreign_id = &foreign.ids.customer;
    let position = format!("{UNKNOWN}#CUSTOMER");
    let pairs = [
        (
            "list client_id",
            list(format!("client_id={}", CLIENTS.0)),
            list(format!("client_id={}", CLIENTS.1)),
        ),
        (
            "list cursor",
            list(cursor(&foreign.customers_cursor)),
            list(cursor(&altered(&foreign.customers_cursor))),
        ),
        (
            "list search",
            list("search=Brindal%20Quarry%20Acme".to_owned()),
            list("search=Brindal%20Quarry%20None".to_owned()),
        ),
        ("list tag", list("tag=acme-only".to_owned()), list("tag=none-only".to_owned())),
        (
            "sessions cursor",
            sessions(cursor(&foreign.sessions_cursor)),
            sessions(cursor(&altered(&foreign.sessions_cursor))),
        ),
        (
            "export cursor",
            export(cursor(&forged_cursor(&api.tenant("acme"), foreign_id, &position))),
            export(cursor(&forged_cursor(&api.tenant("acme"), UNKNOWN, &position))),
        ),
        (
            "alerts cursor",
            alerts(cursor(&foreign.sessions_cursor)),
            alerts(cursor(&altered(&foreign.sessions_cursor))),
        ),
        (
            "create client_id",
            send("POST", "/customers", with_client(CLIENTS.0)),
            send("POST", "/customers", with_client(CLIENTS.1)),
        ),
        (
            "create key",
            with_key("/customers", new_customer(), "acme"),
            with_key("/customers", new_customer(), "nobody"),
        ),
        (
            "session customer_id",
            send("POST", "/kyc/sessions", json!({ "customer_id": foreign_id })),
            send("POST", "/kyc/sessions", json!({ "customer_id": UNKNOWN })),
        ),
        (
            "session client_id",
            send("POST", "/kyc/sessions", json!({ "client_id": format!("{}-s", CLIENTS.0) })),
            send("POST", "/kyc/sessions", json!({ "client_id": format!("{}-s", CLIENTS.1) })),
        ),
        (
            "session key",
            with_key("/kyc/sessions", new_session(), "acme"),
            with_key("/kyc/sessions", new_session(), "nobody"),
        ),
        (
            "patch client_id",
            send("PATCH", &customer, json!({ "client_id": format!("{}-p", CLIENTS.0) })),
            send(
                "PATCH",
                &format!("/customers/{}", own[1].customer),
                json!({ "client_id": format!("{}-p", CLIENTS.1) }),
            ),
        ),
        (
            "party customer_id",
            send("PUT", &format!("{customer}/organization"), with_party(foreign_id)),
            send(
                "PUT",
                &format!("/customers/{}/organization", own[1].customer),
                with_party(UNKNOWN),
            ),
        ),
    ];
    pairs
        .into_iter()
        .map(|(name, foreign, unknown)| Pair { name: format!("{name} {who:?}"), foreign, unknown })
        .collect()
}

#[tokio::test]
async fn objects_of_another_tenant_look_like_objects_that_never_existed() {
    let api = Api::start().await;
    api.refresh().await;
    let foreign = acme(&api).await;
    let foreign_path = format!("/customers/{}", foreign.ids.customer);
    let before = api.get(&Persona::of("acme"), &foreign_path).await;
    let mut pairs = 0;
    for number in 0..personas("").len() {
        // Each persona has its own tenant, so that it does not see the objects of other personas.
        let tenant = format!("stranger-{number}");
        let full = Persona::of(&tenant);
        let own = [everything(&api, &full).await, everything(&api, &full).await];
        // Create the customer now. Otherwise, the first session with this client id would create
        // the customer, and its answer would differ from the answers of later requests.
        api.create(&full, &json!({ "name": "New", "client_id": "new" })).await;
        let who = personas(&tenant).swap_remove(number);
        for pair in path_pairs(&api, &who, &foreign, &own[0]) {
            assert_same_answers(pair).await;
            pairs += 1;
        }
        for pair in other_pairs(&api, &who, &foreign, &own) {
            assert_same_answers(pair).await;
            pairs += 1;
        }
    }
    let paths: Vec<String> = TEMPLATE.routes().map(|(_, route)| route.path.clone()).collect();
    let with_id = paths.iter().filter(|path| path.contains('{')).count();
    let with_alert_id = paths.iter().filter(|path| path.contains("{alert_id}")).count();
    assert_eq!(pairs, personas("").len() * (HEADERS * (with_id + with_alert_id) + 14));
    println!("{pairs} pairs of requests without a difference");
    let after = api.get(&Persona::of("acme"), &foreign_path).await;
    assert_eq!(comparable(&before), comparable(&after));
}

/// Creates the objects of the other tenant, `acme`.
async fn acme(api: &Api) -> Foreign {
    let acme = Persona::of("acme");
    let ids = everything(api, &acme).await;
    // Use every idempotency key, with objects that the test does not compare.
    let other = everything(api, &acme).await;
    for row in ROWS.iter().filter(|row| !row.route.starts_with("GET")) {
        let key = format!("acme {}", row.route);
        row.request(api, &acme, &other).header("idempotency-key", &key).send().await;
    }
    for suffix in ["", "-s", "-p"] {
        let client = format!("{}{suffix}", CLIENTS.0);
        let body =
            json!({ "name": "Brindal Quarry Acme", "client_id": client, "tags": ["acme-only"] });
        api.create(&acme, &body).await;
    }
    let path = format!("/customers/{}", ids.customer);
    for _ in 0..2 {
        api.post(&acme, "/kyc/sessions", &json!({ "customer_id": ids.customer })).await.expect(201);
    }
    let cursor = async |path: String| {
        let page = api.get(&acme, &path).await.expect(200);
        page["cursor"].as_str().unwrap().to_owned()
    };
    let answer = api.get(&acme, &path).await;
    Foreign {
        etag: answer.header("etag").unwrap().to_owned(),
        customers_cursor: cursor("/customers?limit=1".to_owned()).await,
        sessions_cursor: cursor(format!("{path}/sessions?limit=1")).await,
        ids,
    }
}

/// Measures the time of a 404 for a foreign customer and for a customer that never existed. A
/// difference would reveal whether the customer exists. To run the measurement:
///
/// `cargo test --release -p api-tests isolation::times -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement without an assertion"]
async fn times_of_404s() {
    const ROUNDS: usize = 4_000;
    let api = Api::start().await;
    api.refresh().await;
    let ids = acme(&api).await.ids;
    let stranger = Persona::of("stranger");
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        let mut order = [(0, ids.customer.as_str()), (1, UNKNOWN)];
        order.rotate_left(round % 2);
        for (kind, id) in order {
            let start = Instant::now();
            let answer = api.get(&stranger, &format!("/customers/{id}")).await;
            times[kind].push(start.elapsed().as_secs_f64() * 1e6);
            assert_eq!(answer.status, 404);
        }
    }
    // If the times do not differ, the foreign customer takes longer in about half of all rounds.
    let longer =
        times[0].iter().zip(&times[1]).filter(|(foreign, unknown)| foreign > unknown).count();
    for times in &mut times {
        times.sort_by(f64::total_cmp);
    }
    let [foreign, unknown] =
        times.map(|times| (times[ROUNDS / 10], times[ROUNDS / 2], times[ROUNDS * 9 / 10]));
    println!("µs (10 %, median, 90 %): foreign {foreign:.0?}, unknown {unknown:.0?}");
    println!("foreign takes longer: {:.1} %", longer as f64 / ROUNDS as f64 * 100.0);
}
