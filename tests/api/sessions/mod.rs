//! Tests KYC sessions.

mod create;
mod list;
mod update;

use api_tests::{Api, Persona, Value, json};

pub(super) const NOON: i64 = 1_795_348_800_000; // 2026-11-22T12:00:00Z
pub(super) const DAY: i64 = 24 * 3_600 * 1_000;

pub(crate) fn path_of(session: &Value) -> String {
    format!("/kyc/sessions/{}", session["session_id"].as_str().unwrap())
}

/// Creates a session for the customer with this client id. Also creates the customer if it does not
/// exist.
pub(super) async fn create_session(api: &Api, who: &Persona, client_id: &str) -> Value {
    api.post(who, "/kyc/sessions", &json!({ "client_id": client_id })).await.expect(201)
}

/// Returns the session counters of a session's customer.
pub(super) async fn counters(api: &Api, who: &Persona, session: &Value) -> Value {
    api.get(who, &api_tests::path_of(session)).await.expect(200)["sessions"].clone()
}
