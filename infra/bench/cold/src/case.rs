//! Builds the events that each function is measured with. A function gets one kind of request,
//! which must succeed, about customers that were created for it. If a request can succeed only once
//! for a customer, each event has its own customer.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::event::http;
use crate::subject::Expected;
use crate::test_bed::TestBed;

/// Minimal function for HTTP events.
pub(crate) const HELLO_HTTP: &str = "hello-http";
/// Minimal function for any event.
pub(crate) const HELLO_RUNTIME: &str = "hello-runtime";

/// Number of customers that a list or a pass covers. A page has fewer rows.
const LISTED: usize = 25;
/// A name on the sample watchlist.
const SUSPECT: &str = "Brindal Quarry Trading";

const CUSTOMER: &str = "GET /customers/{id}";
const ORGANIZATION: &str = "PUT /customers/{id}/organization";
const MONITOR: &str = "POST /customers/{id}/monitor";
const SESSIONS: &str = "POST /kyc/sessions";

/// Returns the answer that a function must give.
pub(crate) fn expected(function: &str) -> Expected {
    match function {
        "create-customer" | "create-session" | "monitor-customer" => Expected::Status(201),
        HELLO_RUNTIME
        | "pre-token-generation"
        | "refresh-watchlists"
        | "rescreen"
        | "shape-events" => Expected::Anything,
        _ => Expected::Status(200),
    }
}

/// Returns `count` events for a function. The events belong to a new tenant, which has only the
/// customers that these events need.
pub(crate) async fn events(test_bed: &TestBed, function: &str, count: usize) -> Result<Vec<Value>> {
    let tenant = Tenant { test_bed, name: test_bed.new_tenant() };
    let same = |event: Value| vec![event; count];
    let events = match function {
        HELLO_HTTP | HELLO_RUNTIME => {
            let path = [("id", "01920000-0000-8000-8000-000000000000")];
            same(http(&tenant.name, CUSTOMER, &path, None)?)
        }
        "create-customer" => {
            let new = |n| http(&tenant.name, "POST /customers", &[], Some(&profile(n)));
            (0..count).map(new).collect::<Result<_>>()?
        }
        "create-session" => {
            let new = |n: usize| {
                let body = json!({ "client_id": format!("crm-{n:05}"), "name": "Acme GmbH" });
                http(&tenant.name, SESSIONS, &[], Some(&body))
            };
            (0..count).map(new).collect::<Result<_>>()?
        }
        "list-customers" => {
            for n in 0..LISTED {
                tenant.customer(&profile(n)).await?;
            }
            same(http(&tenant.name, "GET /customers", &[], None)?)
        }
        "update-customer" => {
            let id = tenant.customer(&profile(0)).await?;
            let change = |n| {
                let body = json!({ "website": format!("https://example.com/{n:05}") });
                http(&tenant.name, "PATCH /customers/{id}", &[("id", &id)], Some(&body))
            };
            (0..count).map(change).collect::<Result<_>>()?
        }
        "put-organization" => {
            let id = tenant.organized_customer().await?;
            let change = |n| http(&tenant.name, ORGANIZATION, &[("id", &id)], Some(&owners(n)));
            (1..=count).map(change).collect::<Result<_>>()?
        }
        "get-customer" => same(tenant.about(CUSTOMER, &tenant.customer(&profile(0)).await?)?),
        "get-organization" => {
            same(tenant.about_organized("GET /customers/{id}/organization").await?)
        }
        "export-customer" => same(tenant.about_organized("GET /customers/{id}/export").await?),
        "get-risk-profile" => {
            same(tenant.about_organized("GET /customers/{id}/risk-profile").await?)
        }
        "get-monitor" => same(tenant.about_monitored("GET /customers/{id}/monitor").await?),
        "list-alerts" => same(tenant.about_monitored("GET /customers/{id}/alerts").await?),
        "list-customer-sessions" => {
            let mut id = String::new();
            for _ in 0..3 {
                id = text(&tenant.session("crm-1").await?, "customer_id")?;
            }
            same(tenant.about("GET /customers/{id}/sessions", &id)?)
        }
        "get-session" => {
            let id = text(&tenant.session("crm-1").await?, "session_id")?;
            same(http(
                &tenant.name,
                "GET /kyc/sessions/{session_id}",
                &[("session_id", &id)],
                None,
            )?)
        }
        "health" => same(http(&tenant.name, "GET /health", &[], None)?),
        "rescreen" => {
            tenant.prepare_pass().await?;
            same(json!({ "pass": "daily" }))
        }
        "refresh-watchlists" => same(json!({})),
        "shape-events" => same(records(&tenant.name)),
        "pre-token-generation" => same(json!({
            "version": "3", "triggerSource": "TokenGeneration_Authentication",
            "region": "eu-central-1", "userPoolId": "eu-central-1_example", "userName": "user-1",
            "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "example" },
            "request": { "scopes": ["openid"], "groupConfiguration": {},
                "userAttributes": { "sub": "user-1", "custom:tenant_id": "acme" } },
            "response": { "claimsAndScopeOverrideDetails": null },
        })),
        _ => {
            let mut events = Vec::new();
            for n in 0..count {
                events.push(tenant.single_use_event(function, n).await?);
            }
            events
        }
    };
    ensure!(
        events.len() == count,
        "case.rs has {} events for {function}, not {count}",
        events.len()
    );
    Ok(events)
}

struct Tenant<'a> {
    test_bed: &'a TestBed,
    name: String,
}

impl Tenant<'_> {
    /// Returns a request about a customer, without a body.
    fn about(&self, route: &str, customer: &str) -> Result<Value> {
        http(&self.name, route, &[("id", customer)], None)
    }

    /// Returns a request about a new customer with an organization.
    async fn about_organized(&self, route: &str) -> Result<Value> {
        self.about(route, &self.organized_customer().await?)
    }

    /// Returns a request about a new customer with an alert.
    async fn about_monitored(&self, route: &str) -> Result<Value> {
        self.about(route, &self.monitored_customer().await?)
    }

    /// Creates the objects that an event needs, and returns the event. It can succeed only once for
    /// its customer, alert or session. Returns an error if the function does not have such an
    /// event.
    async fn single_use_event(&self, function: &str, n: usize) -> Result<Value> {
        match function {
            "deactivate-customer" => {
                self.about("DELETE /customers/{id}", &self.customer(&profile(n)).await?)
            }
            "erase-customer" => {
                let id = self.customer(&profile(n)).await?;
                let reason = json!({ "override_reason": "A measurement" });
                http(&self.name, "POST /customers/{id}/erase", &[("id", &id)], Some(&reason))
            }
            "monitor-customer" => {
                let id = self.customer(&profile(n)).await?;
                http(&self.name, MONITOR, &[("id", &id)], Some(&json!({})))
            }
            "stop-monitor" => self.about_monitored("DELETE /customers/{id}/monitor").await,
            "resolve-alert" => {
                let id = self.monitored_customer().await?;
                let route = "GET /customers/{id}/alerts";
                let path = [("id", id.as_str())];
                let alerts = self.test_bed.prepare(&self.name, "list-alerts", route, &path, None);
                let alert = text(&alerts.await?["items"][0], "alert_id")?;
                let path = [("id", id.as_str()), ("alert_id", &alert)];
                let body = json!({ "status": "false_positive", "note": "another country" });
                http(&self.name, "PATCH /customers/{id}/alerts/{alert_id}", &path, Some(&body))
            }
            "update-session" => {
                let id = text(&self.session(&format!("crm-{n:05}")).await?, "session_id")?;
                let body = json!({ "status": "completed" });
                let path = [("session_id", id.as_str())];
                http(&self.name, "PATCH /kyc/sessions/{session_id}", &path, Some(&body))
            }
            unknown => bail!("case.rs has no event for {unknown}: add one"),
        }
    }

    /// Creates a customer and returns its id.
    async fn customer(&self, profile: &Value) -> Result<String> {
        let route = "POST /customers";
        let customer =
            self.test_bed.prepare(&self.name, "create-customer", route, &[], Some(profile)).await?;
        text(&customer, "customer_id")
    }

    /// Creates a customer with an organization and returns its id.
    async fn organized_customer(&self) -> Result<String> {
        let id = self.customer(&profile(0)).await?;
        let path = [("id", id.as_str())];
        let body = owners(0);
        self.test_bed
            .prepare(&self.name, "put-organization", ORGANIZATION, &path, Some(&body))
            .await?;
        Ok(id)
    }

    /// Creates a monitored customer with an alert and returns its id.
    async fn monitored_customer(&self) -> Result<String> {
        self.monitor(&json!({})).await
    }

    async fn monitor(&self, settings: &Value) -> Result<String> {
        let id = self.customer(&json!({ "name": SUSPECT })).await?;
        let path = [("id", id.as_str())];
        self.test_bed
            .prepare(&self.name, "monitor-customer", MONITOR, &path, Some(settings))
            .await?;
        Ok(id)
    }

    /// Creates the customers that a daily pass screens. Only the first call in a run creates them,
    /// because all passes screen the same customers.
    async fn prepare_pass(&self) -> Result<()> {
        if !self.test_bed.claim_pass_preparation() {
            return Ok(());
        }
        for _ in 0..LISTED {
            self.monitor(&json!({ "check_frequency": "daily" })).await?;
        }
        Ok(())
    }

    /// Creates a session for a client id and returns the session. Creates the client's customer if
    /// it does not exist.
    async fn session(&self, client: &str) -> Result<Value> {
        let body = json!({ "client_id": client, "name": "Acme GmbH" });
        self.test_bed.prepare(&self.name, "create-session", SESSIONS, &[], Some(&body)).await
    }
}

/// Returns the body of a request that creates a customer.
fn profile(n: usize) -> Value {
    json!({
        "name": format!("Acme Trading {n:05} GmbH"), "client_id": format!("crm-{n:05}"),
        "entity_type": "company", "country": "DE", "email": "office@example.com",
        "website": "https://example.com", "industry": "Wholesale trade",
        "incorporated_on": "2011-03-17", "tags": ["new", "online"],
    })
}

/// Returns an organization in which three people own the customer through two companies.
fn owners(n: usize) -> Value {
    json!({
        "parties": [
            { "party_id": "a", "kind": "individual", "name": "Ada Example" },
            { "party_id": "b", "kind": "individual", "name": "Ben Example" },
            { "party_id": "c", "kind": "individual", "name": "Cleo Example" },
            { "party_id": "h", "kind": "company", "name": "Holding GmbH", "country": "DE" },
            { "party_id": "k", "kind": "company", "name": "Kapital SA", "country": "LU" },
        ],
        "relationships": [
            { "owner": "a", "owned": "h", "percentage": 60 },
            { "owner": "b", "owned": "h", "percentage": 40 },
            { "owner": "c", "owned": "k", "percentage": 100 },
            { "owner": "h", "owned": "self", "percentage": 30 + n % 40 },
            { "owner": "k", "owned": "self", "percentage": 25 },
        ],
    })
}

/// Returns ten records of the table's stream. Each contains an event of the audit trail.
fn records(tenant: &str) -> Value {
    let record = |n: usize| {
        let id = format!("01920000-0000-7000-8000-{n:012}");
        json!({
            "eventID": id, "eventName": "INSERT", "eventSource": "aws:dynamodb",
            "awsRegion": "eu-central-1",
            "dynamodb": { "NewImage": {
                "pk": { "S": format!("T#{tenant}#C#{id}") },
                "sk": { "S": format!("EVENT#{id}") },
                "type": { "S": "event" }, "event_id": { "S": id }, "customer_id": { "S": id },
                "kind": { "S": "customer.updated" }, "at": { "S": "2026-11-26T10:30:00.000Z" },
                "changes": { "M": { "industry": { "M": {
                    "from": { "NULL": true }, "to": { "S": "Banking" },
                } } } },
            } },
        })
    };
    (0..10).map(record).collect()
}

fn text(value: &Value, field: &str) -> Result<String> {
    let text = value[field].as_str();
    Ok(text.with_context(|| format!("{field} is not in {value:.400}"))?.to_owned())
}
