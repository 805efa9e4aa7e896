//! Lists the budget of every operation: its calls to the table, and its read and write units.

use Given::{Customer, Customers, Monitored, NoCustomer};

/// An operation, the data that it requires, and its budget.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) route: &'static str,
    pub(super) query: &'static str,
    pub(super) given: Given,
    pub(super) body: &'static str,
    pub(super) is_keyed: bool,
    pub(crate) status: u16,
    /// The exact calls: the count and name of each operation, in alphabetical order of the names.
    pub(super) calls: &'static str,
    /// Maximum number of read units, and maximum number of write units.
    pub(super) units: (f64, f64),
}

/// The data of the tenant before the operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    NoCustomer,
    /// One customer without other items.
    Customer,
    /// More customers than fit on a page.
    Customers,
    /// A monitored customer with an organization, a session, a risk profile and an alert.
    Monitored,
}

const ROW: Row = Row {
    what: "",
    route: "",
    query: "",
    given: Customer,
    body: "",
    is_keyed: false,
    status: 200,
    calls: "1 GetItem",
    units: (1.0, 0.0),
};
const CREATE: Row = Row { route: "POST /customers", given: NoCustomer, status: 201, ..ROW };
const LIST: Row = Row { route: "GET /customers", given: Customers, calls: "1 Query", ..ROW };
const PATCH: Row = Row { route: "PATCH /customers/{id}", ..ROW };
const DELETE: Row = Row { route: "DELETE /customers/{id}", ..ROW };
const SESSIONS: Row = Row { route: "GET /customers/{id}/sessions", ..ROW };
const PUT: Row = Row { route: "PUT /customers/{id}/organization", ..ROW };
const PROFILE: Row = Row { route: "GET /customers/{id}/risk-profile", ..ROW };
const MONITOR: Row = Row { route: "POST /customers/{id}/monitor", body: "{}", ..ROW };
const ALERTS: Row = Row { route: "GET /customers/{id}/alerts", ..ROW };
const SESSION: Row = Row { route: "POST /kyc/sessions", status: 201, ..ROW };
const OUTCOME: Row = Row { route: "PATCH /kyc/sessions/{session_id}", given: Monitored, ..ROW };

pub(super) const NEW: &str = r#"{"client_id":"crm-1","name":"Acme GmbH","country":"DE","website":"https://acme.example","industry":"Retail"}"#;
pub(super) const OWNERS: &str = r#"{"parties":[{"party_id":"p","kind":"individual","name":"Jana Novak","country":"CZ","roles":["director"]}],"relationships":[{"owner":"p","owned":"self","percentage":100}]}"#;
const OTHER_OWNERS: &str = r#"{"parties":[{"party_id":"q","kind":"individual","name":"Ivo Brandel","country":"DE","roles":["director"]}],"relationships":[{"owner":"q","owned":"self","percentage":100}]}"#;
const CHECK: &str = r#"{"validations":[{"kind":"document","result":"passed","score":97.5}]}"#;

/// A change that affects the risk profile reads the organization, the sessions and the alerts in
/// parallel, which adds one GetItem and two Queries. A change of a monitored customer also reads
/// the monitor and, if the customer is screened, the lists before and after the screening.
pub(crate) const ROWS: &[Row] = &[
    Row { what: "create", body: NEW, calls: "1 TransactWriteItems", units: (0.0, 9.0), ..CREATE },
    Row {
        what: "create, with an idempotency key",
        body: NEW,
        is_keyed: true,
        calls: "1 PutItem, 1 TransactWriteItems",
        units: (0.0, 14.0),
        ..CREATE
    },
    Row { what: "list", units: (2.0, 0.0), ..LIST },
    Row { what: "list, next page", query: "?cursor={cursor}", units: (1.0, 0.0), ..LIST },
    Row { what: "list by risk", query: "?risk_level=not_set", units: (2.0, 0.0), ..LIST },
    Row { what: "list by name", query: "?search=acme", units: (2.0, 0.0), ..LIST },
    Row { what: "list, filtered", query: "?country=de", units: (2.5, 0.0), ..LIST },
    Row {
        what: "find by client id",
        query: "?client_id=crm-1",
        calls: "2 GetItem",
        units: (2.0, 0.0),
        ..LIST
    },
    Row { what: "get", route: "GET /customers/{id}", ..ROW },
    Row {
        what: "patch",
        body: r#"{"email":"kyc@acme.example"}"#,
        calls: "1 GetItem, 1 TransactWriteItems",
        units: (1.0, 7.0),
        ..PATCH
    },
    Row {
        what: "patch, with an idempotency key",
        body: r#"{"email":"kyc@acme.example"}"#,
        is_keyed: true,
        calls: "1 GetItem, 1 PutItem, 1 TransactWriteItems",
        units: (1.0, 12.0),
        ..PATCH
    },
    Row { what: "patch without a change", body: r#"{"country":"DE"}"#, ..PATCH },
    Row {
        what: "patch that affects the risk profile",
        body: r#"{"country":"AT"}"#,
        calls: "2 GetItem, 2 Query, 1 TransactWriteItems",
        units: (4.0, 13.0),
        ..PATCH
    },
    Row {
        what: "patch the name, monitored",
        given: Monitored,
        body: r#"{"name":"Brindal Quarry"}"#,
        calls: "5 GetItem, 2 Query, 1 TransactWriteItems",
        units: (7.0, 25.0),
        ..PATCH
    },
    Row {
        what: "deactivate",
        calls: "1 GetItem, 1 TransactWriteItems",
        units: (1.0, 7.0),
        ..DELETE
    },
    Row {
        what: "deactivate, monitored",
        given: Monitored,
        calls: "2 GetItem, 1 TransactWriteItems",
        units: (2.0, 10.0),
        ..DELETE
    },
    Row {
        what: "export",
        route: "GET /customers/{id}/export",
        given: Monitored,
        calls: "1 PutItem, 1 Query",
        units: (4.0, 1.0),
        ..ROW
    },
    Row {
        what: "erase",
        route: "POST /customers/{id}/erase",
        given: Monitored,
        body: r#"{"override_reason":"A test"}"#,
        calls: "2 GetItem, 1 Query, 3 TransactWriteItems",
        units: (6.0, 60.0),
        ..ROW
    },
    Row { what: "sessions", given: Monitored, calls: "1 Query", ..SESSIONS },
    Row { what: "sessions, none", calls: "1 GetItem, 1 Query", units: (2.0, 0.0), ..SESSIONS },
    Row {
        what: "organization",
        route: "GET /customers/{id}/organization",
        given: Monitored,
        calls: "2 GetItem",
        units: (2.0, 0.0),
        ..ROW
    },
    Row {
        what: "first organization",
        body: OWNERS,
        status: 201,
        calls: "2 GetItem, 2 Query, 1 TransactWriteItems",
        units: (4.0, 17.0),
        ..PUT
    },
    Row {
        what: "another organization, monitored",
        given: Monitored,
        body: OTHER_OWNERS,
        calls: "5 GetItem, 2 Query, 1 TransactWriteItems",
        units: (7.0, 22.0),
        ..PUT
    },
    Row { what: "risk profile", given: Monitored, calls: "1 Query", ..PROFILE },
    Row { what: "risk profile, none", calls: "1 GetItem, 1 Query", units: (2.0, 0.0), ..PROFILE },
    Row {
        what: "new risk profile",
        query: "?recalculate=true",
        calls: "2 GetItem, 4 Query, 1 TransactWriteItems",
        units: (6.0, 13.0),
        ..PROFILE
    },
    Row {
        what: "recalculation without a change",
        given: Monitored,
        query: "?recalculate=true",
        calls: "2 GetItem, 4 Query",
        units: (6.0, 0.0),
        ..PROFILE
    },
    Row {
        what: "start monitoring",
        status: 201,
        calls: "5 GetItem, 2 Query, 1 TransactWriteItems",
        units: (7.0, 10.0),
        ..MONITOR
    },
    Row {
        what: "change monitoring",
        given: Monitored,
        body: r#"{"check_frequency":"daily"}"#,
        calls: "5 GetItem, 2 Query, 1 TransactWriteItems",
        units: (7.0, 11.0),
        ..MONITOR
    },
    // This operation reads the monitor and the customer, and then, in one transaction, the pending
    // recheck and the passes.
    Row {
        what: "monitor",
        route: "GET /customers/{id}/monitor",
        given: Monitored,
        calls: "2 GetItem, 1 TransactGetItems",
        units: (8.0, 0.0),
        ..ROW
    },
    Row {
        what: "stop monitoring",
        route: "DELETE /customers/{id}/monitor",
        given: Monitored,
        calls: "2 GetItem, 1 TransactWriteItems",
        units: (2.0, 10.0),
        ..ROW
    },
    Row { what: "alerts", given: Monitored, calls: "1 Query", ..ALERTS },
    Row { what: "alerts, none", calls: "1 GetItem, 1 Query", units: (2.0, 0.0), ..ALERTS },
    Row {
        what: "decide an alert",
        route: "PATCH /customers/{id}/alerts/{alert_id}",
        given: Monitored,
        body: r#"{"status":"confirmed","note":"It is them."}"#,
        calls: "2 GetItem, 2 Query, 1 TransactWriteItems",
        units: (4.0, 20.0),
        ..ROW
    },
    Row {
        what: "session of a customer",
        body: r#"{"customer_id":"{id}"}"#,
        calls: "1 GetItem, 1 TransactWriteItems",
        units: (1.0, 11.0),
        ..SESSION
    },
    Row {
        what: "session of a known client id",
        body: r#"{"client_id":"crm-1"}"#,
        calls: "2 GetItem, 1 TransactWriteItems",
        units: (2.0, 11.0),
        ..SESSION
    },
    Row {
        what: "session of a new client id",
        given: NoCustomer,
        body: r#"{"client_id":"crm-1"}"#,
        calls: "1 GetItem, 1 TransactWriteItems",
        units: (1.0, 15.0),
        ..SESSION
    },
    Row {
        what: "session",
        route: "GET /kyc/sessions/{session_id}",
        given: Monitored,
        calls: "2 GetItem",
        units: (2.0, 0.0),
        ..ROW
    },
    Row {
        what: "session completed",
        body: r#"{"status":"completed"}"#,
        calls: "3 GetItem, 1 TransactWriteItems",
        units: (3.0, 9.0),
        ..OUTCOME
    },
    Row {
        what: "session checked",
        body: CHECK,
        calls: "4 GetItem, 2 Query, 1 TransactWriteItems",
        units: (6.0, 17.0),
        ..OUTCOME
    },
];
