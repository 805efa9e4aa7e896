//! Of what is another tenant's a caller learns nothing: whatever names it, wherever it is named, the
//! answer is byte for byte the one for what there never was.

use std::time::Instant;

use api_tests::{Answer, Api, Call, Persona, TEMPLATE, Value, json};

use crate::customers::forged_cursor;
use crate::matrix::{Ids, PERMISSIONS, ROWS, everything};

const NOBODY: &str = "01920000-0000-7000-8000-000000000000";
/// Of the same length and form, but never used by anybody.
const CLIENTS: (&str, &str) = ("acme-crm-0001", "none-crm-0001");
const HEADERS: usize = 4;

/// One request that names what is another tenant's, and the same one for what there never was.
struct Pair {
    what: String,
    foreign: Call,
    unknown: Call,
}

/// What another tenant has.
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

/// Everything an answer says, but for what is new in every answer.
fn told(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let (status, headers, _) = answer.without_request_id();
    let id = answer.header("x-request-id").unwrap_or_default();
    (status, headers, if id.is_empty() { answer.text.clone() } else { answer.text.replace(id, "") })
}

/// With ids and times of what a success made taken out, and which of the two clients it was for.
fn told_of_success(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let (status, headers, text) = told(answer);
    let own = ["etag", "location", "content-length"];
    let headers = headers.into_iter().filter(|(name, _)| !own.contains(&name.as_str()));
    let text = text.replace(CLIENTS.0, CLIENTS.1).replace(&CLIENTS.0.to_uppercase(), CLIENTS.1);
    let text = text.split('"').map(|part| match part.len() {
        36 if uuid::Uuid::parse_str(part).is_ok() => "an id",
        24 if part.starts_with("20") && part.ends_with('Z') => "a time",
        _ => part,
    });
    (status, headers.collect(), text.collect::<Vec<_>>().join("\""))
}

async fn compare(pair: Pair) {
    let (foreign, unknown) = (pair.foreign.send().await, pair.unknown.send().await);
    match unknown.status {
        200..300 => {
            assert_eq!(told_of_success(&foreign), told_of_success(&unknown), "{}", pair.what)
        }
        _ => assert_eq!(told(&foreign), told(&unknown), "{}", pair.what),
    }
}

/// Rows whose path names something: with nothing else, and with a foreign `ETag`, tenant or key.
fn of_paths(api: &Api, who: &Persona, foreign: &Foreign, own: &Ids) -> Vec<Pair> {
    let nobody = NOBODY.to_owned();
    let nobody = Ids { customer: nobody.clone(), session: nobody.clone(), alert: nobody };
    let tenant = api.tenant("acme");
    let mut pairs = Vec::new();
    for row in ROWS.iter().filter(|row| row.names_something()) {
        let mut named = vec![(foreign.ids.clone(), nobody.clone())];
        if row.route.contains("{alert_id}") {
            let customer = own.customer.clone();
            let of_own = |ids: &Ids| Ids { customer: customer.clone(), ..ids.clone() };
            named.push((of_own(&foreign.ids), of_own(&nobody)));
        }
        for (theirs, nobodys) in named {
            let request = |ids: &Ids| row.request(api, who, ids);
            let key = |of: &str| format!("{of} {}", row.route);
            let plain = (request(&theirs), request(&nobodys));
            let etag = (
                request(&theirs).header("if-match", &foreign.etag),
                request(&nobodys).header("if-match", "\"987654\""),
            );
            let key = (
                request(&theirs).header("idempotency-key", &key("acme")),
                request(&nobodys).header("idempotency-key", &key("nobody")),
            );
            let tenants =
                request(&theirs).header("x-tenant-id", &tenant).header("tenant-id", &tenant);
            let tenants = (
                tenants.header("custom:tenant_id".trim_start_matches("custom:"), &tenant),
                request(&nobodys),
            );
            for (how, (foreign, unknown)) in [
                ("plain", plain),
                ("If-Match", etag),
                ("Idempotency-Key", key),
                ("tenant", tenants),
            ] {
                pairs.push(Pair { what: format!("{} {how} {who:?}", row.route), foreign, unknown });
            }
        }
    }
    pairs
}

/// What is named in queries, bodies and headers of requests about a caller's own.
fn of_the_rest(api: &Api, who: &Persona, foreign: &Foreign, own: &[Ids; 2]) -> Vec<Pair> {
    let cursor = |of: &str| format!("cursor={of}");
    let altered = |cursor: &str| cursor.chars().rev().collect::<String>();
    let customer = format!("/customers/{}", own[0].customer);
    let get = |path: String| api.call(who, "GET", &path);
    let send = |method: &str, path: &str, body: Value| api.call(who, method, path).json(&body);
    let keyed = |path: &str, body: Value, of: &str| {
        send("POST", path, body).header("idempotency-key", &format!("{of} POST {path}"))
    };
    let new = || json!({ "name": "New" });
    let first = || json!({ "client_id": "new" });
    let owner = |id: &str| {
        json!({ "parties": [{ "party_id": "p", "kind": "company", "name": "P", "customer_id": id }],
            "relationships": [] })
    };
    let list = |query: String| get(format!("/customers?{query}"));
    let sessions = |query: String| get(format!("{customer}/sessions?{query}"));
    let export = |query: String| get(format!("{customer}/export?{query}"));
    let alerts = |query: String| get(format!("{customer}/alerts?{query}"));
    let with_client = |client: &str| json!({ "name": "New", "client_id": client });
    let theirs = &foreign.ids.customer;
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
            export(cursor(&forged_cursor(&api.tenant("acme"), theirs, "CUSTOMER"))),
            export(cursor(&forged_cursor(&api.tenant("acme"), NOBODY, "CUSTOMER"))),
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
        ("create key", keyed("/customers", new(), "acme"), keyed("/customers", new(), "nobody")),
        (
            "session customer_id",
            send("POST", "/kyc/sessions", json!({ "customer_id": theirs })),
            send("POST", "/kyc/sessions", json!({ "customer_id": NOBODY })),
        ),
        (
            "session client_id",
            send("POST", "/kyc/sessions", json!({ "client_id": format!("{}-s", CLIENTS.0) })),
            send("POST", "/kyc/sessions", json!({ "client_id": format!("{}-s", CLIENTS.1) })),
        ),
        (
            "session key",
            keyed("/kyc/sessions", first(), "acme"),
            keyed("/kyc/sessions", first(), "nobody"),
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
            send("PUT", &format!("{customer}/organization"), owner(theirs)),
            send("PUT", &format!("/customers/{}/organization", own[1].customer), owner(NOBODY)),
        ),
    ];
    let pairs = pairs.into_iter();
    pairs
        .map(|(what, foreign, unknown)| Pair { what: format!("{what} {who:?}"), foreign, unknown })
        .collect()
}

#[tokio::test]
async fn what_is_another_tenants_is_what_there_never_was() {
    let api = Api::start().await;
    api.refresh().await;
    let foreign = acme(&api).await;
    let before =
        api.get(&Persona::of("acme"), &format!("/customers/{}", foreign.ids.customer)).await;
    let mut tried = 0;
    for number in 0..personas("").len() {
        // Each in a tenant of its own, so that none meets what another has made.
        let tenant = format!("stranger-{number}");
        let full = Persona::of(&tenant);
        let own = [everything(&api, &full).await, everything(&api, &full).await];
        // Whose first session is not its first any more.
        api.create(&full, &json!({ "name": "New", "client_id": "new" })).await;
        let who = personas(&tenant).swap_remove(number);
        for pair in of_paths(&api, &who, &foreign, &own[0]) {
            compare(pair).await;
            tried += 1;
        }
        for pair in of_the_rest(&api, &who, &foreign, &own) {
            compare(pair).await;
            tried += 1;
        }
    }
    let paths: Vec<String> = TEMPLATE.routes().map(|(_, route)| route.path.clone()).collect();
    let named = paths.iter().filter(|path| path.contains('{')).count();
    let alerts = paths.iter().filter(|path| path.contains("{alert_id}")).count();
    assert_eq!(tried, personas("").len() * (HEADERS * (named + alerts) + 14));
    println!("{tried} combinations, no difference");
    let after =
        api.get(&Persona::of("acme"), &format!("/customers/{}", foreign.ids.customer)).await;
    assert_eq!(told(&before), told(&after));
}

async fn acme(api: &Api) -> Foreign {
    let acme = Persona::of("acme");
    let ids = everything(api, &acme).await;
    // Every key is used, on what nothing else looks at.
    let other = everything(api, &acme).await;
    for row in ROWS.iter().filter(|row| row.route.starts_with("POST")) {
        let key = format!("acme {}", row.route);
        row.request(api, &acme, &other).header("idempotency-key", &key).send().await;
    }
    let (client, _) = CLIENTS;
    for client in [client.to_owned(), format!("{client}-s"), format!("{client}-p")] {
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

/// Looks at how long it takes to be told that there is nothing: a difference would tell one kind
/// from the other. `cargo test --release -p api-tests isolation::times -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement, which decides nothing"]
async fn times_of_404s() {
    const ROUNDS: usize = 4_000;
    let api = Api::start().await;
    api.refresh().await;
    let ids = acme(&api).await.ids;
    let stranger = Persona::of("stranger");
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        let mut order = [(0, ids.customer.as_str()), (1, NOBODY)];
        order.rotate_left(round % 2);
        for (kind, id) in order {
            let started = Instant::now();
            let answer = api.get(&stranger, &format!("/customers/{id}")).await;
            times[kind].push(started.elapsed().as_secs_f64() * 1e6);
            assert_eq!(answer.status, 404);
        }
    }
    // How often one of another tenant takes longer than one of nobody; half of all if nothing differs.
    let longer =
        times[0].iter().zip(&times[1]).filter(|(theirs, nobodys)| theirs > nobodys).count();
    for times in &mut times {
        times.sort_by(f64::total_cmp);
    }
    let [theirs, nobodys] =
        times.map(|times| (times[ROUNDS / 10], times[ROUNDS / 2], times[ROUNDS * 9 / 10]));
    println!(
        "microseconds, 10 %, median, 90 %: another tenant's {theirs:.0?}, nobody's {nobodys:.0?}"
    );
    println!("longer for another tenant's: {:.1} %", longer as f64 / ROUNDS as f64 * 100.0);
}
