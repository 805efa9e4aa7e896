//! Handles Cognito's pre token generation trigger, version 3. The function writes the tenant into
//! access tokens, because these tokens do not contain the attributes of a user.
//!
//! The tenant of a user is the attribute `custom:tenant_id`, which only an administrator can set.
//! The tenant of a machine is the scope `tenant/{tenant_id}`, which only an administrator can allow
//! for a client. A token does not get a tenant if the user does not have the attribute, or if the
//! machine has none or several of these scopes. The API refuses such a token.

use std::collections::HashMap;
use std::time::Instant;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use shared::{App, Error};

shared::job!(run);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    trigger_source: String,
    request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    scopes: Option<Vec<String>>,
    user_attributes: Option<HashMap<String, String>>,
}

/// Returns the event with a response that sets or suppresses the claim `tenant_id`, in the form
/// that Cognito expects from a trigger.
pub async fn run(_app: &App, event: Value, _deadline: Instant) -> Result<Value, Error> {
    let unknown = |error| Error::internal(format!("no event of a Cognito trigger: {error}"));
    let Event { trigger_source, request } =
        serde_json::from_value(event.clone()).map_err(unknown)?;
    let mut answer: Map<String, Value> = serde_json::from_value(event).map_err(unknown)?;
    let tenant = match trigger_source.as_str() {
        "TokenGeneration_ClientCredentials" => only_tenant(request.scopes.unwrap_or_default()),
        _ => request.user_attributes.and_then(|mut user| user.remove("custom:tenant_id")),
    };
    // The claim is always set or suppressed, so that a `tenant_id` from another trigger or a client
    // is never used.
    let token = match tenant {
        Some(tenant) => json!({ "claimsToAddOrOverride": { "tenant_id": tenant } }),
        None => json!({ "claimsToSuppress": ["tenant_id"] }),
    };
    let details = json!({ "accessTokenGeneration": token });
    answer.insert("response".to_owned(), json!({ "claimsAndScopeOverrideDetails": details }));
    Ok(Value::Object(answer))
}

fn only_tenant(scopes: Vec<String>) -> Option<String> {
    let mut tenants = scopes.iter().filter_map(|scope| scope.strip_prefix("tenant/"));
    tenants.next().filter(|_| tenants.next().is_none()).map(str::to_owned)
}
