//! Tests the organization of a customer: its parties and their holdings.

mod get;
mod poison;
mod put;

use api_tests::{Answer, Api, Persona, Value, json, path_of};

/// Creates a company. Returns the company and the path of its organization.
pub(crate) async fn company(api: &Api, who: &Persona) -> (Value, String) {
    let customer = api.create(who, &json!({ "name": "Acme GmbH", "country": "DE" })).await;
    let path = format!("{}/organization", path_of(&customer));
    (customer, path)
}

pub(crate) async fn put(api: &Api, who: &Persona, path: &str, body: &Value) -> Answer {
    api.call(who, "PUT", path).json(body).send().await
}

pub(crate) fn individual(id: &str) -> Value {
    json!({ "party_id": id, "kind": "individual", "name": format!("Person {id}"), "country": "DE" })
}

pub(crate) fn firm(id: &str) -> Value {
    json!({ "party_id": id, "kind": "company", "name": format!("Firm {id}"), "country": "FR" })
}

pub(crate) fn holds(owner: &str, owned: &str, percentage: f64) -> Value {
    json!({ "owner": owner, "owned": owned, "percentage": percentage })
}

/// Returns a structure with these parties and holdings, each as owner, owned and percentage. A
/// party is an individual if its id starts with `p`, otherwise a company.
pub(crate) fn structure(parties: &[&str], holdings: &[(&str, &str, f64)]) -> Value {
    let party = |id: &&str| if id.starts_with('p') { individual(id) } else { firm(id) };
    let parties: Vec<Value> = parties.iter().map(party).collect();
    let relationships: Vec<Value> = holdings
        .iter()
        .map(|(owner, owned, percentage)| holds(owner, owned, *percentage))
        .collect();
    json!({ "parties": parties, "relationships": relationships })
}
