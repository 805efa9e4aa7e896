//! Runs random operations as one of several clients. They cover the whole API, and their data makes
//! clients conflict.

use api_tests::{Value, json};

use super::world::{Client, NAMES, TENANTS, World, customer_path, push_unique};

const COUNTRIES: [&str; 6] = ["DE", "FR", "IR", "KP", "US", "PA"];

/// Runs `operations` random operations as client `number`.
pub(super) async fn run_client(world: &World, number: usize, operations: usize) {
    let mut client = world.client(number);
    for _ in 0..operations {
        client.tenant = client.dice.roll(TENANTS.len());
        run_random(&mut client).await;
    }
}

/// Runs a random operation in the client's current tenant.
async fn run_random(client: &mut Client<'_>) {
    match client.dice.roll(1_000) {
        0..100 => create(client).await,
        100..250 => create_session(client).await,
        250..400 => update_session(client).await,
        400..530 => update(client).await,
        530..560 => deactivate(client).await,
        560..620 => put_organization(client).await,
        620..660 => recalculate(client).await,
        660..730 => start_monitor(client).await,
        730..750 => stop_monitor(client).await,
        750..800 => decide(client).await,
        800..960 => read(client).await,
        960..975 => export(client).await,
        975..988 => erase(client).await,
        _ => run_job(client).await,
    }
}

/// Picks a number, which determines the body of a request. In half of the cases, also returns an
/// idempotency key as a header. Requests with the same key always have the same number.
fn pick_key(client: &mut Client<'_>) -> (usize, Vec<(&'static str, String)>) {
    let number = client.dice.roll(100_000);
    if client.dice.percent(50) {
        return (number, Vec::new());
    }
    // Use only 60 different keys at a time, so that several clients use the same key.
    let number = number % 60
        + client.world.setup.now.load(std::sync::atomic::Ordering::SeqCst) as usize / 100_000
            % 1_000
            * 60;
    (number, vec![("idempotency-key", client.world.key(number))])
}

/// Stores the idempotency key, if there is one, in the metadata of the body. A later check can then
/// find items that were created twice with the same key, even if the clients did not get an answer.
fn mark_with_key(body: &mut Value, headers: &[(&'static str, String)]) {
    if let Some((_, key)) = headers.first() {
        body["metadata"]["key"] = json!(key);
    }
}

fn client_id(number: usize) -> String {
    format!("c{}", number % 997)
}

/// Returns a new idempotency key in a quarter of the cases. Only repetitions of the same request
/// share it.
fn fresh_key(client: &mut Client<'_>) -> Vec<(&'static str, String)> {
    if client.dice.percent(75) {
        return Vec::new();
    }
    let number = client.dice.roll(usize::MAX);
    vec![("idempotency-key", format!("fresh-{number}"))]
}

async fn create(client: &mut Client<'_>) {
    let (number, headers) = pick_key(client);
    let mut body = json!({
        "name": NAMES[number % NAMES.len()],
        "country": COUNTRIES[number / 7 % COUNTRIES.len()],
        "metadata": { "n": number.to_string() },
    });
    mark_with_key(&mut body, &headers);
    if number % 3 > 0 {
        body["client_id"] = json!(client_id(number));
    }
    if number % 4 == 0 {
        body["entity_type"] = json!("individual");
    }
    let created = client.send("create", "POST", "/customers", Some(&body), &headers).await;
    if let Some(customer) = created {
        if let Some(client_id) = customer["client_id"].as_str() {
            client.record_owner(client_id, &customer);
        }
        client.learn(|knowledge, tenant| {
            push_unique(&mut knowledge.customers[tenant], &customer["customer_id"])
        });
    }
}

async fn create_session(client: &mut Client<'_>) {
    let (number, headers) = pick_key(client);
    let mut body = json!({ "ttl_days": 1 + number % 3, "metadata": { "n": number.to_string() } });
    mark_with_key(&mut body, &headers);
    // Requests with the same key must have the same body, so such a body must not depend on the
    // shared knowledge.
    let customer = client.customer().filter(|_| headers.is_empty() && number % 3 > 0);
    match customer {
        Some(customer) => body["customer_id"] = json!(customer),
        None => body["client_id"] = json!(client_id(number)),
    }
    let created =
        client.send("create session", "POST", "/kyc/sessions", Some(&body), &headers).await;
    if let Some(session) = created {
        if let Some(client_id) = body["client_id"].as_str() {
            client.record_owner(client_id, &session);
        }
        client.learn(|knowledge, tenant| {
            push_unique(&mut knowledge.sessions[tenant], &session["session_id"]);
            push_unique(&mut knowledge.customers[tenant], &session["customer_id"]);
        });
    }
}

async fn update_session(client: &mut Client<'_>) {
    let Some(session) = client.session() else { return };
    let mut body = json!({});
    if client.dice.percent(80) {
        let statuses = ["completed", "completed", "approved", "rejected", "manual_review"];
        body["status"] = json!(client.dice.pick(&statuses));
    }
    if client.dice.percent(40) {
        let at = format!("2026-11-0{}T12:00:00Z", 1 + client.dice.roll(9));
        let kind = client.dice.pick(&["document", "liveness", "watchlists"]);
        let result = client.dice.pick(&["passed", "failed", "review"]);
        body["validations"] = json!([{ "kind": kind, "result": result, "at": at, "score": 12.5 }]);
    }
    let path = format!("/kyc/sessions/{session}");
    let headers = fresh_key(client);
    client.send("update session", "PATCH", &path, Some(&body), &headers).await;
}

async fn update(client: &mut Client<'_>) {
    let Some(customer) = client.customer() else { return };
    let number = client.dice.roll(1_000);
    let mut body = match number % 7 {
        0 => json!({ "name": client.dice.pick(&NAMES) }),
        1 => json!({ "country": client.dice.pick(&COUNTRIES), "industry": "Casino" }),
        2 => json!({ "metadata": { format!("k{}", number % 5): number.to_string() } }),
        3 => json!({ "tags": [format!("t{}", number % 9)], "email": null }),
        4 => json!({ "retain_until": client.dice.pick(&["2020-01-01", "2090-01-01"]) }),
        5 => json!({ "status": client.dice.pick(&["blocked", "active", "active"]) }),
        _ => json!({ "country": null, "tax_id": format!("T{number}") }),
    };
    if client.dice.percent(10) {
        body["client_id"] = json!(client_id(number));
    }
    let mut headers = fresh_key(client);
    if client.dice.percent(40) {
        let read = client.send("get", "GET", &customer_path(&customer, ""), None, &[]).await;
        let version = read.and_then(|customer| customer["version"].as_u64()).unwrap_or(1);
        headers.push(("if-match", format!("\"{version}\"")));
    }
    let is_conditional = headers.iter().any(|(name, _)| *name == "if-match");
    let operation = if is_conditional { "update if match" } else { "update" };
    let changed =
        client.send(operation, "PATCH", &customer_path(&customer, ""), Some(&body), &headers).await;
    if let Some(changed) = changed
        && let Some(client_id) = changed["client_id"].as_str()
    {
        client.record_owner(client_id, &changed);
    }
}

async fn deactivate(client: &mut Client<'_>) {
    let Some(customer) = client.customer() else { return };
    let headers = fresh_key(client);
    client.send("deactivate", "DELETE", &customer_path(&customer, ""), None, &headers).await;
}

async fn erase(client: &mut Client<'_>) {
    let Some(customer) = client.customer() else { return };
    let mut headers = Vec::new();
    if client.dice.percent(40) {
        headers.push(("idempotency-key", format!("erase-{customer}")));
    }
    let body = json!({ "override_reason": "A test" });
    // Without a reason, the request is refused, because the clock does not advance past the
    // retention period.
    let body = client.dice.percent(80).then_some(&body);
    client.send("erase", "POST", &customer_path(&customer, "/erase"), body, &headers).await;
}

async fn export(client: &mut Client<'_>) {
    let Some(customer) = client.customer() else { return };
    let page = client.send("export", "GET", &customer_path(&customer, "/export"), None, &[]).await;
    let Some(page) = page else { return };
    let mut tenants = page["items"].as_array().unwrap().iter().map(|row| &row["data"]["tenant_id"]);
    if tenants.any(|tenant| tenant.is_string() && tenant != TENANTS[client.tenant]) {
        client.world.report_failure(format!("an export of {customer} has data of another tenant"));
    }
}

async fn put_organization(client: &mut Client<'_>) {
    let Some(customer) = client.customer() else { return };
    let party = |id: &str, kind: &str, name: &str| json!({ "party_id": id, "kind": kind, "name": name, "roles": ["director"] });
    let (person, company) = (*client.dice.pick(&NAMES), *client.dice.pick(&NAMES));
    let share = 26 + client.dice.roll(70);
    let body = json!({
        "parties": [party("p", "individual", person), party("c", "company", company)],
        "relationships": [
            { "owner": "c", "owned": "self", "percentage": share },
            { "owner": "p", "owned": "c", "percentage": 100 },
        ],
    });
    let path = customer_path(&customer, "/organization");
    let headers = fresh_key(client);
    client.send("put organization", "PUT", &path, Some(&body), &headers).await;
}

async fn recalculate(client: &mut Client<'_>) {
    let Some(customer) = client.customer() else { return };
    let path = customer_path(&customer, "/risk-profile?recalculate=true");
    client.send("recalculate", "GET", &path, None, &[]).await;
}

async fn start_monitor(client: &mut Client<'_>) {
    let Some(customer) = client.customer() else { return };
    let frequency = *client.dice.pick(&["on_update", "on_update", "daily", "weekly"]);
    let mut body = json!({ "check_frequency": frequency });
    if client.dice.percent(20) {
        body["include_related"] = json!(false);
    }
    if client.dice.percent(15) {
        let millis = client.world.setup.now.load(std::sync::atomic::Ordering::SeqCst);
        let soon = 60_000 + client.dice.roll(600_000) as i64;
        let until = shared::model::time::Timestamp::from_millis(millis + soon);
        body["expires_at"] = json!(until.to_string());
    }
    let mut headers = Vec::new();
    if client.dice.percent(40) {
        // Different settings need different keys.
        headers.push(("idempotency-key", format!("{customer}-{body}")));
    }
    let path = customer_path(&customer, "/monitor");
    client.send("start monitor", "POST", &path, Some(&body), &headers).await;
}

async fn stop_monitor(client: &mut Client<'_>) {
    let Some(customer) = client.customer() else { return };
    let headers = fresh_key(client);
    let path = customer_path(&customer, "/monitor");
    client.send("stop monitor", "DELETE", &path, None, &headers).await;
}

async fn decide(client: &mut Client<'_>) {
    let Some((customer, alert)) = client.alert() else { return read_alerts(client).await };
    let status = *client.dice.pick(&["confirmed", "false_positive", "open"]);
    let path = customer_path(&customer, &format!("/alerts/{alert}"));
    let headers = fresh_key(client);
    client.send("decide", "PATCH", &path, Some(&json!({ "status": status })), &headers).await;
}

async fn read_alerts(client: &mut Client<'_>) {
    let Some(customer) = client.customer() else { return };
    let page = client.send("alerts", "GET", &customer_path(&customer, "/alerts"), None, &[]).await;
    for alert in items(page) {
        let alert_id = alert["alert_id"].as_str().unwrap().to_owned();
        let alert_key = (customer.clone(), alert_id);
        client.learn(|knowledge, tenant| {
            let alerts = &mut knowledge.alerts[tenant];
            if !alerts.contains(&alert_key) {
                alerts.push(alert_key);
            }
        });
    }
}

async fn read(client: &mut Client<'_>) {
    let Some(customer) = client.customer() else { return };
    match client.dice.roll(9) {
        0 => {
            // The list also contains customers that the clients do not know yet because their
            // creation was not answered.
            let page = client.send("list", "GET", "/customers?limit=20", None, &[]).await;
            for customer in items(page) {
                client.learn(|knowledge, tenant| {
                    push_unique(&mut knowledge.customers[tenant], &customer["customer_id"])
                });
            }
        }
        1 => {
            let path = "/customers?monitored=true&limit=5";
            client.send("list monitored", "GET", path, None, &[]).await;
        }
        2 => {
            let page = client
                .send("sessions", "GET", &customer_path(&customer, "/sessions"), None, &[])
                .await;
            for session in items(page) {
                client.learn(|knowledge, tenant| {
                    push_unique(&mut knowledge.sessions[tenant], &session["session_id"])
                });
            }
        }
        3 => {
            let path = customer_path(&customer, "/organization");
            drop(client.send("organization", "GET", &path, None, &[]).await);
        }
        4 => drop(
            client.send("monitor", "GET", &customer_path(&customer, "/monitor"), None, &[]).await,
        ),
        5 => {
            let path = customer_path(&customer, "/risk-profile?history=5");
            drop(client.send("risk profile", "GET", &path, None, &[]).await);
        }
        6 => drop(client.send("get", "GET", &customer_path(&customer, ""), None, &[]).await),
        _ => read_alerts(client).await,
    }
}

fn items(page: Option<Value>) -> Vec<Value> {
    page.and_then(|page| page["items"].as_array().cloned()).unwrap_or_default()
}

/// Runs a random scheduled job. A pass over the whole lists waits until new lists are old enough,
/// so refreshes and such passes run in different rounds.
async fn run_job(client: &mut Client<'_>) {
    match (client.dice.roll(6), client.world.allows_refresh()) {
        (0 | 1, true) => client.run("refresh", "refresh-watchlists", &json!({})).await,
        (0 | 1, false) => {
            let pass = *client.dice.pick(&["daily", "weekly", "reconcile"]);
            client.run("whole pass", "rescreen", &json!({ "pass": pass })).await;
        }
        (2 | 3, _) => client.run("pass", "rescreen", &json!({ "pass": "on_update" })).await,
        _ => client.run("resume", "rescreen", &json!({ "pass": "resume" })).await,
    }
}
